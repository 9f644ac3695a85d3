"""What a rule reads: the figures that exist, as one value for each thing it makes an alert for.

Every figure is read as of a moment, so that a rule can be tried on what has been. A thing without a value (too few
attempts, no baseline) is left out: then its condition does not hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, cast, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, MINUTE, SECOND, now_ms
from quarterdeck.contract.enums import AlertType, AlertUnit, ClockState, Condition, Dimension, Priority, RunStatus
from quarterdeck.engine.alerts.rules import Rule
from quarterdeck.engine.bulk.tables import bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import known_queues
from quarterdeck.engine.series.reading import Scope, oldest_waiting, tallies
from quarterdeck.engine.series.tables import EVERYONE, LONG, SHORT, dead_letter_minutes, run_counts
from quarterdeck.engine.sla.tables import BROKEN, RUNNING, sla_breaches, sla_clocks
from quarterdeck.engine.workers.judging import rules_of, standing_of
from quarterdeck.engine.workers.tables import workers

_B, _C, _R, _D = sla_breaches.c, sla_clocks.c, run_counts.c, dead_letter_minutes.c


_COUNTED_LATE = 5 * SECOND  # what was done in the last seconds may not be counted yet


@dataclass(frozen=True, slots=True)
class Sample:
    """`series` tells the things of one rule apart: the values of its dimensions, in their order."""

    series: tuple[str, ...]
    value: float


Read = Callable[[AsyncConnection, Engine, Rule, int], Awaitable[Iterable[Sample]]]


async def read(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> list[Sample]:
    return list(await READS[rule.type](connection, engine, rule, now))


def labels_of(rule: Rule, series: Sequence[str]) -> dict[str, str]:
    return {**rule.labels, **dict(zip(rule.dimensions, series, strict=True))}


def tenant_of(rule: Rule, series: Sequence[str]) -> str | None:
    if Dimension.TENANT in rule.settings.by:
        return series[rule.settings.by.index(Dimension.TENANT)]
    return rule.tenant_id


def _window(rule: Rule, now: int) -> int:
    """Where the window begins that ends with `now`, at a whole minute."""
    return now - now % MINUTE - (rule.settings.window_minutes - 1) * MINUTE


def _tenant(rule: Rule, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    return [] if rule.tenant_id is None else [column == rule.tenant_id]


def _series(rule: Rule, row: Any) -> tuple[str, ...]:
    return tuple(_word(each, getattr(row, f"by_{each}")) for each in rule.settings.by)


def _word(dimension: Dimension, value: Any) -> str:
    return str(Priority.of_rank(value)) if dimension is Dimension.PRIORITY else str(value)


def _by(rule: Rule, columns: Mapping[Dimension, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [columns[each].label(f"by_{each}") for each in rule.settings.by]


# ----- service levels


def _dimensions(columns: Any) -> dict[Dimension, ColumnElement[Any]]:
    return {
        Dimension.RESOURCE: columns.resource,
        Dimension.TENANT: columns.tenant_id,
        Dimension.PRIORITY: columns.priority,
        Dimension.ITEM: columns.item_id,
    }


_CLOCKS, _BREACHES = _dimensions(_C), _dimensions(_B)


async def _broken(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    if rule.unit is AlertUnit.PERCENT:
        return await _broken_share(connection, rule, now)
    # What is not done is few; the past is asked for by its time.
    ended = text(BROKEN) if now > now_ms() - MINUTE else or_(_B.ended_at.is_(None), _B.ended_at > now)
    rows = await _counted(connection, rule, _BREACHES, ended, _B.breached_at <= now)
    return [Sample(series, float(number)) for series, number in rows]


async def _imminent(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    soon = (text(RUNNING), _C.soon_at <= now, _C.due_at >= now)
    return [Sample(series, float(number)) for series, number in await _counted(connection, rule, _CLOCKS, *soon)]


async def _counted(
    connection: AsyncConnection, rule: Rule, columns: Mapping[Dimension, ColumnElement[Any]], *which: Any
) -> list[tuple[tuple[str, ...], int]]:
    """How many there are of each of what the rule makes an alert for."""
    query = select(*_by(rule, columns), func.count().label("number"))
    query = query.where(*which, *_tenant(rule, columns[Dimension.TENANT]))
    rows = (await connection.execute(query.group_by(*(columns[each] for each in rule.settings.by)))).all()
    if rule.settings.by == [Dimension.ITEM]:  # may be very many
        return [((str(row[0]),), 1) for row in rows]
    return [(_series(rule, row), row.number) for row in rows]


async def _broken_share(connection: AsyncConnection, rule: Rule, now: int) -> Iterable[Sample]:
    """Of the promises that came to a verdict in the window."""
    since = _window(rule, now)
    ended = (_C.ended_at >= since, _C.ended_at <= now, _C.state == str(ClockState.MET))
    met = dict(await _counted(connection, rule, _CLOCKS, _C.ended_at.is_not(None), *ended))
    lately = (_B.breached_at >= since, _B.breached_at <= now)
    broken = dict(await _counted(connection, rule, _BREACHES, *lately))
    least = max(1, rule.settings.minimum)
    found = []
    for series in met.keys() | broken.keys():
        bad, number = broken.get(series, 0), met.get(series, 0) + broken.get(series, 0)
        if number >= least:
            found.append(Sample(series, 100 * bad / number))
    return found


def _shares(rule: Rule, rows: Iterable[Any]) -> Iterable[Sample]:
    least = max(1, rule.settings.minimum)
    return [Sample(_series(rule, row), 100 * row.bad / row.number) for row in rows if (row.number or 0) >= least]


# ----- machine work

_RUNS: dict[Dimension, ColumnElement[Any]] = {Dimension.QUEUE: _R.queue, Dimension.TENANT: _R.tenant_id}


def _buckets(rule: Rule, step: int, since: int, until: int) -> list[ColumnElement[bool]]:
    """Counts of the rule's tenant, of each tenant, or of all of them in one."""
    if rule.tenant_id is not None:
        whose = _R.tenant_id == rule.tenant_id
    elif Dimension.TENANT in rule.settings.by:
        whose = _R.tenant_id != EVERYONE
    else:
        whose = _R.tenant_id == EVERYONE
    return [whose, _R.step == step, _R.whole == 0, _R.at >= since, _R.at <= until]


