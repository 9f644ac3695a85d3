"""Finding an operation that the caller may see: their own, or any for whoever sees every tenant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, literal_column, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import BulkStatus, Outcome
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk.tables import UNFINISHED, bulk_batches, bulk_items, bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.dialect import Dialect


def visible(principal: Principal) -> ColumnElement[bool]:
    """An operation may span tenants, so somebody of some tenants sees only their own operations."""
    return true() if principal.tenants is None else bulk_operations.c.created_by == principal.actor


def unfinished(*statuses: BulkStatus) -> ColumnElement[bool]:
    """Operations in one of these states, all of them unfinished, found by the index of those."""
    unfinished: ColumnElement[bool] = literal_column(UNFINISHED)
    return and_(unfinished, bulk_operations.c.status.in_([str(status) for status in statuses]))


async def anything_unfinished(engine: Engine) -> bool:
    """Whether an operation is at work or will be. One that is scheduled has no run yet."""
    query = select(bulk_operations.c.id).where(literal_column(UNFINISHED)).limit(1)
    async with engine.store.read() as connection:
        return (await connection.execute(query)).first() is not None


def of_operation(row: Row[Any]) -> ColumnElement[bool]:
    """The frozen items of an operation."""
    return and_(bulk_items.c.operation_id == row.id, bulk_items.c.seq.between(row.first_seq, row.last_seq))


def in_done_batch(row: Row[Any]) -> ColumnElement[bool]:
    return exists().where(
        bulk_batches.c.operation_id == row.id,
        bulk_batches.c.number == (bulk_items.c.seq - row.first_seq) // row.batch_size,
    )


def succeeded(row: Row[Any]) -> ColumnElement[bool]:
    """What was eligible in a batch that is done, and was not refused there."""
    # Stores from before batches were noted say it row by row.
    said = bulk_items.c.outcome == str(Outcome.SUCCEEDED)
    return or_(said, and_(bulk_items.c.outcome == str(Outcome.PENDING), in_done_batch(row)))


async def find_operation(
    connection: AsyncConnection, principal: Principal, operation_id: int, *, lock: Dialect | None = None
) -> Row[Any]:
    """With `lock`, nobody else moves it until the transaction ends. Raises Problem(NOT_FOUND)."""
    query = select(bulk_operations).where(bulk_operations.c.id == operation_id, visible(principal))
    if lock is not None:
        query = lock.lock(query)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Problem(Code.NOT_FOUND, f"There is no bulk operation {operation_id}.")
    return row
