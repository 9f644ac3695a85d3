"""Old results and drafts nobody confirmed are removed, a slice at a time."""

from __future__ import annotations

from sqlalchemy import delete, or_, select

from quarterdeck.contract.clock import DAY
from quarterdeck.contract.enums import BulkStatus
from quarterdeck.engine.bulk.tables import bulk_items, bulk_operations
from quarterdeck.engine.core import Engine

_SLICE = 20_000
_FINAL = [str(status) for status in BulkStatus if status.is_final]


async def forget_old(engine: Engine) -> None:
    """The operations themselves stay as history; their per-item results go after `bulk_keep_days`.

    Drafts go whole after a day.
    """
    settings = engine.settings.engine
    async with engine.store.write() as transaction:
        drafts = bulk_operations.c.status == str(BulkStatus.DRAFT)
        stale = or_(
            drafts & (bulk_operations.c.created_at < transaction.now - DAY),
            bulk_operations.c.status.in_(_FINAL)
            & (bulk_operations.c.finished_at < transaction.now - settings.bulk_keep_days * DAY),
        )
        ids = (await transaction.connection.execute(select(bulk_operations.c.id).where(stale))).scalars().all()
    for operation_id in ids:
        first = 0
        while True:
            async with engine.store.write() as transaction:
                mine = bulk_items.c.operation_id == operation_id
                removed = await transaction.connection.execute(
                    delete(bulk_items).where(mine, bulk_items.c.seq < first + _SLICE)
                )
            first += _SLICE
            if removed.rowcount < _SLICE:
                break
    async with engine.store.write() as transaction:
        await transaction.connection.execute(
            delete(bulk_operations).where(drafts & (bulk_operations.c.created_at < transaction.now - DAY))
        )
