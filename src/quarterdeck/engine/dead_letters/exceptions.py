"""The loop that hands a failure to a person: a dead letter opens an exception, and both move together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, func, insert, literal, select, update

from quarterdeck.contract.enums import ItemStatus, Priority, Resource
from quarterdeck.contract.live import MOST_IDS_NAMED, Change
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.contract.transitions import sources
from quarterdeck.engine.acting import announce
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.items.actions import NO_CLAIM
from quarterdeck.engine.items.effects import Effect, carry_out
from quarterdeck.engine.items.tables import NO_DUE, item_details, item_events, items
from quarterdeck.engine.listing.matching import conditions, read_filter
from quarterdeck.engine.queues.service import KnownQueue
from quarterdeck.engine.runs.tables import run_attempts
from quarterdeck.engine.sla.clockwork import Sight
from quarterdeck.engine.sla.following import Born, begin
from quarterdeck.engine.sla.keeping import Owner
from quarterdeck.engine.store.dialect import Dialect, plain
from quarterdeck.engine.store.store import Transaction

EXCEPTIONS = str(Resource.EXCEPTIONS)
STILL_OPEN = frozenset(map(str, (ItemStatus.OPEN, ItemStatus.RETRYING, ItemStatus.NEEDS_MANUAL_REVIEW)))
_TITLE = 200
_BODY = 20_000
_EXPIRED = "Dead letter {} was kept for its time; nothing is left to retry."


async def open_for(engine: Engine, transaction: Transaction, ids: Sequence[int], queues: dict[str, KnownQueue]) -> None:
    """An exception for each of these dead letters that the config and its queue want one for."""
    connection, dialect = transaction.connection, engine.store.dialect
    silent = [name for name, known in queues.items() if not known.settings.exceptions]
    # Never the payloads: a thousand of them may be a gigabyte.
    wanted = select(*DEAD_LETTERS.shown, dead_letters.c.detail).where(
        dead_letters.c.id.in_(dialect.id_list(ids)), dead_letters.c.exception_id.is_(None)
    )
    if silent:
        wanted = wanted.where(dead_letters.c.queue.not_in(silent))
    rule = engine.settings.exceptions.filter
    if rule.strip():
        filter_ = read_filter(rule, DEAD_LETTERS.resource, SYSTEM)
        wanted = wanted.where(*conditions(DEAD_LETTERS, filter_, SYSTEM, dialect, plain))
    found = (await connection.execute(wanted.order_by(dead_letters.c.id))).all()
    if not found:
        return
    item_ids = await dialect.next_ids(connection, items, len(found))
    pairs = list(zip(item_ids, found, strict=True))
    await connection.execute(items.insert(), [_item(number, row, queues, transaction.now) for number, row in pairs])
    await connection.execute(
        item_details.insert(),
        [{"item_id": number, "body": _body(row), "fields": _fields(row)} for number, row in pairs],
    )
    await tell_attempts(transaction, dialect, [(n, row.run_id, 0) for n, row in pairs if row.run_id is not None])
    died = {"at": transaction.now, "actor": SYSTEM.actor, "type": "died", "version_after": 1}
    told = [{"item_id": number, "body": f"Dead letter {row.id}: {_cause(row)}", **died} for number, row in pairs]
    await connection.execute(item_events.insert(), told)
    entered = [(Owner(number, row.tenant_id, EXCEPTIONS, NO_DUE), row, queues.get(row.queue)) for number, row in pairs]
    await begin(
        transaction,
        dialect,
        EXCEPTIONS,
        (
            Born(owner, row.event_type, [Sight(transaction.now, str(ItemStatus.OPEN), _priority(known).rank)])
            for owner, row, known in entered
        ),
    )
    joined = _opened(dialect)
    await connection.execute(joined, {"opened": json.dumps([[row.id, number] for number, row in pairs])})
    _announce(engine, transaction, [(number, row.tenant_id) for number, row in pairs], Change.CREATED)


@cache
def _opened(dialect: Dialect) -> Any:
    opened = dialect.listed("opened", {"id": BigInteger(), "item": BigInteger()})
    return update(dead_letters).where(dead_letters.c.id == opened.c.id).values(exception_id=opened.c.item)


def _item(number: int, row: Any, queues: dict[str, KnownQueue], now: int) -> dict[str, Any]:
    known = queues.get(row.queue)
    return {
        "id": number,
        "tenant_id": row.tenant_id,
        "resource": EXCEPTIONS,
        "external_id": f"dead-letter-{row.id}",
        "kind": row.event_type,
        "title": f"{row.queue}: {_cause(row)}"[:_TITLE],
        "status": str(ItemStatus.OPEN),
        "priority": _priority(known).rank,
        "category": row.error_class,
        "sla_due_at": NO_DUE,
        "created_at": now,
        "updated_at": now,
        "has_body": True,
        "comments": 0,
        "version": 1,
    }


def _priority(known: KnownQueue | None) -> Priority:
    return known.settings.priority if known else Priority.NORMAL


def _cause(row: Any) -> str:
    first = row.error_message.strip().partition("\n")[0]
    return f"{row.error_code}: {first}" if first else str(row.error_code)


def _body(row: Any) -> str:
    parts = (row.error_message, row.detail)
    return "\n\n".join(part for part in parts if part)[:_BODY] or str(row.error_code)


def _fields(row: Any) -> dict[str, Any]:
    return {
        "dead_letter": row.id,
        "run": row.run_id,
        "queue": row.queue,
        "code": row.error_code,
        "class": row.error_class,
        "group": row.group_id,
    }


async def tell_attempts(transaction: Transaction, dialect: Dialect, told: Sequence[tuple[int, int, int]]) -> None:
    """The attempts of a run go into the timeline. `told` are (exception, run, since when in ms)."""
    if told:
        await transaction.connection.execute(_attempts(dialect), {"told": json.dumps(list(told))})


@cache
def _attempts(dialect: Dialect) -> Any:
    told = dialect.listed("told", {"item": BigInteger(), "run": BigInteger(), "since": BigInteger()})
    said = (
        func.coalesce(run_attempts.c.error_code, "")
        + literal(": ", Text)
        + func.coalesce(run_attempts.c.error_message, "")
    )
    run = literal("Run ", Text) + told.c.run.cast(Text) + literal(", attempt ", Text)
    number = run_attempts.c.number.cast(Text)
    values = {
        "item_id": told.c.item,
        "at": run_attempts.c.ended_at,
        "actor": func.coalesce(run_attempts.c.worker, literal(SYSTEM.actor, Text)),
        "type": literal("attempt_", Text) + run_attempts.c.outcome,
        "body": run + number + _unless_empty(said),
    }
    source = (
        select(*values.values())
        .select_from(told.join(run_attempts, run_attempts.c.run_id == told.c.run))
        .where(run_attempts.c.ended_at >= told.c.since)
        .order_by(told.c.item, run_attempts.c.ended_at, run_attempts.c.number)
    )
    return insert(item_events).from_select(list(values), source)


def _unless_empty(said: ColumnElement[str]) -> ColumnElement[str]:
    return func.replace(literal(" · ", Text) + said, literal(" · : ", Text), literal("", Text))


async def follow(
    engine: Engine,
    transaction: Transaction,
    ids: ColumnElement[bool],
    to: ItemStatus,
    event: str,
    *,
    body: str | None = None,
    actor: str = SYSTEM.actor,
    operation_id: int | None = None,
    since: frozenset[str] | None = None,
) -> None:
    """Exceptions in `ids` go where their dead letters have gone, if they are in a state that leads there.

    `since`: the states they must be in, where that is not what the machine of exceptions says.
    """
    allowed = sorted(since if since is not None else sources(Resource.EXCEPTIONS, to))
    scope = ids & plain(items.c.status).in_(allowed) & items.c.deleted_at.is_(None)
    effect = Effect(event, {"status": literal(str(to), Text), **NO_CLAIM}, body=body, to=str(to))
    await carry_out(effect, scope, transaction, engine.store.dialect, actor=actor, operation_id=operation_id)


def touched(engine: Engine, transaction: Transaction, moved: Sequence[tuple[int, str]]) -> None:
    """`moved` are (id, tenant)."""
    _announce(engine, transaction, moved, Change.UPDATED)


def look_again(engine: Engine, transaction: Transaction) -> None:
    """Too many to name."""
    announce(engine, transaction, EXCEPTIONS, None, None, Change.UPDATED)


def _announce(engine: Engine, transaction: Transaction, moved: Sequence[tuple[int, str]], change: Change) -> None:
    if moved:
        named = [number for number, _ in moved] if len(moved) <= MOST_IDS_NAMED else None
        announce(engine, transaction, EXCEPTIONS, named, frozenset(tenant for _, tenant in moved), change)


async def behind(transaction: Transaction, dialect: Dialect, scope: ColumnElement[bool]) -> ColumnElement[bool] | None:
    """The exceptions of the dead letters in `scope`, if there are any.

    Named one by one: PostgreSQL may know too little of a new table to find them well behind two others.
    """
    column = dead_letters.c.exception_id
    found = await transaction.connection.execute(select(column).where(scope, column.is_not(None)))
    ids = sorted(found.scalars())
    return items.c.id.in_(dialect.id_list(ids)) if ids else None


async def tell_expired(transaction: Transaction, letters: Sequence[Any]) -> None:
    """An exception outlives its dead letter; whoever looks at it reads why there is nothing left to retry."""
    if letters:
        said = {"at": transaction.now, "actor": SYSTEM.actor, "type": "dead_letter_expired"}
        told = [{"item_id": row.exception_id, "body": _EXPIRED.format(row.id), **said} for row in letters]
        await transaction.connection.execute(item_events.insert(), told)
