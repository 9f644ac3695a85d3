"""Reading bulk operations and their results."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, false, func, literal_column, select

from quarterdeck.contract.enums import BulkStatus, Outcome, read_resource
from quarterdeck.contract.models.bulk import (
    BulkDetail,
    BulkExportQuery,
    BulkItem,
    BulkItemPage,
    BulkItemsQuery,
    BulkListQuery,
    BulkPage,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import RETRYABLE, Code
from quarterdeck.engine import cursors
from quarterdeck.engine.bulk import rows
from quarterdeck.engine.bulk.finding import (
    find_operation,
    in_done_batch,
    of_operation,
    succeeded,
    unfinished,
    visible,
)
from quarterdeck.engine.bulk.tables import bulk_items, bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.export import csv_line
from quarterdeck.engine.store.dialect import plain
from quarterdeck.engine.subjects import subject_of

# Repeats the condition of ix_bulk_items_refused to the letter.
_REFUSED: ColumnElement[bool] = literal_column("bulk_items.code IS NOT NULL")
_EXPORT_PAGE = 1_000
_EXPORTED = ("item_id", "external_id", "title", "tenant_id", "outcome", "code", "sentence", "retryable")


async def list_operations(engine: Engine, principal: Principal, query: BulkListQuery) -> BulkPage:
    # Few are running; found by their own index and then sorted.
    newest = plain(bulk_operations.c.id) if query.running else bulk_operations.c.id
    wanted = select(bulk_operations).where(visible(principal)).order_by(newest.desc()).limit(query.limit + 1)
    if query.status is not None:
        wanted = wanted.where(bulk_operations.c.status == str(query.status))
    if query.running is not None:
        running = (BulkStatus.PENDING, BulkStatus.IN_PROGRESS)
        wanted = wanted.where(unfinished(*running) if query.running else bulk_operations.c.status.not_in(running))
    if query.cursor is not None:
        wanted = wanted.where(bulk_operations.c.id < cursors.decode_ids(query.cursor, 1)[0])
    async with engine.store.read() as connection:
        found = list((await connection.execute(wanted)).all())
    more = len(found) > query.limit
    found = found[: query.limit]
    return BulkPage(items=[rows.operation(row) for row in found], next=cursors.encode(found[-1].id) if more else None)


async def show(engine: Engine, principal: Principal, operation_id: int) -> BulkDetail:
    """Raises Problem(NOT_FOUND)."""
    async with engine.store.read() as connection:
        row = await find_operation(connection, principal, operation_id)
        tally = (
            select(bulk_items.c.code, bulk_items.c.status, func.count().label("number"))
            .where(of_operation(row), _REFUSED, bulk_items.c.outcome == str(Outcome.FAILED))
            .group_by(bulk_items.c.code, bulk_items.c.status)
        )
        refused = (await connection.execute(tally)).all() if row.failed else []
    failures = [{"code": each.code, "status": each.status, "count": each.number} for each in refused]
    return BulkDetail(
        operation=rows.operation(row),
        states=row.states,
        skip_reasons=rows.reasons(row, row.verdicts),
        failure_reasons=rows.reasons(row, failures),
    )


async def list_results(engine: Engine, principal: Principal, operation_id: int, query: BulkItemsQuery) -> BulkItemPage:
    async with engine.store.read() as connection:
        row = await find_operation(connection, principal, operation_id)
        back = query.direction == "previous"
        wanted = _results(row, query.outcome)
        if query.cursor is not None:
            here = cursors.decode_ids(query.cursor, 1)[0]
            wanted = wanted.where(bulk_items.c.seq < here if back else bulk_items.c.seq > here)
        wanted = wanted.order_by(bulk_items.c.seq.desc() if back else bulk_items.c.seq)
        found = list((await connection.execute(wanted.offset(query.skip).limit(query.limit + 1))).all())
    ahead, behind = len(found) > query.limit, query.cursor is not None or query.skip > 0
    found = found[: query.limit]
    if back:
        found.reverse()
    before, after = (ahead, behind) if back else (behind, ahead)
    return BulkItemPage(
        items=[_result(row, each) for each in found],
        next=cursors.encode(found[-1].seq) if found and after else None,
        previous=cursors.encode(found[0].seq) if found and before else None,
    )


def _results(row: Row[Any], outcome: Outcome | None) -> Select[Any]:
    subject = subject_of(read_resource(row.resource))
    table, done = subject.listing.table, in_done_batch(row)
    columns = (subject.external.label("external_id"), subject.title.label("title"), table.c.tenant_id)
    wanted = (
        select(bulk_items, *columns, done.label("done"))
        .select_from(bulk_items.join(table, table.c.id == bulk_items.c.item_id, isouter=True))
        .where(of_operation(row))
    )
    if outcome is None:
        return wanted
    if outcome is Outcome.SUCCEEDED:
        return wanted.where(succeeded(row))
    if outcome in (Outcome.FAILED, Outcome.SKIPPED):
        return wanted.where(_REFUSED, bulk_items.c.outcome == str(outcome))
    # What never ran of a cancelled operation was never written down item by item.
    over = row.status == BulkStatus.CANCELLED
    if over != (outcome is Outcome.CANCELLED):
        return wanted.where(false())
    return wanted.where(bulk_items.c.outcome == str(Outcome.PENDING), ~done)


def _result(row: Row[Any], each: Row[Any]) -> BulkItem:
    unseen = each.code == Code.NOT_FOUND
    return BulkItem(
        item_id=each.item_id,
        external_id=None if unseen else each.external_id,
        title="" if unseen else each.title or "",
        tenant_id="" if unseen else each.tenant_id or "",
        outcome=rows.outcome(row, each.outcome, done=bool(each.done)),
        code=each.code,
        sentence=rows.why(row, each.code, each.status) if each.code else None,
        retryable=each.code is not None and Code(each.code) in RETRYABLE,
    )


async def export_results(
    engine: Engine, principal: Principal, operation_id: int, query: BulkExportQuery
) -> AsyncIterator[bytes]:
    """Raises Problem(NOT_FOUND) before the first byte."""
    async with engine.store.read() as connection:
        row = await find_operation(connection, principal, operation_id)
    pages = _result_pages(engine, row, query.outcome)
    return _csv(pages) if query.format == "csv" else _json(pages)


async def _result_pages(engine: Engine, row: Row[Any], outcome: Outcome | None) -> AsyncIterator[list[BulkItem]]:
    after = -1
    while True:
        wanted = _results(row, outcome).where(bulk_items.c.seq > after).order_by(bulk_items.c.seq)
        async with engine.store.read() as connection:
            found = list((await connection.execute(wanted.limit(_EXPORT_PAGE))).all())
        if found:
            after = found[-1].seq
            yield [_result(row, each) for each in found]
        if len(found) < _EXPORT_PAGE:
            return


async def _csv(pages: AsyncIterator[list[BulkItem]]) -> AsyncIterator[bytes]:
    yield csv_line(_EXPORTED)
    async for page in pages:
        lines = (each.model_dump(mode="json") for each in page)
        yield b"".join(csv_line([line[name] for name in _EXPORTED]) for line in lines)


async def _json(pages: AsyncIterator[list[BulkItem]]) -> AsyncIterator[bytes]:
    opening = "[\n"
    async for page in pages:
        yield (opening + ",\n".join(json.dumps(each.model_dump(mode="json")) for each in page)).encode()
        opening = ",\n"
    yield b"\n]\n" if opening == ",\n" else b"[]\n"
