"""How many rows match, and values for completion."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.filters import Filter
from quarterdeck.contract.models.items import Facets, ItemCount
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.listing import access, paging
from quarterdeck.engine.listing.declaration import Clause, Listing, itself
from quarterdeck.engine.listing.matching import clauses, read_filter, visible
from quarterdeck.engine.listing.slices import slices
from quarterdeck.engine.store.dialect import Dialect, plain
from quarterdeck.engine.store.store import Store

_FACET_SAMPLE = 5_000
_FACET_VALUES = 50


async def count(store: Store, principal: Principal, listing: Listing, filter_text: str) -> ItemCount:
    """Exact; where no index and no tally leads there and time is up, what was counted so far and `searched`."""
    filter_ = read_filter(filter_text, listing.resource, principal)
    async with store.read() as connection:
        if listing.slices:
            return await _counted(connection, store.dialect, listing, filter_, principal)
        found = await count_all(connection, store.dialect, listing, filter_, principal)
    return ItemCount(count=found)


async def count_all(
    connection: AsyncConnection, dialect: Dialect, listing: Listing, filter_: Filter, principal: Principal
) -> int:
    """Exact, however long it takes."""
    found = tallied(listing, clauses(listing, filter_, principal, dialect))
    if found is not None:
        return await _sum(connection, listing, found)
    where = await access.for_count(connection, dialect, listing, filter_, principal)
    return (await connection.execute(select(func.count()).select_from(listing.table).where(*where))).scalar_one()


def tallied(listing: Listing, found: Sequence[Clause]) -> list[ColumnElement[bool]] | None:
    """The same conditions on the table of differences, where it can tell all of them."""
    if listing.tallies is None:
        return None
    conditions: list[ColumnElement[bool]] = []
    for clause in found:
        column, words = clause.column or "", clause.words
        if words is not None and column in listing.tallies.c:
            conditions.append(listing.tallies.c[column].in_(words))
        elif words is not None and column in listing.told_by:
            conditions.append(listing.told_by[column](words))
        else:
            return None
    return conditions


async def _sum(connection: AsyncConnection, listing: Listing, where: list[ColumnElement[bool]]) -> int:
    assert listing.tallies is not None
    query = select(func.coalesce(func.sum(listing.tallies.c.difference), 0)).where(*where)
    return max(0, int((await connection.execute(query)).scalar_one()))


async def _counted(
    connection: AsyncConnection, dialect: Dialect, listing: Listing, filter_: Filter, principal: Principal
) -> ItemCount:
    found = clauses(listing, filter_, principal, dialect)
    if tallied(listing, found) is not None or (not dialect.knows_statistics and access.held(listing, found)):
        return ItemCount(count=await count_all(connection, dialect, listing, filter_, principal))
    way = await access.for_page(connection, dialect, listing, filter_, principal, "created")
    query = select(func.count()).select_from(listing.table)
    if way.sorts:
        return ItemCount(count=(await connection.execute(query.where(*way.where))).scalar_one())
    where = way.where if way.sliced else [clause.sql(plain) for clause in found]
    total, until = 0, time.monotonic() + paging.BUDGET
    spans = await slices(connection, listing, descending=True, span=way.span)
    for span in spans:
        total += (await connection.execute(query.where(listing.table.c.id.between(*span), *where))).scalar_one()
        if time.monotonic() >= until:
            break
    return ItemCount(count=total, searched=spans.searched)


async def facets(store: Store, principal: Principal, listing: Listing) -> Facets:
    """Values of the newest rows, most frequent first: enough for completion, and no scan."""
    columns = listing.table.c
    newest = (
        select(*(columns[column] for column in listing.facets.values()))
        .where(*visible(listing, principal), *(clause.sql(itself) for clause in listing.always(Filter())))
        .order_by(*(columns[name].desc() for name in listing.newest))
        .limit(_FACET_SAMPLE)
    )
    async with store.read() as connection:
        found = list((await connection.execute(newest)).all())
    return await asyncio.to_thread(_tally, listing, found)


def _tally(listing: Listing, found: Sequence[Any]) -> Facets:
    values: dict[str, list[str]] = {}
    for number, key in enumerate(listing.facets):
        seen: dict[str, int] = {}
        for row in found:
            value = row[number]
            if value:
                seen[value] = seen.get(value, 0) + 1
        values[key] = sorted(seen, key=lambda each: (-seen[each], each))[:_FACET_VALUES]
    return Facets(values=values)
