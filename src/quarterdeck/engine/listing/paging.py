"""Keyset pages in the order of an index: the first page of a million rows costs what its rows cost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, SmallInteger, and_, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine import cursors
from quarterdeck.engine.listing.access import Access
from quarterdeck.engine.listing.declaration import Listing, Wrap, itself
from quarterdeck.engine.listing.slices import Slices, slices
from quarterdeck.engine.store.dialect import plain

# How long a person is kept waiting for matches that are far apart (seconds).
BUDGET = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key and its direction. `-created` is newest first."""

    key: str
    columns: tuple[str, ...]
    descending: bool = False

    @classmethod
    def read(cls, listing: Listing, text: str) -> Order:
        key = text.lstrip("-")
        return cls(key, listing.orders[key], text.startswith("-"))

    def __str__(self) -> str:
        return ("-" if self.descending else "") + self.key


@dataclass(frozen=True, slots=True)
class PageOf:
    """Rows in the order asked for, and whether there are more on either side.

    `searched`: how much of the rows was looked at, from 0 to 1; below 1, `next` (or `previous`) goes on.
    """

    rows: list[Row[Any]]
    next: str | None
    previous: str | None
    searched: float = 1.0


async def page(
    connection: AsyncConnection,
    listing: Listing,
    access: Access,
    order: Order,
    *,
    cursor: str | None,
    backwards: bool,
    limit: int,
    skip: int,
) -> PageOf:
    """One page after (or before) the cursor; from the very end when reading backwards without one."""
    descending = order.descending != backwards
    after = None if cursor is None else _read_cursor(listing, order, cursor)
    if access.sliced:
        return await _in_slices(connection, listing, access, order, after, backwards, limit, skip)
    conditions = list(access.where)
    if after is not None:
        conditions.append(_beyond(listing, order, after, descending, plain if access.sorts else itself))
    query = _ordered(listing, conditions, access, order, descending, limit + 1, skip)
    rows = list((await connection.execute(query)).all())
    more = len(rows) > limit
    return _page_of(order, rows[:limit], more, came_from=cursor is not None or skip > 0, backwards=backwards)


def _page_of(order: Order, rows: list[Row[Any]], more: bool, *, came_from: bool, backwards: bool) -> PageOf:
    """`rows` as they were read: from the end when backwards."""
    if backwards:
        rows.reverse()
    after = more if not backwards else came_from
    before = more if backwards else came_from
    return PageOf(
        rows,
        _cursor(order, rows[-1]) if rows and after else None,
        _cursor(order, rows[0]) if rows and before else None,
    )


async def _in_slices(
    connection: AsyncConnection,
    listing: Listing,
    access: Access,
    order: Order,
    after: list[int] | None,
    backwards: bool,
    limit: int,
    skip: int,
) -> PageOf:
    """Matches may be far apart: look at a span of ids after the other, until there are enough or time is up.

    Only for an order by id.
    """
    key = listing.table.c.id
    descending = order.descending != backwards
    wanted = skip + limit + 1
    found: list[Row[Any]] = []
    until = time.monotonic() + BUDGET
    spans = await slices(
        connection, listing, descending=descending, after=None if after is None else after[0], span=access.span
    )
    for span in spans:
        query = (
            select(*listing.shown)
            .where(key.between(*span), *access.where)
            .order_by(key.desc() if descending else key)
            .limit(wanted - len(found))
        )
        found += (await connection.execute(query)).all()
        if len(found) >= wanted:
            break
        if time.monotonic() >= until and spans.searched < 1:
            return _part(order, found[skip:], spans, backwards, after)
    rows = found[skip : skip + limit]
    came_from = after is not None or skip > 0
    return _page_of(order, rows, len(found) >= wanted, came_from=came_from, backwards=backwards)


def _part(order: Order, rows: list[Row[Any]], spans: Slices, backwards: bool, after: list[int] | None) -> PageOf:
    """What was found until time was up, and where to go on."""
    step = 1 if order.descending != backwards else -1
    on = cursors.encode(str(order), spans.here + step)
    back = None if after is None else cursors.encode(str(order), after[0] - step)
    if backwards:
        rows.reverse()
    return PageOf(rows, back if backwards else on, on if backwards else back, spans.searched)


def _ordered(
    listing: Listing,
    conditions: list[ColumnElement[bool]],
    access: Access,
    order: Order,
    descending: bool,
    limit: int,
    skip: int,
) -> Select[Any]:
    """With streams (conditions that exclude each other), read each in index order and merge.

    `status IN (a, b)` would otherwise read every row of both states to sort them.
    """
    columns = listing.table.c
    if not access.streams:
        wrap = plain if access.sorts else itself
        one = select(*listing.shown).where(*conditions).order_by(*_sorting(columns, order, descending, wrap))
        return one.limit(limit).offset(skip) if skip else one.limit(limit)
    parts = []
    for number, stream in enumerate(access.streams):
        one = select(*listing.shown).where(*conditions, stream).order_by(*_sorting(columns, order, descending))
        parts.append(select(one.limit(limit + skip).subquery(f"stream_{number}")))
    merged = union_all(*parts).subquery("merged")
    return select(merged).order_by(*_sorting(merged.c, order, descending)).limit(limit).offset(skip)


def _sorting(columns: Any, order: Order, descending: bool, wrap: Wrap = itself) -> list[Any]:
    wrapped = [wrap(columns[name]) for name in order.columns]
    return [column.desc() for column in wrapped] if descending else wrapped


def _read_cursor(listing: Listing, order: Order, cursor: str) -> list[int]:
    """The values of the order's columns at the cursor. Raises Problem(CURSOR_INVALID)."""
    values = cursors.decode(cursor)
    if len(values) != len(order.columns) + 1 or values[0] != str(order):
        raise cursors.invalid()
    limits = (2**15 if isinstance(listing.table.c[name].type, SmallInteger) else 2**63 for name in order.columns)
    if not all(type(v) is int and abs(v) < limit for v, limit in zip(values[1:], limits, strict=True)):
        raise cursors.invalid()
    return values[1:]


def _beyond(listing: Listing, order: Order, values: list[int], descending: bool, wrap: Wrap) -> ColumnElement[bool]:
    columns = [listing.table.c[name] for name in order.columns]
    first = wrap(columns[0])
    if len(columns) == 1:
        return first < values[0] if descending else first > values[0]
    here = tuple_(*(wrap(column) for column in columns))
    there = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
    # The redundant condition lets either database enter the index at the right place.
    return and_(first <= values[0], here < there) if descending else and_(first >= values[0], here > there)


def _cursor(order: Order, row: Row[Any]) -> str:
    return cursors.encode(str(order), *(getattr(row, name) for name in order.columns))
