"""Reading items."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.items import EventPage, EventsQuery, Item, ItemPage, ListQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine import cursors
from quarterdeck.engine.items import rows
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.items.tables import item_details, item_events, items
from quarterdeck.engine.listing.matching import visible
from quarterdeck.engine.listing.pages import read_page
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Store


async def list_items(store: Store, principal: Principal, resource: Resource, query: ListQuery) -> ItemPage:
    found = await read_page(store, principal, ITEMS[resource], query)
    return ItemPage(items=[rows.item(row) for row in found.rows], next=found.next, previous=found.previous)


async def show_item(store: Store, principal: Principal, resource: Resource, item_id: int) -> Item:
    """Raises Problem(NOT_FOUND); an item of another tenant does not exist for the caller."""
    async with store.read() as connection:
        return await whole_item(connection, principal, resource, item_id)


async def whole_item(connection: AsyncConnection, principal: Principal, resource: Resource, item_id: int) -> Item:
    row = await find_item(connection, principal, resource, item_id)
    details = (
        await connection.execute(
            select(item_details.c.body, item_details.c.fields).where(item_details.c.item_id == item_id)
        )
    ).one_or_none()
    return rows.item(row, details.body if details else None, details.fields if details else None)


async def find_item(
    connection: AsyncConnection,
    principal: Principal,
    resource: Resource,
    item_id: int,
    *,
    lock: Dialect | None = None,
) -> Row[Any]:
    """With `lock`, nobody else changes it until the transaction ends. Raises Problem(NOT_FOUND)."""
    wanted = select(items).where(items.c.id == item_id, *visible(ITEMS[resource], principal))
    if lock is not None:
        wanted = lock.lock(wanted)
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise no_such_item(resource, item_id)
    return row


def no_such_item(resource: Resource, item_id: int) -> Problem:
    return Problem(Code.NOT_FOUND, f"There is no item {item_id} in {resource}.")


async def timeline(
    store: Store, principal: Principal, resource: Resource, item_id: int, query: EventsQuery
) -> EventPage:
    wanted = (
        select(item_events)
        .where(item_events.c.item_id == item_id)
        .order_by(item_events.c.at.desc(), item_events.c.id.desc())
        .limit(query.limit + 1)
    )
    if query.cursor is not None:
        at, last = cursors.decode_ids(query.cursor, 2)
        wanted = wanted.where(or_(item_events.c.at < at, and_(item_events.c.at == at, item_events.c.id < last)))
    async with store.read() as connection:
        await find_item(connection, principal, resource, item_id)
        found = list((await connection.execute(wanted)).all())
    more = len(found) > query.limit
    found = found[: query.limit]
    return EventPage(
        items=[rows.event(row) for row in found],
        next=cursors.encode(found[-1].at, found[-1].id) if more else None,
    )
