"""The bin is emptied after its days, in small transactions, and says so in the audit log."""

from __future__ import annotations

from sqlalchemy import delete, select

from quarterdeck.contract.clock import DAY
from quarterdeck.contract.live import Change
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.tables import item_details, item_events, items
from quarterdeck.engine.sla.tables import forget

_AT_ONCE = 500


async def empty_bin(engine: Engine) -> None:
    while not engine.stopping.is_set():
        async with engine.store.write() as transaction:
            connection = transaction.connection
            before = transaction.now - engine.settings.engine.bin_days * DAY
            old = (
                select(items.c.id, items.c.resource)
                .where(items.c.deleted_at.is_not(None), items.c.deleted_at < before)
                .limit(_AT_ONCE)
            )
            found = (await connection.execute(old)).all()
            if not found:
                return
            ids = [row.id for row in found]
            await connection.execute(delete(item_events).where(item_events.c.item_id.in_(ids)))
            await connection.execute(delete(item_details).where(item_details.c.item_id.in_(ids)))
            await forget(connection, ids)
            await connection.execute(delete(items).where(items.c.id.in_(ids)))
            await audit.append(transaction, engine.store, SYSTEM, "items.bin_emptied", details={"ids": ids})
            for resource in sorted({row.resource for row in found}):
                named = [row.id for row in found if row.resource == resource]
                announce(engine, transaction, resource, named, None, Change.DELETED)
