"""A page of what a list query asks for."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import select

from quarterdeck.contract.principal import Principal
from quarterdeck.engine.listing import access
from quarterdeck.engine.listing.declaration import Listing
from quarterdeck.engine.listing.matching import read_filter, visible
from quarterdeck.engine.listing.paging import Order, PageOf, page
from quarterdeck.engine.store.store import Store

_MOST_NAMED = 500


class Query(Protocol):
    """What the list queries of all resources have."""

    filter: str
    sort: Any
    cursor: str | None
    direction: Any
    limit: int
    skip: int
    ids: str | None


async def read_page(store: Store, principal: Principal, listing: Listing, query: Query) -> PageOf:
    """Raises Problem(FILTER_INVALID) or Problem(CURSOR_INVALID)."""
    if query.ids is not None:
        return await _named(store, principal, listing, [int(part) for part in query.ids.split(",")][:_MOST_NAMED])
    filter_ = read_filter(query.filter, listing.resource, principal)
    order = Order.read(listing, query.sort)
    async with store.read() as connection:
        way = await access.for_page(connection, store.dialect, listing, filter_, principal, order.key)
        return await page(
            connection,
            listing,
            way,
            order,
            cursor=query.cursor,
            backwards=query.direction == "previous",
            limit=query.limit,
            skip=query.skip,
        )


async def _named(store: Store, principal: Principal, listing: Listing, ids: list[int]) -> PageOf:
    """Rows in the order in which they are named; what is not there is left out."""
    wanted = select(*listing.shown).where(listing.table.c.id.in_(ids), *visible(listing, principal))
    async with store.read() as connection:
        found = {row.id: row for row in await connection.execute(wanted)}
    return PageOf([found[each] for each in ids if each in found], None, None)
