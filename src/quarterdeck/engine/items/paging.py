"""Keyset pages in the order of an index: the first page of a million rows costs what its rows cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import SortKey
from quarterdeck.engine import cursors
from quarterdeck.engine.items.access import Access
from quarterdeck.engine.items.matching import Wrap, itself
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.store.dialect import plain

_ORDERS: dict[SortKey, tuple[str, ...]] = {
    SortKey.PRIORITY: ("priority", "sla_due_at", "created_at", "id"),
    SortKey.DUE: ("sla_due_at", "id"),
    SortKey.CREATED: ("created_at", "id"),
    SortKey.UPDATED: ("updated_at", "id"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key and its direction. `-created` is newest first."""

    key: SortKey
    descending: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        return cls(SortKey(text.lstrip("-")), text.startswith("-"))

    @property
    def columns(self) -> tuple[str, ...]:
        return _ORDERS[self.key]

    def __str__(self) -> str:
        return ("-" if self.descending else "") + str(self.key)


@dataclass(frozen=True, slots=True)
class PageOf:
    """Rows in the order asked for, and whether there are more on either side."""

    rows: list[Row[Any]]
    next: str | None
    previous: str | None


async def page(
    connection: AsyncConnection,
    access: Access,
    order: Order,
    *,
    cursor: str | None,
    backwards: bool,
    limit: int,
    skip: int,
) -> PageOf:
    """One page after (or before) the cursor; from the very end when reading backwards without one."""
    conditions = list(access.where)
    descending = order.descending != backwards
    if cursor is not None:
        conditions.append(_beyond(order, cursor, descending, plain if access.sorts else itself))
    query = _ordered(conditions, access, order, descending, limit + 1, skip)
    rows = list((await connection.execute(query)).all())
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    came_from = cursor is not None or skip > 0
    after = more if not backwards else came_from
    before = more if backwards else came_from
    return PageOf(
        rows,
        _cursor(order, rows[-1]) if rows and after else None,
        _cursor(order, rows[0]) if rows and before else None,
    )


def _ordered(
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
    if not access.streams:
        wrap = plain if access.sorts else itself
        one = select(items).where(*conditions).order_by(*_sorting(items.c, order, descending, wrap))
        return one.limit(limit).offset(skip) if skip else one.limit(limit)
    parts = []
    for number, stream in enumerate(access.streams):
        one = select(items).where(*conditions, stream).order_by(*_sorting(items.c, order, descending))
        parts.append(select(one.limit(limit + skip).subquery(f"stream_{number}")))
    merged = union_all(*parts).subquery("merged")
    return select(merged).order_by(*_sorting(merged.c, order, descending)).limit(limit).offset(skip)


def _sorting(columns: Any, order: Order, descending: bool, wrap: Wrap = itself) -> list[Any]:
    wrapped = [wrap(columns[name]) for name in order.columns]
    return [column.desc() for column in wrapped] if descending else wrapped


def _beyond(order: Order, cursor: str, descending: bool, wrap: Wrap) -> ColumnElement[bool]:
    values = cursors.decode(cursor)
    if len(values) != len(order.columns) + 1 or values[0] != str(order):
        raise cursors.invalid()
    limits = (2**15 if name == "priority" else 2**63 for name in order.columns)
    if not all(type(v) is int and abs(v) < limit for v, limit in zip(values[1:], limits, strict=True)):
        raise cursors.invalid()
    here = tuple_(*(wrap(items.c[name]) for name in order.columns))
    there = tuple_(*(literal(value, items.c[name].type) for name, value in zip(order.columns, values[1:], strict=True)))
    first = wrap(items.c[order.columns[0]])
    # The redundant condition lets either database enter the index at the right place.
    return and_(first <= values[1], here < there) if descending else and_(first >= values[1], here > there)


def _cursor(order: Order, row: Row[Any]) -> str:
    return cursors.encode(str(order), *(getattr(row, name) for name in order.columns))
