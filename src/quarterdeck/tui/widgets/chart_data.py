"""What a chart shows: series over time, and the words for their values. Times are milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import NamedTuple

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND

Unit = Callable[[float], str]  # a value in at most six cells
Value = float | None


class Series(NamedTuple):
    """One line. `sign` names one of the Glyphs, so that lines are told apart without colour; `style` is a token.

    `values` has one for each time of the plot; None where there is none. `figure` stands in the legend.
    """

    name: str
    sign: str
    style: str
    values: Sequence[Value]
    figure: str = ""


class Plot(NamedTuple):
    """Lines on one pair of axes; what matters most comes first and is drawn on top.

    `times`: where each step begins, evenly spaced; `step` is its length. `empty`: what to say where there is
    nothing to draw. `most`: the axis never goes further up than this. `zone`: of the times under it, None for the
    local one.
    """

    title: str
    unit: Unit
    times: Sequence[int]
    step: int
    series: Sequence[Series]
    note: str = ""
    empty: str = "nothing happened in this time"
    most: float | None = None
    zone: tzinfo | None = None


def short(number: float) -> str:
    """`0.4`, `87`, `9,999`, `12.3k`, `4M`: at most five cells up to a billion."""
    if 0 < abs(number) < 1:
        return f"{number:.2g}" if abs(number) >= 0.01 else "0.01"
    if abs(number) < 10 and number != int(number):
        return f"{number:.1f}"
    if round(number) < 10_000:
        return f"{round(number):,}"
    for size, sign in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        scaled = number / size
        if scaled < 999.5 or sign == "G":
            return f"{scaled:.1f}".removesuffix(".0") + sign if scaled < 99.95 else f"{scaled:.0f}{sign}"
    raise AssertionError("unreachable")


def milliseconds(value: float) -> str:
    """`12 ms`, `1.5 s`, `3 m`, `2 h`."""
    if not value:
        return "0"
    if value < SECOND:
        return f"{value:.0f} ms" if value >= 10 or value == int(value) else f"{value:.1f} ms"
    for size, word in ((MINUTE, "s"), (HOUR, "m")):
        if value < size:
            scaled = value / (SECOND if word == "s" else MINUTE)
            return f"{scaled:.1f} {word}" if scaled < 10 and scaled != int(scaled) else f"{scaled:.0f} {word}"
    return f"{value / HOUR:.0f} h"
