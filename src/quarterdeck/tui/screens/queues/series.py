"""The charts of machine work: what the engine counted, as plots."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Window
from quarterdeck.contract.operations import workers
from quarterdeck.tui.format import duration, moment, per_cent
from quarterdeck.tui.widgets.chart_data import Plot, Series, Value, milliseconds, short

Answer = Mapping[str, Any]

WINDOWS = tuple(Window)
_SAID = {Window.FIVE_MINUTES: "5 minutes", Window.HOUR: "hour", Window.DAY: "24 hours"}
_ENDED = "no attempt has ended in this time"


async def fetch(client: Any, window: Window, queue: str | None, now: int) -> list[Plot]:
    """Throughput, latency and errors of a queue, or of all. Raises Problem and Unreachable."""
    query = {"window": str(window)} | ({"queue": queue} if queue else {})
    throughput, latency, errors = await asyncio.gather(
        *(client.call(each, query=query) for each in (workers.THROUGHPUT, workers.LATENCY, workers.ERRORS))
    )
    return [throughput_plot(throughput, now), latency_plot(latency), errors_plot(errors)]


def after(window: Window) -> Window:
    """The next one to look at."""
    return WINDOWS[(WINDOWS.index(window) + 1) % len(WINDOWS)]


def said(window: Window) -> str:
    return _SAID[window]


def throughput_plot(answer: Answer, now: int) -> Plot:
    """Runs a minute. The step that is still going on counts for as long as it has lasted."""
    times, step = _times(answer)
    points = answer["points"]
    lasted = [min(max(now - at, 0), step) or step for at in times]
    if lasted and lasted[-1] < step / 3:  # too young to say anything
        times, points, lasted = times[:-1], points[:-1], lasted[:-1]

    def line(key: str, sign: str, style: str) -> Series:
        values = [point[key] * 60 * SECOND / ms for point, ms in zip(points, lasted, strict=True)]
        return Series(key, sign, style, values, short(sum(point[key] for point in answer["points"])))

    rate = answer["per_second"]
    note = f"{short(rate)}/s done" if rate >= 1 or not rate else f"{short(rate * 60)}/min done"
    if answer["lag_seconds"]:
        note += f", oldest waits {duration(int(answer['lag_seconds'] * SECOND))}"
    lines = [
        line("completed", "completed", "badge-completed"),
        line("failed", "failed", "badge-failed"),
        line("enqueued", "waiting", "badge-active"),
    ]
    if not any(point[each] for point in answer["points"] for each in ("completed", "failed", "enqueued")):
        lines = [each._replace(values=()) for each in lines]
    return Plot("throughput /min", short, times, step, lines, note, "no run came or ended in this time")


def latency_plot(answer: Answer) -> Plot:
    times, step = _times(answer)
    lines = [
        Series(key, sign, style, _values(answer, key), _figure(answer[key]))
        for key, sign, style in (("p50", "waiting", "success"), ("p95", "high", "warning"), ("p99", "urgent", "error"))
    ]
    waited = answer["wait_p95"]
    note = "how long attempts took" + (f"; p95 waited {milliseconds(waited)} before" if waited is not None else "")
    return Plot("latency", milliseconds, times, step, lines, note, _ENDED)


def errors_plot(answer: Answer) -> Plot:
    times, step = _times(answer)
    figure = per_cent(answer["percent"]) if answer["percent"] is not None else ""
    line = Series("failed attempts", "failed", "badge-failed", _values(answer, "percent"), figure)
    top = ", ".join(f"{each['count']:,} × {each['error_code']}" for each in answer["top"][:2])
    return Plot("errors", per_cent, times, step, [line], top, _ENDED, 100.0)


def _times(answer: Answer) -> tuple[list[int], int]:
    return [moment(point["at"]) or 0 for point in answer["points"]], int(answer["step_seconds"]) * SECOND


def _values(answer: Answer, key: str) -> Sequence[Value]:
    return [point[key] for point in answer["points"]]


def _figure(value: float | None) -> str:
    return milliseconds(value) if value is not None else ""
