"""Keeps what is counted small: differences are summed up, old buckets of time are dropped."""

from __future__ import annotations

from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select

from quarterdeck.contract.clock import DAY, HOUR, now_ms
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series.tables import (
    STEPS,
    dead_letter_minutes,
    dead_letter_tallies,
    run_counts,
    run_errors,
    run_latencies,
    run_tallies,
)
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

# Fewer differences than this are added up by whoever reads them.
WORTHWHILE = 500
_TENANTS_AT_ONCE = 100
# Growth of an hour is drawn by minutes, of a day by hours, of a month by days: what is older than this is kept by that.
COARSER = ((2 * HOUR, HOUR), (2 * DAY, DAY))
# Charts of an hour read minutes, charts of a day quarters; the rest is for whoever asks later.
KEPT = dict(zip(STEPS, (26 * HOUR, 90 * DAY), strict=True))


class Summed:
    """Of each table of differences: its newest id and its rows when it was last looked at."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[int, int]] = {}


async def sum_up(engine: Engine) -> None:
    """One row for each combination, as soon as most rows are differences. As long as little comes, nothing is read."""
    seen = engine.keep(Summed, Summed).seen
    for table in (run_tallies, dead_letter_tallies):
        newest_id = select(func.coalesce(func.max(table.c.id), 0))
        async with engine.store.read() as connection:
            newest = (await connection.execute(newest_id)).scalar_one()
            before, rows = seen.get(table.name, (0, 0))
            if newest - before <= max(WORTHWHILE, rows):
                continue
            every = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            needed = select(func.count()).select_from(select(*_heading(table)).distinct().subquery())
            if every - WORTHWHILE <= 2 * (await connection.execute(needed)).scalar_one():
                seen[table.name] = (newest, every)
                continue
        async with engine.store.write() as transaction:
            kept = await _sum_up(transaction, engine.store.dialect, table)
            seen[table.name] = ((await transaction.connection.execute(newest_id)).scalar_one(), kept)


def _heading(table: Table) -> list[ColumnElement[Any]]:
    return [column for column in table.c if column.name not in ("id", "difference")]


async def _sum_up(transaction: Transaction, dialect: Dialect, table: Table) -> int:
    """How many rows are left."""
    connection = transaction.connection
    names = [column.name for column in _heading(table)]
    if dialect.skips_locked:
        # What others add meanwhile is not seen here and not taken away; who sums up at the same time finds nothing.
        gone = delete(table).returning(*(table.c[name] for name in (*names, "difference"))).cte("gone")
        total = func.sum(gone.c.difference)
        keys = [gone.c[name] for name in names]
        sums = select(*keys, total).group_by(*keys).having(total != 0)
        made = await connection.execute(table.insert().from_select([*names, "difference"], sums).add_cte(gone))
        return int(made.rowcount)
    last = (await connection.execute(select(func.max(table.c.id)))).scalar()
    if last is None:
        return 0
    total = func.sum(table.c.difference)
    sums = select(*_heading(table), total).group_by(*_heading(table)).having(total != 0)
    made = await connection.execute(table.insert().from_select([*names, "difference"], sums))
    await connection.execute(delete(table).where(table.c.id <= last))
    return int(made.rowcount)


async def drop_old(engine: Engine) -> None:
    """Each tenant is a stretch of the key, so that what is old is found without reading the rest."""
    now = now_ms()
    for table in (run_counts, run_latencies, run_errors):
        tenants = await _tenants(engine, table)
        for first in range(0, len(tenants), _TENANTS_AT_ONCE):
            async with engine.store.write() as transaction:
                several = tenants[first : first + _TENANTS_AT_ONCE]
                for tenant, (step, kept), whole in product(several, KEPT.items(), (0, 1)):
                    place = (table.c.tenant_id == tenant, table.c.step == step, table.c.whole == whole)
                    await transaction.connection.execute(delete(table).where(*place, table.c.at < now - kept))
    async with engine.store.write() as transaction:
        aged_letters = dead_letter_minutes.c.minute < now - KEPT[STEPS[-1]]
        await transaction.connection.execute(delete(dead_letter_minutes).where(aged_letters))
        for age, step in COARSER:
            await _coarsen(transaction, engine.store.dialect, (now - age) // step * step, step)


async def _coarsen(transaction: Transaction, dialect: Dialect, until: int, step: int) -> None:
    """Minutes of dead letters before `until` (ms) are added to the first of their `step` (ms)."""
    minutes, key = dead_letter_minutes.c, ("minute", "tenant_id")
    numbers = [column.name for column in minutes if column.name not in key]
    finer = (minutes.minute < until, minutes.minute % step != 0)
    # Where others write at the same time, what is added up is what was taken away.
    gone = delete(dead_letter_minutes).where(*finer).returning(*minutes).cte("gone") if dialect.nests_writes else None
    source = minutes if gone is None else gone.c
    first = (source.minute - source.minute % step).label("first")
    sums = select(first, source.tenant_id, *(func.sum(source[name]) for name in numbers)).group_by(
        first, source.tenant_id
    )
    new = dialect.insert(dead_letter_minutes).from_select(
        [*key, *numbers], sums if gone is not None else sums.where(*finer)
    )
    added = {name: minutes[name] + new.excluded[name] for name in numbers}
    adding = new.on_conflict_do_update(index_elements=list(key), set_=added)
    if gone is not None:
        await transaction.connection.execute(adding.add_cte(gone))
    else:
        await transaction.connection.execute(adding)
        await transaction.connection.execute(delete(dead_letter_minutes).where(*finer))


async def _tenants(engine: Engine, table: Table) -> list[str]:
    """Each found by stepping to the next in the key."""
    found: list[str] = []
    async with engine.store.read() as connection:
        while True:
            following = select(table.c.tenant_id).order_by(table.c.tenant_id).limit(1)
            if found:
                following = following.where(table.c.tenant_id > found[-1])
            name = (await connection.execute(following)).scalar()
            if name is None:
                return found
            found.append(name)
