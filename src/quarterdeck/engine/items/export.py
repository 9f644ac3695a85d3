"""Every matching item as CSV or JSON, read in pages, so that a million do not stand in memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, select

from quarterdeck.contract.cells import neutral
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.items import ExportQuery, Item
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.items import rows
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.items.tables import item_details, items
from quarterdeck.engine.listing.matching import read_filter, scanning
from quarterdeck.engine.store.store import Store

_PAGE = 1_000
# A name of its own: filters look into item_details too.
_details = item_details.alias("details")
COLUMNS = (
    "id",
    "external_id",
    "tenant_id",
    "resource",
    "kind",
    "title",
    "body",
    "status",
    "priority",
    "category",
    "assignee",
    "sla_due_at",
    "created_at",
    "updated_at",
    "comments",
    "version",
    "fields",
)


def export_items(store: Store, principal: Principal, resource: Resource, query: ExportQuery) -> AsyncIterator[bytes]:
    """Raises Problem(FILTER_INVALID) before the first byte."""
    filter_ = read_filter(query.filter, resource, principal)
    where = scanning(ITEMS[resource], filter_, principal, store.dialect)
    pages = _pages(store, where)
    return _csv(pages) if query.format == "csv" else _json(pages)


async def _pages(store: Store, where: list[Any]) -> AsyncIterator[list[Item]]:
    """In order of id; what is made meanwhile comes at the end."""
    last = 0
    while True:
        query = (
            select(items, _details.c.body, _details.c.fields)
            .join(_details, _details.c.item_id == items.c.id, isouter=True)
            .where(*where, items.c.id > last)
            .order_by(items.c.id)
            .limit(_PAGE)
        )
        async with store.read() as connection:
            found: list[Row[Any]] = list((await connection.execute(query)).all())
        if found:
            last = found[-1].id
            yield [rows.item(row, row.body, row.fields) for row in found]
        if len(found) < _PAGE:
            return


async def _csv(pages: AsyncIterator[list[Item]]) -> AsyncIterator[bytes]:
    yield csv_line(COLUMNS)
    async for page in pages:
        yield b"".join(csv_line(_cells(item)) for item in page)


def _cells(item: Item) -> list[Any]:
    values = item.model_dump(mode="json")
    values["fields"] = json.dumps(values["fields"], ensure_ascii=False) if values["fields"] else ""
    return [values[name] for name in COLUMNS]


def csv_line(cells: Any) -> bytes:
    """One line of CSV; a spreadsheet will not take any cell for a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(
        neutral(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in cells
    )
    return out.getvalue().encode("utf-8", "surrogatepass")


async def _json(pages: AsyncIterator[list[Item]]) -> AsyncIterator[bytes]:
    opening = b"[\n"
    async for page in pages:
        yield opening + b",\n".join(item.model_dump_json().encode() for item in page)
        opening = b",\n"
    yield b"\n]\n" if opening == b",\n" else b"[]\n"
