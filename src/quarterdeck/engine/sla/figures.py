"""How promises were kept: shares and medians over time, read from the clocks that came to a verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, Integer, Subquery, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, MINUTE, now_ms, to_datetime, to_ms
from quarterdeck.contract.enums import ClockState, Period, Priority
from quarterdeck.contract.models.overview import Verdicts
from quarterdeck.contract.models.sla import ByPriority, Compliance, FigureQuery, PeriodFigure, ResolutionTime
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.sla.scope import narrowed
from quarterdeck.engine.sla.tables import sla_breaches, sla_clocks

_C = sla_clocks.c
Bounds = Sequence[tuple[int, int]]  # [from, until) of each time, ms


async def compliance(engine: Engine, principal: Principal, query: FigureQuery) -> Compliance:
    """Kept counts where it ended, broken where it was due; one that may still be either counts nowhere."""
    start, end = _span(query)
    bounds = period_bounds(start, end, query.period)
    async with engine.store.read() as connection:
        parts = await _by_period(engine, connection, principal, query, bounds)
    met, breached = sum(each.met for each in parts), sum(each.breached for each in parts)
    return Compliance(met=met, breached=breached, percent=_share(met, breached), periods=parts)


async def days_kept(engine: Engine, principal: Principal, days: int) -> tuple[Verdicts, list[Verdicts]]:
    """How resolutions were kept in the last 24 hours, and in each of the last so many days, the last one today."""
    now = now_ms()
    bounds = [(now - DAY, now), *period_bounds(first_of(days, now), now, Period.DAY)]
    async with engine.store.read() as connection:
        lately, *each = await _verdicts(engine, connection, principal, FigureQuery(), bounds)
    return judged(*lately), [judged(*one) for one in each]


def judged(met: int, breached: int) -> Verdicts:
    return Verdicts(met=met, breached=breached, percent=_share(met, breached))


async def resolution_time(engine: Engine, principal: Principal, query: FigureQuery) -> ResolutionTime:
    start, end = _span(query)
    ended = _ended(principal, query, _C.ended_at >= start, _C.ended_at < end)
    async with engine.store.read() as connection:
        whole = await _quantiles(connection, ended, None)
        each = await _quantiles(connection, ended, _C.priority)
    count, median, _ = whole.get(None, (0, None, None))
    return ResolutionTime(
        ended=count,
        median_minutes=median,
        priorities=[
            ByPriority(priority=Priority.of_rank(rank or 0), ended=number, median_minutes=half, p95_minutes=most)
            for rank, (number, half, most) in sorted(each.items(), key=lambda pair: pair[0] or 0)
        ],
    )


def period_bounds(start: int, end: int, period: Period) -> list[tuple[int, int]]:
    """[from, until) of each whole or begun period, in UTC; the first begins with the period `start` lies in."""
    day = to_datetime(start).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.WEEK:
        day -= timedelta(days=day.weekday())
    elif period is Period.MONTH:
        day = day.replace(day=1)
    bounds = []
    while to_ms(day) < end:
        following = _after(day, period)
        bounds.append((to_ms(day), to_ms(following)))
        day = following
    return bounds


def _after(day: datetime, period: Period) -> datetime:
    if period is Period.MONTH:
        return datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return day + timedelta(days=7 if period is Period.WEEK else 1)


def _span(query: FigureQuery) -> tuple[int, int]:
    end = now_ms() if query.end is None else to_ms(query.end)
    return first_of(query.days, end), end


def first_of(days: int, end: int) -> int:
    """Where the first of so many days in UTC begins, the last of which `end` ends, or lies in."""
    last = end - 1
    return last - last % DAY - (days - 1) * DAY


def _ended(principal: Principal, query: FigureQuery, *times: ColumnElement[bool]) -> ColumnElement[bool]:
    """Promises that came to their end by being fulfilled, in time or late."""
    fulfilled = _C.state.in_((str(ClockState.MET), str(ClockState.BREACHED)))
    return and_(*narrowed(principal, query), _C.ended_at.is_not(None), fulfilled, _C.total.is_not(None), *times)


async def _by_period(
    engine: Engine, connection: AsyncConnection, principal: Principal, query: FigureQuery, bounds: Bounds
) -> list[PeriodFigure]:
    spans, values = _spans(engine, bounds)
    verdicts = await _verdicts(engine, connection, principal, query, bounds)
    fulfilled = _ended(principal, query, *_within(_C.ended_at, spans))
    medians = await _quantiles(connection, fulfilled, spans.c.number, values)
    return [
        PeriodFigure(
            start=to_datetime(begins),
            met=met,
            breached=breached,
            percent=_share(met, breached),
            median_minutes=medians.get(number, (0, None, None))[1],
        )
        for number, ((begins, _), (met, breached)) in enumerate(zip(bounds, verdicts, strict=True))
    ]


async def _verdicts(
    engine: Engine, connection: AsyncConnection, principal: Principal, query: FigureQuery, bounds: Bounds
) -> list[tuple[int, int]]:
    """(met, breached) of each time."""
    spans, values = _spans(engine, bounds)

    async def counted(*conditions: ColumnElement[bool]) -> dict[int, int]:
        number = spans.c.number
        query = select(number, func.count().label("found")).where(*conditions).group_by(number)
        return {row.number: row.found for row in await connection.execute(query, values)}

    met = _C.state == str(ClockState.MET)
    kept = await counted(_ended(principal, query, *_within(_C.ended_at, spans)), met)
    of_a_time = _within(sla_breaches.c.breached_at, spans)
    broken = await counted(*narrowed(principal, query, sla_breaches), *of_a_time)
    return [(kept.get(number, 0), broken.get(number, 0)) for number in range(len(bounds))]


def _spans(engine: Engine, bounds: Bounds) -> tuple[Subquery, dict[str, str]]:
    """Times as a table, and the value that it is bound to."""
    columns = {"number": Integer(), "begins": BigInteger(), "ends": BigInteger()}
    values = {"the_spans": json.dumps([[number, *each] for number, each in enumerate(bounds)])}
    return engine.store.dialect.listed("the_spans", columns), values


def _within(moment: ColumnElement[int], spans: Subquery) -> tuple[ColumnElement[bool], ...]:
    return moment >= spans.c.begins, moment < spans.c.ends


Quantiles = tuple[int, float | None, float | None]


async def _quantiles(
    connection: AsyncConnection, where: ColumnElement[bool], group: ColumnElement[int] | None, values: Any = None
) -> dict[int | None, Quantiles]:
    """(count, median, 95th percentile) of the minutes used, by group. The median of an even number is between two."""
    part = () if group is None else (group,)
    ranked = (
        select(
            *(each.label("part") for each in part),
            _C.used,
            func.row_number().over(partition_by=part or None, order_by=_C.used).label("place"),
            func.count().over(partition_by=part or None).label("number"),
        )
        .where(where)
        .subquery()
    )
    number, place = ranked.c.number, ranked.c.place
    middle = place.in_(((number + 1) // 2, (number + 2) // 2))
    query = select(
        *((ranked.c.part,) if part else ()),
        func.max(number).label("number"),
        cast(func.avg(case((middle, ranked.c.used))), Float).label("median"),
        func.max(case((place == (number * 95 + 99) // 100, ranked.c.used))).label("most"),
    )
    if part:
        query = query.group_by(ranked.c.part)
    return {
        row.part if part else None: (row.number, _minutes(row.median), _minutes(row.most))
        for row in await connection.execute(query, values or {})
        if row.number
    }


def _minutes(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / MINUTE


def _share(met: int, breached: int) -> float | None:
    return round(100 * met / (met + breached), 2) if met + breached else None
