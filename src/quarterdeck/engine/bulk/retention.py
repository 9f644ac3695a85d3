"""Old results and drafts nobody confirmed are removed, a slice at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, or_, select

from quarterdeck.contract.clock import DAY
from quarterdeck.contract.enums import BulkStatus
from quarterdeck.engine.bulk.tables import bulk_batches, bulk_items, bulk_operations
from quarterdeck.engine.core import Engine

_SLICE = 20_000
_FINAL = [str(status) for status in BulkStatus if status.is_final]


async def forget_old(engine: Engine) -> None:
    """The operations themselves stay as history; their per-item results go after `bulk_keep_days`.

    Drafts go whole after a day.
    """
    settings = engine.settings.engine
    async with engine.store.write() as transaction:
        draft = bulk_operations.c.status == str(BulkStatus.DRAFT)
        stale = or_(
            draft & (bulk_operations.c.created_at < transaction.now - DAY),
            bulk_operations.c.status.in_(_FINAL)
            & (bulk_operations.c.finished_at < transaction.now - settings.bulk_keep_days * DAY),
        )
        old = select(bulk_operations).where(stale, bulk_operations.c.first_seq > 0)
        operations = (await transaction.connection.execute(old)).all()
    for row in operations:
        if row.status == BulkStatus.DRAFT and not await _discarded(engine, row.id):
            continue
        await remove(engine, row, whole=row.status == BulkStatus.DRAFT)


async def remove(engine: Engine, row: Row[Any], *, whole: bool) -> None:
    """The per-item results, and with `whole` the operation itself. The writer is free between slices."""
    for first in range(row.first_seq, row.last_seq + 1, _SLICE):
        async with engine.store.write() as transaction:
            slice_ = bulk_items.c.seq.between(first, min(first + _SLICE - 1, row.last_seq))
            await transaction.connection.execute(delete(bulk_items).where(slice_, bulk_items.c.operation_id == row.id))
    async with engine.store.write() as transaction:
        this = bulk_operations.c.id == row.id
        emptied = bulk_operations.update().where(this).values(first_seq=0, last_seq=0)
        await transaction.connection.execute(delete(bulk_batches).where(bulk_batches.c.operation_id == row.id))
        await transaction.connection.execute(delete(bulk_operations).where(this) if whole else emptied)


async def _discarded(engine: Engine, operation_id: int) -> bool:
    """A draft that loses its items can no longer be confirmed; False where it just was."""
    async with engine.store.write() as transaction:
        discarded = await transaction.connection.execute(
            bulk_operations.update()
            .where(bulk_operations.c.id == operation_id, bulk_operations.c.status == str(BulkStatus.DRAFT))
            .values(status=str(BulkStatus.CANCELLED), finished_at=bulk_operations.c.created_at)
        )
    return bool(discarded.rowcount == 1)
