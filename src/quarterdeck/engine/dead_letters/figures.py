"""How many there are, how they grow, and what they have in common. Counts are read from tallies."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, now_ms, to_datetime
from quarterdeck.contract.enums import DeadLetterStatus, ErrorClass
from quarterdeck.contract.models.dead_letters import (
    DeadLetterCount,
    DeadLetterGrowth,
    DeadLetterStats,
    ErrorGroup,
    ErrorGroups,
    StatsQuery,
)
from quarterdeck.contract.models.overview import DeadLettersNow
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.tables import dead_letter_groups, dead_letters
from quarterdeck.engine.listing import access, paging
from quarterdeck.engine.listing.counting import count, tallied
from quarterdeck.engine.listing.matching import clauses, read_filter
from quarterdeck.engine.listing.slices import slices
from quarterdeck.engine.series.tables import dead_letter_minutes, dead_letter_tallies

_MOST_GROUPS = 200
_MOST_HEADINGS = 100
_PERIODS = {"hour": (MINUTE, 60), "day": (HOUR, 24), "month": (DAY, 30)}


async def stats(engine: Engine, principal: Principal, query: StatsQuery) -> DeadLetterStats:
    step, number = _PERIODS[query.period]
    async with engine.store.read() as connection:
        by_tenant, by_type, by_queue = await _by_heading(connection, principal)
        now = now_ms()
        first = now - now % step - (number - 1) * step
        growth = await _growth(connection, principal, first, step)
        soon = select(func.count()).where(
            dead_letters.c.expires_at < now + DAY, *_mine(dead_letters.c.tenant_id, principal)
        )
        expiring = (await connection.execute(soon)).scalar_one()
    return DeadLetterStats(
        totals=_count("", sum(map(Counter, by_queue.values()), Counter())),
        by_tenant=_headings(by_tenant),
        by_type=_headings(by_type),
        by_queue=_headings(by_queue),
        growth=[
            DeadLetterGrowth(at=to_datetime(at), **growth.get(at, {"added": 0, "resolved": 0, "expired": 0}))
            for at in range(first, first + number * step, step)
        ],
        expiring=expiring,
    )


async def lately(engine: Engine, principal: Principal) -> DeadLettersNow:
    """How many are pending, and by how many there are more, hour by hour until now."""
    waiting = await count(engine.store, principal, DEAD_LETTERS, f"status:{DeadLetterStatus.PENDING}")
    now = now_ms()
    first = now - now % MINUTE + MINUTE - DAY
    async with engine.store.read() as connection:
        growth = await _growth(connection, principal, first, HOUR)
    found = (growth.get(at) for at in range(first, first + DAY, HOUR))
    hours = [each["added"] - each["resolved"] - each["expired"] if each else 0 for each in found]
    return DeadLettersNow(pending=waiting.count, hour=hours[-1], day=sum(hours), hours=hours)


def _mine(column: ColumnElement[Any], principal: Principal) -> list[ColumnElement[bool]]:
    return [] if principal.tenants is None else [column.in_(sorted(principal.tenants))]


async def _growth(
    connection: AsyncConnection, principal: Principal, first: int, step: int
) -> dict[int, dict[str, int]]:
    """By when each step begins, of which `first` is the first."""
    minutes = dead_letter_minutes.c
    at = (minutes.minute - (minutes.minute - first) % step).label("at")
    names = ("added", "resolved", "expired")
    query = (
        select(at, *(func.sum(minutes[name]).label(name) for name in names))
        .where(minutes.minute >= first, *_mine(minutes.tenant_id, principal))
        .group_by(at)
    )
    return {int(row.at): {name: int(getattr(row, name)) for name in names} for row in await connection.execute(query)}


async def _by_heading(
    connection: AsyncConnection, principal: Principal
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """How many there are of each tenant, type and queue, by state; in one reading, in the order of an index."""
    counts = dead_letter_tallies.c
    headings = (counts.tenant_id, counts.event_type, counts.queue, counts.status)
    query = (
        select(*headings, func.sum(counts.difference)).where(*_mine(counts.tenant_id, principal)).group_by(*headings)
    )
    tenants: defaultdict[str, dict[str, int]] = defaultdict(dict)
    types: defaultdict[str, dict[str, int]] = defaultdict(dict)
    queues: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for tenant, event_type, queue, status, number in await connection.execute(query):
        if number:
            for found in (tenants[tenant], types[event_type], queues[queue]):
                found[status] = found.get(status, 0) + int(number)
    return tenants, types, queues


def _headings(found: dict[str, dict[str, int]]) -> list[DeadLetterCount]:
    """Most pending first."""
    made = [_count(name, numbers) for name, numbers in found.items() if any(numbers.values())]
    return sorted(made, key=lambda each: (-each.pending, each.name))[:_MOST_HEADINGS]


def _count(name: str, numbers: Mapping[str, int]) -> DeadLetterCount:
    return DeadLetterCount(name=name, **{str(each): numbers.get(str(each), 0) for each in DeadLetterStatus})


# ----- groups


async def groups(engine: Engine, principal: Principal, filter_text: str) -> ErrorGroups:
    """From tallies where the filter asks for nothing that they do not hold, else from the dead letters."""
    filter_ = read_filter(filter_text, DEAD_LETTERS.resource, principal)
    dialect = engine.store.dialect
    async with engine.store.read() as connection:
        where = tallied(DEAD_LETTERS, clauses(DEAD_LETTERS, filter_, principal, dialect))
        searched = 1.0
        if where is not None:
            counted = await _from_tallies(connection, where)
        else:
            way = await access.for_page(connection, dialect, DEAD_LETTERS, filter_, principal, "created")
            counted, searched = await _from_rows(connection, way)
        first = sorted(counted, key=lambda name: (-counted[name][0], name))[:_MOST_GROUPS]
        query = select(dead_letter_groups).where(dead_letter_groups.c.group_id.in_(first))
        known = {row.group_id: row for row in await connection.execute(query)}
    items = []
    for name in first:
        row, (number, pending, oldest, newest) = known.get(name), counted[name]
        if row is not None:
            items.append(
                ErrorGroup(
                    group=name,
                    queue=row.queue,
                    error_code=row.error_code,
                    error_class=ErrorClass(row.error_class),
                    message=row.message,
                    count=number,
                    pending=pending,
                    first_at=to_datetime(row.first_at if oldest is None else oldest),
                    last_at=to_datetime(row.last_at if newest is None else newest),
                )
            )
    return ErrorGroups(items=items, more=len(counted) - len(items), searched=searched)


# count, pending, oldest and newest (ms; None: as the group says)
_Counted = dict[str, tuple[int, int, int | None, int | None]]


async def _from_tallies(connection: AsyncConnection, where: list[ColumnElement[bool]]) -> _Counted:
    counts = dead_letter_tallies.c
    pending = func.sum(case((counts.status == str(DeadLetterStatus.PENDING), counts.difference), else_=0))
    query = (
        select(counts.group_id, func.sum(counts.difference).label("number"), pending.label("pending"))
        .where(*where)
        .group_by(counts.group_id)
    )
    found = (await connection.execute(query)).all()
    return {row.group_id: (int(row.number), int(row.pending), None, None) for row in found if row.number > 0}


async def _from_rows(connection: AsyncConnection, way: access.Access) -> tuple[_Counted, float]:
    columns = dead_letters.c
    is_pending = case((columns.status == str(DeadLetterStatus.PENDING), 1), else_=0)
    query = select(
        columns.group_id,
        func.count().label("number"),
        func.sum(is_pending).label("pending"),
        func.min(columns.created_at).label("oldest"),
        func.max(columns.created_at).label("newest"),
    ).group_by(columns.group_id)
    counted: _Counted = {}
    if way.sorts:
        spans: Any = [None]
    else:
        spans = await slices(connection, DEAD_LETTERS, descending=True, span=way.span)
    until = time.monotonic() + paging.BUDGET
    conditions = way.where if not way.streams else [*way.where, or_(*way.streams)]
    for span in spans:
        here = [] if span is None else [columns.id.between(*span)]
        for row in await connection.execute(query.where(*conditions, *here)):
            number, pending, oldest, newest = counted.get(row.group_id, (0, 0, None, None))
            counted[row.group_id] = (
                number + row.number,
                pending + int(row.pending),
                min(row.oldest, row.oldest if oldest is None else oldest),
                max(row.newest, row.newest if newest is None else newest),
            )
        if span is not None and time.monotonic() > until:
            return counted, spans.searched
    return counted, 1.0
