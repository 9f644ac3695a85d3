"""Throughput, latency and errors over time, for the tenants that a principal sees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from quarterdeck.contract.clock import SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import Window
from quarterdeck.contract.models.workers import (
    ErrorCount,
    ErrorPoint,
    Errors,
    Latency,
    LatencyPoint,
    SeriesQuery,
    Throughput,
    ThroughputPoint,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series.histogram import percentile
from quarterdeck.engine.series.reading import Scope, began, oldest_waiting, sums, tallies
from quarterdeck.engine.series.recording import TOOK, WAITED
from quarterdeck.engine.series.tables import run_counts, run_errors, run_latencies

# Seconds a step, and how many of them; the last one is not over.
_STEPS = {Window.FIVE_MINUTES: (60, 5), Window.HOUR: (60, 60), Window.DAY: (900, 96)}
_TOP = 20  # errors named


@dataclass(frozen=True, slots=True)
class _Span:
    """What a chart covers: `times` are when its steps begin, in ms."""

    now: int
    step: int
    times: list[int]

    @classmethod
    def of(cls, window: Window) -> _Span:
        step, number = _STEPS[window]
        now = now_ms()
        first = began(now, step, number)
        return cls(now, step, [first + each * step * SECOND for each in range(number)])

    @property
    def seconds(self) -> float:
        return max(1.0, (self.now - self.times[0]) / SECOND)


def _scope(principal: Principal, query: SeriesQuery) -> Scope:
    return Scope.of(principal, queue=query.queue, kind=query.kind, tenant=query.tenant)


async def throughput(engine: Engine, principal: Principal, query: SeriesQuery) -> Throughput:
    span, scope = _Span.of(query.window), _scope(principal, query)
    what = ("enqueued", "completed", "failed", "dead")
    async with engine.store.read() as connection:
        rows = await sums(connection, scope, run_counts, ("at",), what, span.step, span.times[0])
        counts = await tallies(connection, scope)
        queues = [queue for queue in counts if counts[queue].get("waiting", 0) > 0]
        oldest = await oldest_waiting(connection, engine.store.dialect, scope, queues) if queues else {}
    found = {row.at: row for row in rows}
    points = []
    for at in span.times:
        row = found.get(at)
        numbers = {name: getattr(row, name) if row is not None else 0 for name in what}
        points.append(ThroughputPoint(at=to_datetime(at), **numbers))
    return Throughput(
        window=query.window,
        step_seconds=span.step,
        points=points,
        per_second=round(sum(point.completed for point in points) / span.seconds, 3),
        lag_seconds=max(0.0, (span.now - min(oldest.values())) / SECOND) if oldest else None,
    )


async def latency(engine: Engine, principal: Principal, query: SeriesQuery) -> Latency:
    span, scope = _Span.of(query.window), _scope(principal, query)
    by = ("at", "measure", "bucket")
    async with engine.store.read() as connection:
        rows = await sums(connection, scope, run_latencies, by, ("number",), span.step, span.times[0])
    took: dict[int, Counter[int]] = {at: Counter() for at in span.times}
    overall: dict[int, Counter[int]] = {TOOK: Counter(), WAITED: Counter()}
    for at, measure, bucket, number in rows:  # thousands
        overall[measure][bucket] += number
        if measure == TOOK and at in took:
            took[at][bucket] += number
    points = [
        LatencyPoint(at=to_datetime(at), p50=_ms(found, 50), p95=_ms(found, 95), p99=_ms(found, 99))
        for at, found in took.items()
    ]
    return Latency(
        window=query.window,
        step_seconds=span.step,
        points=points,
        p50=_ms(overall[TOOK], 50),
        p95=_ms(overall[TOOK], 95),
        p99=_ms(overall[TOOK], 99),
        wait_p50=_ms(overall[WAITED], 50),
        wait_p95=_ms(overall[WAITED], 95),
        wait_p99=_ms(overall[WAITED], 99),
    )


async def errors(engine: Engine, principal: Principal, query: SeriesQuery) -> Errors:
    span, scope = _Span.of(query.window), _scope(principal, query)
    by = ("queue", "error_class", "error_code")
    async with engine.store.read() as connection:
        rows = await sums(connection, scope, run_counts, ("at",), ("completed", "failed"), span.step, span.times[0])
        named = await sums(connection, scope, run_errors, by, ("number",), span.step, span.times[0])
    found = {row.at: (row.completed, row.failed) for row in rows}
    completed, failed = (sum(each[index] for each in found.values()) for index in (0, 1))
    top = sorted(named, key=lambda row: (-row.number, row.queue, row.error_class, row.error_code))[:_TOP]
    return Errors(
        window=query.window,
        step_seconds=span.step,
        points=[ErrorPoint(at=to_datetime(at), percent=_percent(*found.get(at, (0, 0)))) for at in span.times],
        percent=_percent(completed, failed),
        top=[
            ErrorCount(queue=row.queue, error_class=row.error_class, error_code=row.error_code, count=row.number)
            for row in top
        ],
    )


def _ms(numbers: Counter[int], percent: int) -> float | None:
    found = percentile(numbers, percent)
    return None if found is None else round(found, 2)


def _percent(completed: int, failed: int) -> float | None:
    ended = completed + failed
    return round(100 * failed / ended, 2) if ended else None