async def _errors(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    bad = func.sum(_R.failed)
    query = (
        select(*_by(rule, _RUNS), bad.label("bad"), (bad + func.sum(_R.completed)).label("number"))
        .where(*_buckets(rule, SHORT, _window(rule, now), now))
        .group_by(*(_RUNS[each] for each in rule.settings.by))
    )
    return _shares(rule, (await connection.execute(query)).all())


async def _going(connection: AsyncConnection) -> list[str]:
    """Names of queues that nobody has paused: those wait because somebody wants it."""
    return [name for name, queue in (await known_queues(connection)).items() if not queue.paused]


async def _throughput(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    """In percent of what a window of the day before it completed on average. The window is of whole minutes; of now
    the minute that is running belongs to it too, and counts for as much of it as has passed."""
    until = now - now % MINUTE
    begins = until - rule.settings.window_minutes * MINUTE
    is_now = now > now_ms() - MINUTE
    passed = now - begins - _COUNTED_LATE if is_now else until - begins

    async def completed(step: int, since: int, until: int) -> dict[tuple[str, ...], float]:
        query = (
            select(*_by(rule, _RUNS), func.sum(_R.completed).label("number"))
            .where(*_buckets(rule, step, since, until))
            .group_by(*(_RUNS[each] for each in rule.settings.by))
        )
        return {_series(rule, row): float(row.number or 0) for row in (await connection.execute(query)).all()}

    quarter = LONG * SECOND
    last = begins - begins % quarter - quarter  # the last whole quarter before the window
    usual = await completed(LONG, last - DAY + quarter, last)
    lately = await completed(SHORT, begins, now if is_now else until - MINUTE)
    if Dimension.QUEUE in rule.settings.by:
        place, going = rule.settings.by.index(Dimension.QUEUE), await _going(connection)
        usual = {series: number for series, number in usual.items() if series[place] in going}
    share = passed / DAY
    return [
        Sample(series, 100 * lately.get(series, 0.0) / (number * share))
        for series, number in usual.items()
        if number * share >= max(1, rule.settings.minimum)
    ]


async def _stuck(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    """How long the oldest run of a queue has waited, or how many wait. Of now only."""
    scope = Scope(None if rule.tenant_id is None else frozenset({rule.tenant_id}))
    counts = await tallies(connection, scope)
    known = await _going(connection)
    waiting = {name: counts.get(name, {}).get(str(RunStatus.WAITING), 0) for name in known}
    if rule.unit is AlertUnit.COUNT:
        found = {name: float(number) for name, number in waiting.items() if number > 0}
    else:
        names = [name for name, number in waiting.items() if number > 0]
        oldest = await oldest_waiting(connection, engine.store.dialect, scope, names) if names else {}
        found = {name: max(0, now - at) / MINUTE for name, at in oldest.items()}
    if rule.settings.by:
        return [Sample((name,), value) for name, value in found.items()]
    together = sum(found.values()) if rule.unit is AlertUnit.COUNT else max(found.values(), default=0.0)
    return [Sample((), together)]


async def _growth(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    """How many more dead letters there are than when the window began."""
    by = {Dimension.TENANT: _D.tenant_id}
    more = func.sum(_D.added) - func.sum(_D.resolved) - func.sum(_D.expired)
    times = (_D.minute >= _window(rule, now), _D.minute <= now)
    query = (
        select(*_by(rule, by), cast(more, Float).label("more"))
        .where(*times, *_tenant(rule, _D.tenant_id))
        .group_by(*(by[each] for each in rule.settings.by))
    )
    share = rule.settings.window_minutes if rule.unit is AlertUnit.PER_MINUTE else 1
    rows = (await connection.execute(query)).all()
    return [Sample(_series(rule, row), row.more / share) for row in rows if row.more is not None]


async def _workers(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    """As they are shown: the row says what checks found, and silence adds to that."""
    rows = (await connection.execute(select(workers).order_by(workers.c.name))).all()
    standing = rules_of(engine)
    names = [row.name for row in rows if standing_of(row, now, standing).condition is Condition.UNHEALTHY]
    if rule.settings.by:
        return [Sample((name,), 1.0) for name in names]
    return [Sample((), float(len(names)))]


async def _bulk(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    """Of operations that are running, or ended in the window."""
    columns = bulk_operations.c
    lately = or_(columns.finished_at.is_(None), columns.finished_at >= _window(rule, now))
    started = (columns.started_at.is_not(None), columns.started_at <= now)
    query = select(columns.id, columns.tenants, columns.succeeded, columns.failed).where(lately, *started)
    rows = (await connection.execute(query)).all()
    if rule.tenant_id is not None:
        rows = [row for row in rows if row.tenants == [rule.tenant_id]]
    each: list[tuple[tuple[str, ...], int, int]] = [
        ((str(row.id),), row.failed, row.succeeded + row.failed) for row in rows
    ]
    if not rule.settings.by:
        each = [((), sum(failed for _, failed, _ in each), sum(number for _, _, number in each))]
    least = max(1, rule.settings.minimum)
    return [Sample(series, 100 * failed / number) for series, failed, number in each if number >= least]


async def _nothing(connection: AsyncConnection, engine: Engine, rule: Rule, now: int) -> Iterable[Sample]:
    return []


READS: dict[AlertType, Read] = {
    AlertType.SLA_BREACH: _broken,
    AlertType.SLA_IMMINENT: _imminent,
    AlertType.DLQ_GROWTH: _growth,
    AlertType.WORKER_UNHEALTHY: _workers,
    AlertType.ERROR_RATE_HIGH: _errors,
    AlertType.THROUGHPUT_LOW: _throughput,
    AlertType.QUEUE_STUCK: _stuck,
    AlertType.BULK_FAILURE_RATE: _bulk,
    AlertType.EXTERNAL: _nothing,
}

# Whose past is known; of the others only the present is.
WITH_A_PAST = (
    AlertType.SLA_BREACH,
    AlertType.DLQ_GROWTH,
    AlertType.ERROR_RATE_HIGH,
    AlertType.THROUGHPUT_LOW,
    AlertType.BULK_FAILURE_RATE,
)
