"""A chart for each resource type: this period, step by step, upon the one before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from quarterdeck.tui.screens.usage.figures import Card, Figures
from quarterdeck.tui.screens.usage.times import Time
from quarterdeck.tui.widgets.chart_data import Plot, Series, short


def plots(figures: Figures) -> list[Plot]:
    time = figures.asked.time
    return [_plot(card, time) for card in figures.cards]


def _plot(card: Card, time: Time) -> Plot:
    return Plot(
        card.kind,
        short,
        range(time.start, time.end, time.length),
        time.length,
        (
            Series(time.said, "completed", "badge-active", _drawn(card.now), short(card.quantity)),
            Series(time.said_before, "ended", "badge-waiting", _drawn(card.before), short(_sum(card.before))),
        ),
        f"each {time.step}, UTC",
        "nothing was used in this time",
        zone=UTC,
    )


def _sum(values: Sequence[float | None]) -> float:
    return sum(value or 0 for value in values)


def _drawn(values: Sequence[float | None]) -> Sequence[float | None]:
    """Nothing where there is nothing: a line along the axis says less."""
    return values if any(values) else ()
