"""What another system gives up is posted here; the same again changes nothing."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Text, and_, select

from quarterdeck.contract.clock import to_ms
from quarterdeck.contract.enums import Metered
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.dead_letters import AddedDeadLetters, NewDeadLetter, NewDeadLetters
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import exceptions, news
from quarterdeck.engine.dead_letters.arriving import PENDING, Failure, expiry, failure_of, note_groups
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.dead_letters.tallying import Moves, record
from quarterdeck.engine.queues.service import KnownQueue, get_queue, known_queues
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.metering import note

_KEY = ("queue", "source_id", "tenant_id")


async def add(engine: Engine, principal: Principal, posted: NewDeadLetters) -> AddedDeadLetters:
    """All of them, or none. Raises Problem(FORBIDDEN) for a foreign tenant, Problem(NOT_FOUND) for a queue that
    nobody knows."""
    letters = posted.dead_letters
    for each in letters:
        if not principal.sees(each.tenant_id):
            raise Problem(Code.FORBIDDEN, f"Tenant {each.tenant_id} is not yours.")
    async with engine.store.write() as transaction:
        connection, dialect = transaction.connection, engine.store.dialect
        queues = await known_queues(connection)
        for name in sorted({each.queue for each in letters}):
            known = queues.get(name) or await get_queue(connection, name)
            if known.is_built_in:
                raise Problem(Code.NOT_FOUND, f"The queue {name} is the engine's own; post to one of yours.")
        ids = await dialect.next_ids(connection, dead_letters, len(letters))
        failures = [failure_of(each.queue, each.error_class, each.error_code, each.error_message) for each in letters]
        rows = [
            _row(number, each, failure, queues.get(each.queue), transaction.now)
            for number, each, failure in zip(ids, letters, failures, strict=True)
        ]
        existing = await _insert(engine, transaction, rows)
        made = [row for row in rows if row["id"] not in existing]
        moves = Moves()
        for row in made:
            moves.added((row["tenant_id"], row["queue"], row["event_type"], row["group_id"]), PENDING)
        pairs = [(each.queue, f) for n, each, f in zip(ids, letters, failures, strict=True) if n not in existing]
        await note_groups(transaction, dialect, pairs)
        await record(transaction, dialect, moves)
        if made:
            tenants = {row["tenant_id"] for row in made}
            await audit.append(
                transaction,
                engine.store,
                principal,
                "dead_letters.add",
                tenant_id=next(iter(tenants)) if len(tenants) == 1 else None,
                resource="dead_letters",
                target=str(made[0]["id"]) if len(made) == 1 else None,
                details={"count": len(made), "queues": sorted({row["queue"] for row in made})},
            )
            owners = [row["tenant_id"] for row in made]
            transaction.after_commit(lambda: note(engine, Metered.EVENTS_PROCESSED, owners))
            news.touched(engine, transaction, [(row["id"], row["tenant_id"]) for row in made], Change.CREATED)
            await exceptions.open_for(engine, transaction, [row["id"] for row in made], queues)
    return AddedDeadLetters(
        ids=[existing.get(number, number) for number in ids],
        created=len(made),
        existing=[existing[number] for number in ids if number in existing],
    )


def _row(number: int, new: NewDeadLetter, failure: Failure, known: KnownQueue | None, now: int) -> dict[str, Any]:
    return {
        "id": number,
        "tenant_id": new.tenant_id,
        "queue": new.queue,
        "event_type": new.event_type,
        "status": PENDING,
        "error_class": failure.error_class,
        "error_code": failure.error_code,
        "error_message": failure.error_message,
        "group_id": failure.group_id,
        "attempts": new.attempts,
        "source_id": new.source_id,
        "created_at": now,
        "died_at": None if new.died_at is None else to_ms(new.died_at),
        "updated_at": now,
        "expires_at": expiry(known, now),
        "payload": new.payload,
        "metadata": new.metadata,
        "detail": new.detail,
    }


async def _insert(engine: Engine, transaction: Transaction, rows: list[dict[str, Any]]) -> dict[int, int]:
    """The id that was meant for a row -> the dead letter that had its source before."""
    connection, dialect, columns = transaction.connection, engine.store.dialect, dead_letters.c
    new = dialect.insert(dead_letters).on_conflict_do_nothing(
        index_elements=list(_KEY), index_where=columns.source_id.is_not(None)
    )
    # In the order of the key: whoever posts the same at the same moment is waited for, never in a circle.
    keyed = sorted(rows, key=lambda row: tuple(row[name] or "" for name in _KEY))
    await connection.execute(new, keyed)
    sourced = [row for row in keyed if row["source_id"] is not None]
    if not sourced:
        return {}
    meant = dialect.id_list([row["id"] for row in sourced])
    added = set((await connection.execute(select(columns.id).where(columns.id.in_(meant)))).scalars())
    missing = [[row["id"], *(row[name] for name in _KEY)] for row in sourced if row["id"] not in added]
    if not missing:
        return {}
    found = await connection.execute(_known(dialect), {"missing": json.dumps(missing)})
    return {row.meant: row.id for row in found}


@cache
def _known(dialect: Dialect) -> Any:
    missing = dialect.listed("missing", {"meant": BigInteger(), **dict.fromkeys(_KEY, Text())})
    same = [dead_letters.c[name] == missing.c[name] for name in _KEY]
    return select(missing.c.meant, dead_letters.c.id).join(
        dead_letters, and_(dead_letters.c.source_id.is_not(None), *same)
    )
