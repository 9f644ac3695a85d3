"""Reading items."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.items import EventPage, EventsQuery, Facets, Item, ItemCount, ItemPage, ListQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine import cursors
from quarterdeck.engine.items import access, rows
from quarterdeck.engine.items.matching import read_filter
from quarterdeck.engine.items.paging import Order, page
from quarterdeck.engine.items.tables import item_details, item_events, items
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Store

_FACET_SAMPLE = 5_000
_FACET_VALUES = 50


async def list_items(store: Store, principal: Principal, resource: Resource, query: ListQuery) -> ItemPage:
    if query.ids is not None:
        return await _named(store, principal, resource, [int(part) for part in query.ids.split(",")][:500])
    filter_ = read_filter(query.filter, resource, principal)
    order = Order.read(query.sort)
    async with store.read() as connection:
        way = await access.for_page(connection, store.dialect, filter_, resource, principal, order.key)
        found = await page(
            connection,
            way,
            order,
            cursor=query.cursor,
            backwards=query.direction == "previous",
            limit=query.limit,
            skip=query.skip,
        )
    return ItemPage(items=[rows.item(row) for row in found.rows], next=found.next, previous=found.previous)


async def _named(store: Store, principal: Principal, resource: Resource, ids: list[int]) -> ItemPage:
    wanted = select(items).where(items.c.id.in_(ids), *_visible(principal, resource))
    async with store.read() as connection:
        found = {row.id: row for row in await connection.execute(wanted)}
    return ItemPage(items=[rows.item(found[each]) for each in ids if each in found], next=None, previous=None)


async def count_items(store: Store, principal: Principal, resource: Resource, filter_text: str) -> ItemCount:
    filter_ = read_filter(filter_text, resource, principal)
    async with store.read() as connection:
        where = await access.for_count(connection, store.dialect, filter_, resource, principal)
        found = (await connection.execute(select(func.count()).select_from(items).where(*where))).scalar_one()
    return ItemCount(count=found)


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
    wanted = select(items).where(items.c.id == item_id, *_visible(principal, resource))
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


async def facets(store: Store, principal: Principal, resource: Resource) -> Facets:
    """Values of the newest items, most frequent first: enough for completion, and no scan."""
    newest = (
        select(items.c.kind, items.c.category, items.c.assignee, items.c.tenant_id)
        .where(*_visible(principal, resource), items.c.deleted_at.is_(None))
        .order_by(items.c.created_at.desc(), items.c.id.desc())
        .limit(_FACET_SAMPLE)
    )
    async with store.read() as connection:
        found = list((await connection.execute(newest)).all())
    return await asyncio.to_thread(_tally, found)


def _tally(found: Sequence[Any]) -> Facets:
    values: dict[str, list[str]] = {}
    for name, key in (("kind", "kind"), ("category", "category"), ("assignee", "assignee"), ("tenant_id", "tenant")):
        seen: dict[str, int] = {}
        for row in found:
            value = getattr(row, name)
            if value:
                seen[value] = seen.get(value, 0) + 1
        values[key] = sorted(seen, key=lambda each: (-seen[each], each))[:_FACET_VALUES]
    return Facets(values=values)


def _visible(principal: Principal, resource: Resource) -> list[Any]:
    found: list[Any] = [items.c.resource == str(resource)]
    if principal.tenants is not None:
        found.append(items.c.tenant_id.in_(sorted(principal.tenants)))
    return found
