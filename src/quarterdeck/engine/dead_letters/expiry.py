"""Dead letters whose time is over are removed: counted, announced and written to the audit log, never silently."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import delete, select

from quarterdeck.contract.clock import DAY
from quarterdeck.contract.enums import DeadLetterStatus
from quarterdeck.contract.live import Change
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import exceptions, news
from quarterdeck.engine.dead_letters.tables import dead_letter_edits, dead_letter_groups, dead_letters
from quarterdeck.engine.dead_letters.tallying import Moves, record

_AT_ONCE = 1_000


async def expire(engine: Engine) -> None:
    """A slice a transaction. What is being retried stays until that is over."""
    columns = dead_letters.c
    while not engine.stopping.is_set():
        async with engine.store.write() as transaction:
            connection, dialect = transaction.connection, engine.store.dialect
            over = (
                select(
                    columns.id,
                    columns.tenant_id,
                    columns.queue,
                    columns.event_type,
                    columns.group_id,
                    columns.status,
                    columns.exception_id,
                )
                .where(columns.expires_at <= transaction.now, columns.status != str(DeadLetterStatus.RETRYING))
                .order_by(columns.expires_at)
                .limit(_AT_ONCE)
            )
            found = (await connection.execute(dialect.lock_skipping(over))).all()
            if not found:
                return
            moves, queues = Moves(), Counter[str]()
            for row in found:
                moves.expired((row.tenant_id, row.queue, row.event_type, row.group_id), row.status)
                queues[row.queue] += 1
            left_open = [row for row in found if row.exception_id and row.status == DeadLetterStatus.PENDING]
            await exceptions.tell_expired(transaction, left_open)
            ids = dialect.id_list([row.id for row in found])
            await connection.execute(delete(dead_letter_edits).where(dead_letter_edits.c.dead_letter_id.in_(ids)))
            await connection.execute(delete(dead_letters).where(columns.id.in_(ids)))
            await record(transaction, dialect, moves)
            await audit.append(
                transaction,
                engine.store,
                SYSTEM,
                "dead_letters.expired",
                resource="dead_letters",
                details={"count": len(found), "queues": dict(sorted(queues.items()))},
            )
            news.touched(engine, transaction, [(row.id, row.tenant_id) for row in found], Change.DELETED)
        if len(found) < _AT_ONCE:
            return


async def forget_groups(engine: Engine) -> None:
    """Errors that no dead letter has any more."""
    async with engine.store.write() as transaction:
        left = select(dead_letters.c.id).where(dead_letters.c.group_id == dead_letter_groups.c.group_id).limit(1)
        over = dead_letter_groups.c.last_at < transaction.now - DAY
        await transaction.connection.execute(delete(dead_letter_groups).where(over, ~left.exists()))
