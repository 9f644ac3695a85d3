"""How promises were kept over time, as plots."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from quarterdeck.contract.clock import DAY, MINUTE, iso
from quarterdeck.contract.enums import Period, Priority, SlaTarget
from quarterdeck.contract.operations import sla
from quarterdeck.tui.format import count, moment, per_cent
from quarterdeck.tui.periods import start_of
from quarterdeck.tui.widgets.chart_data import Plot, Series, milliseconds

Answer = Mapping[str, Any]
_NO_VERDICT = "no promise came to a verdict in this time"


class Span(NamedTuple):
    """How far back, and how that is cut."""

    said: str
    days: int
    period: Period


SPANS = (
    Span("7 days", 7, Period.DAY),
    Span("30 days", 30, Period.DAY),
    Span("13 weeks", 91, Period.WEEK),
    Span("12 months", 365, Period.MONTH),
)
_STEPS = {Period.DAY: DAY, Period.WEEK: 7 * DAY, Period.MONTH: 30 * DAY}
_SIGNS = {
    Priority.URGENT: ("urgent", "error"),
    Priority.HIGH: ("high", "warning"),
    Priority.NORMAL: ("waiting", "info"),
    Priority.LOW: ("low", "muted"),
}


class Figures(NamedTuple):
    """Of one time, tenant and promise. `by_priority`: compliance of each, `times`: how long each took."""

    span: Span
    target: SlaTarget
    whole: Answer
    by_priority: Mapping[Priority, Answer]
    times: Answer


async def fetch(client: Any, span: Span, tenant: str | None, target: SlaTarget) -> Figures:
    """Raises Problem and Unreachable."""
    query: dict[str, object] = {"days": span.days, "period": str(span.period), "target": str(target)}
    if tenant is not None:
        query["tenant"] = tenant
    whole, times, *each = await asyncio.gather(
        client.call(sla.COMPLIANCE, query=query),
        client.call(sla.RESOLUTION_TIME, query=query),
        *(client.call(sla.COMPLIANCE, query={**query, "priority": str(priority)}) for priority in Priority),
    )
    return Figures(span, target, whole, dict(zip(Priority, each, strict=True)), times)


def broken_query(span: Span, now: int, tenant: str | None, target: SlaTarget) -> dict[str, object]:
    """What names the breaches that the figures of a span count: from the beginning of its first period on."""
    start = start_of(span.period, now - (span.days - 1) * DAY)
    days = (now - start) // DAY + 1
    query: dict[str, object] = {"days": days, "end": iso(start + days * DAY), "target": str(target)}
    return query if tenant is None else {**query, "tenant": tenant}


def plots(figures: Figures) -> list[Plot]:
    span = figures.span
    periods = figures.whole["periods"]
    times, step = [moment(each["start"]) or 0 for each in periods], _STEPS[span.period]
    share = figures.whole["percent"]
    compliance = Series(
        "kept", "completed", "badge-completed", _of(periods, "percent"), per_cent(share) if share is not None else ""
    )
    breaches = Series("broken", "failed", "badge-failed", _counts(periods), count(figures.whole["breached"]))
    each = f"each {span.period}, UTC"
    what = "time to resolve" if figures.target is SlaTarget.RESOLUTION else "time to respond"
    return [
        Plot("promises kept", per_cent, times, step, (compliance,), each, _NO_VERDICT, 100.0, UTC),
        Plot("breaches", _whole, times, step, (breaches,), each, "no promise was broken in this time", None, UTC),
        Plot(what, milliseconds, times, step, _by_priority(figures), "", "nothing ended in this time", None, UTC),
    ]


def _by_priority(figures: Figures) -> list[Series]:
    """Of priorities of which something ended."""
    medians = {each["priority"]: each["median_minutes"] for each in figures.times["priorities"]}
    found = []
    for priority, answer in figures.by_priority.items():
        if medians.get(priority) is None:
            continue
        sign, style = _SIGNS[priority]
        values = [None if value is None else value * MINUTE for value in _of(answer["periods"], "median_minutes")]
        found.append(Series(str(priority), sign, style, values, milliseconds(medians[priority] * MINUTE)))
    return found


def _of(periods: Sequence[Answer], name: str) -> list[float | None]:
    return [each[name] for each in periods]


def _counts(periods: Sequence[Answer]) -> list[float | None]:
    """Nothing where nothing was broken at all: a line along the axis says less than a sentence."""
    found: list[float | None] = [float(each["breached"]) for each in periods]
    return found if any(found) else []


def _whole(number: float) -> str:
    return count(round(number)) if number < 10_000 else f"{number / 1000:.0f}k"
