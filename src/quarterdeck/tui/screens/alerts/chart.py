"""The value of an alert against its threshold, over the time it was looked at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import AlertState
from quarterdeck.tui.format import moment, per_cent
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.chart_data import Plot, Series, short
from quarterdeck.tui.widgets.chart_lines import chart_lines
from quarterdeck.tui.widgets.chart_spark import spark

Row = Mapping[str, Any]
_STEPS = 60
_TALL, _LINES = 20, 9  # lines of a pane that has room for a chart, and of the chart
_SPARK = 30  # cells


def value_lines(
    alert: Row, values: Sequence[Row], unit: str, now: int, cells: int, high: int, glyphs: Glyphs
) -> list[Line]:
    """A chart in a pane of `high` lines and more than `_TALL`; else a line of bars. Nothing without two moments."""
    known = [(at, float(each["value"])) for each in values if (at := moment(each["at"])) is not None]
    if not known:
        return []
    end = now if alert["state"] != AlertState.RESOLVED else max(moment(alert["resolved_at"]) or now, known[-1][0])
    times, series = _steps(known, max(end, known[0][0] + MINUTE))
    limit = alert["threshold"]
    if high < _TALL:
        bars = spark(series, min(_SPARK, max(cells - 40, 8)), ascii=glyphs.ascii).lstrip()
        said = f"  from {_said(known[0][1], unit)} to {_said(known[-1][1], unit)}"
        return [[(bars, "error"), (said + (f", limit {_said(limit, unit)}" if limit is not None else ""), "muted")]]
    lines = [Series("value", "failed", "error", series, _said(known[-1][1], unit))]
    if limit is not None:
        lines.append(Series("limit", "attention", "warning", [limit] * len(times), _said(limit, unit)))
    axis: Callable[[float], str] = per_cent if unit == "percent" else short
    return chart_lines(Plot("", axis, times, times[1] - times[0], lines), cells, _LINES, glyphs)


def _steps(known: Sequence[tuple[int, float]], end: int) -> tuple[list[int], list[float]]:
    """Evenly spaced: a value holds until there is another one."""
    start = known[0][0]
    step = max((end - start) // _STEPS, 1)
    times = list(range(start, end + 1, step))
    moments = [at for at, _ in known]
    return times, [known[bisect_right(moments, at) - 1][1] for at in times]


def _said(value: float, unit: str) -> str:
    return per_cent(value) if unit == "percent" else short(value)
