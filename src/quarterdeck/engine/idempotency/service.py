"""Idempotency-Key: the same request again gets the answer of the first time.

Keys belong to an actor and an operation and live 24 hours. The header follows the IETF draft
(draft-ietf-httpapi-idempotency-key-header): a quoted string; a bare one is taken too.

The answer is written after the handler's own transaction. If the engine dies between the two, the request
runs again when it comes again. That is safe because every idempotent operation either makes a draft, which
changes nothing, or moves a bulk operation along its states, which refuses the second time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, select, update

from quarterdeck.contract.clock import DAY, MINUTE, now_ms
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.http import failures
from quarterdeck.engine.idempotency.tables import idempotency_keys as keys

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

LIVES = DAY
HELD = 10 * MINUTE
LONGEST_KEY = 255


def read_key(header: str | None) -> str:
    """The key, without its quotes. Raises Problem: missing or unusable."""
    text = (header or "").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not text:
        raise Problem(
            Code.IDEMPOTENCY_KEY_MISSING, "Send a header Idempotency-Key with a value of your own, such as a UUID."
        )
    if len(text) > LONGEST_KEY or not (text.isascii() and text.isprintable()):
        raise Problem(
            Code.BAD_REQUEST, f"The Idempotency-Key must be printable ASCII of at most {LONGEST_KEY} characters."
        )
    return text


def fingerprint(path: str, body: bytes) -> str:
    """The same for two bodies that differ only in layout."""
    try:
        body = json.dumps(json.loads(body or b"{}"), sort_keys=True).encode()
    except ValueError:
        pass  # refused elsewhere; here it only has to be different
    return hashlib.sha256(path.encode() + b"\0" + body).hexdigest()


async def once(
    engine: Engine,
    principal: Principal,
    operation: str,
    key: str,
    fingerprint: str,
    first_time: Callable[[], Awaitable[tuple[int, bytes]]],
    *,
    instance: str,
) -> tuple[int, bytes]:
    """(status, body) of the first time, now or then.

    What the rules refuse (4xx) is an answer too and is kept; a busy or broken store and "too many" are not.
    Raises Problem for a key used for something else, for one still in flight, and for what is not kept.
    """
    kept = await _take(engine, principal, operation, key, fingerprint)
    if kept is not None:
        return kept
    try:
        status, content = await first_time()
    except Problem as problem:
        if problem.status >= 500 or problem.retry_after is not None:
            await _release(engine, principal, operation, key)
            raise
        status, content = problem.status, json.dumps(failures.document(problem, instance), default=str).encode()
    except BaseException:
        await _release(engine, principal, operation, key)
        raise
    async with engine.store.write() as transaction:
        await transaction.connection.execute(
            update(keys).where(*_is(principal, operation, key)).values(status=status, answer=content.decode())
        )
    return status, content


async def _take(
    engine: Engine, principal: Principal, operation: str, key: str, fingerprint: str
) -> tuple[int, bytes] | None:
    """The answer kept under the key; None when the key is ours now."""
    async with engine.store.write() as transaction:
        connection, now = transaction.connection, transaction.now
        mine = {"holder": engine.instance, "held_until": now + HELD, "fingerprint": fingerprint, "created_at": now}
        inserted = await connection.execute(
            engine.store.dialect.insert(keys)
            .values(actor=principal.actor, operation=operation, key=key, **mine)
            .on_conflict_do_nothing()
        )
        if inserted.rowcount:
            return None
        row = (await connection.execute(select(keys).where(*_is(principal, operation, key)))).one()
        # One engine owns a SQLite store, so whatever another one held there died with it.
        lost = row.held_until < now or (engine.store.dialect.name == "sqlite" and row.holder != engine.instance)
        if row.created_at < now - LIVES or (row.status is None and lost):
            await connection.execute(
                update(keys).where(*_is(principal, operation, key)).values(status=None, answer=None, **mine)
            )
            return None
    if row.fingerprint != fingerprint:
        raise Problem(
            Code.IDEMPOTENCY_KEY_REUSED,
            f"The Idempotency-Key {key} was used for another request; send a new one.",
        )
    if row.status is None:
        raise Problem(
            Code.IDEMPOTENCY_IN_FLIGHT,
            f"The first request with the Idempotency-Key {key} is still running; ask again in a moment.",
            retry_after=1,
        )
    return row.status, row.answer.encode()


async def _release(engine: Engine, principal: Principal, operation: str, key: str) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(delete(keys).where(*_is(principal, operation, key)))


async def purge(engine: Engine) -> None:
    """Forget keys that have lived their day."""
    async with engine.store.write() as transaction:
        await transaction.connection.execute(delete(keys).where(keys.c.created_at < now_ms() - LIVES))


def _is(principal: Principal, operation: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return keys.c.actor == principal.actor, keys.c.operation == operation, keys.c.key == key
