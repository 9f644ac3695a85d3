"""Attempts end: fenced by (id, attempt, token), many in a handful of statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, literal, select, update

from quarterdeck.contract.enums import AttemptOutcome, RunStatus
from quarterdeck.contract.models.queues import Backoff
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import known_queues
from quarterdeck.engine.runs import endings, news
from quarterdeck.engine.runs.endings import EndedRun
from quarterdeck.engine.runs.leases import still_held
from quarterdeck.engine.runs.outcomes import Completed, Lost, Outcome
from quarterdeck.engine.runs.rules import Change, decide
from quarterdeck.engine.runs.sql import HELD, RESULTS, active, number_of
from quarterdeck.engine.runs.tables import run_attempts, runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

RESCUED_AT_ONCE = 1_000
# The engine's own workers are called so; when one falls silent, an engine died and not what it worked on.
ENGINE_WORKER = "engine-"
_DEFAULT = Backoff()


async def finish(engine: Engine, transaction: Transaction, outcomes: Sequence[Outcome]) -> list[int]:
    """Ids of runs whose lease was lost: nothing was done with them."""
    moves = Moves()
    lost = await end(engine, transaction, moves, outcomes)
    await record(transaction, engine.store.dialect, moves)
    return lost


async def end(engine: Engine, transaction: Transaction, moves: Moves, outcomes: Sequence[Outcome]) -> list[int]:
    """As `finish`; what has moved is added to `moves`, to be recorded by the caller."""
    completed = [each for each in outcomes if isinstance(each, Completed)]
    others = {each.id: each for each in outcomes if not isinstance(each, Completed)}
    ended: list[EndedRun] = []
    attempts: list[dict[str, Any]] = []
    rows: list[Any] = []
    if completed:
        rows += await _complete(engine, transaction, moves, completed, ended)
    if others:
        held = json.dumps([[each.id, each.attempt, each.token] for each in others.values()])
        found = (await transaction.connection.execute(_holding(engine.store.dialect), {"held": held})).all()
        rows += found
        pairs = [(row, others[row.id]) for row in found]
        await _settle(engine, transaction, moves, pairs, attempts, ended)
    await _keep(engine, transaction, attempts, ended)
    news.touched(engine, transaction, [(row.id, row.tenant_id) for row in rows])
    kept = {row.id for row in rows}
    return [each.id for each in outcomes if each.id not in kept]


async def rescue(engine: Engine, transaction: Transaction, *, all_of_engines: bool = False) -> list[int]:
    """Runs whose holder fell silent, up to 1,000: their attempt is lost. The ids of those it was.

    `all_of_engines`: also those whose lease still holds, if an engine has it: nobody but the one who calls this
    is alive on the store.
    """
    dialect = engine.store.dialect
    lapsed = runs.c.lease_until < number_of("now")
    if all_of_engines:
        lapsed |= runs.c.worker.startswith(ENGINE_WORKER, autoescape=True)
    query = dialect.lock_skipping(select(*_STANDING).where(active(), lapsed).limit(RESCUED_AT_ONCE))
    found = (await transaction.connection.execute(query, {"now": transaction.now})).all()
    if not found:
        return []
    moves, ended = Moves(), list[EndedRun]()
    attempts: list[dict[str, Any]] = []
    pairs = [(row, Lost(row.id, row.attempt, row.lease_token, suspect=_is_suspect(row))) for row in found]
    await _settle(engine, transaction, moves, pairs, attempts, ended)
    await _keep(engine, transaction, attempts, ended)
    news.touched(engine, transaction, [(row.id, row.tenant_id) for row in found])
    await record(transaction, dialect, moves)
    transaction.after_commit(lambda: engine.arrivals.say({row.queue for row in found}))
    return [row.id for row in found]


def _is_suspect(row: Any) -> bool:
    """Handlers of http and python queues cannot take an engine along; its own work and workers outside can."""
    from quarterdeck.engine.runs.handlers import HANDLERS

    handler = HANDLERS.get(row.kind)
    return (handler is not None and not handler.outward) or not (row.worker or "").startswith(ENGINE_WORKER)


async def _complete(
    engine: Engine,
    transaction: Transaction,
    moves: Moves,
    completed: Sequence[Completed],
    ended: list[EndedRun],
) -> Sequence[Any]:
    """One statement guards and writes: this is what nearly every run comes to."""
    given = json.dumps([[each.id, each.attempt, each.token, each.result] for each in completed])
    rows = (
        await transaction.connection.execute(_completing(engine.store.dialect), {"held": given, "now": transaction.now})
    ).all()
    if rows and not engine.store.dialect.nests_writes:
        ids = {"ids": json.dumps([[row.id] for row in rows]), "now": transaction.now}
        await transaction.connection.execute(_remembering(engine.store.dialect), ids)
    for row in rows:
        _count(moves, row, RunStatus.COMPLETED, transaction.now, None, None)
        if row.dead_letter_id is not None:
            ended.append(_ended(row, RunStatus.COMPLETED))
    return rows


async def _settle(
    engine: Engine,
    transaction: Transaction,
    moves: Moves,
    pairs: Sequence[tuple[Any, Outcome]],
    attempts: list[dict[str, Any]],
    ended: list[EndedRun],
) -> None:
    """Attempts that did not complete, each with the row that it has locked."""
    connection, now = transaction.connection, transaction.now
    queues = await known_queues(connection)
    changes: list[list[Any]] = []
    retried: list[int] = []
    waiting: set[str] = set()
    for row, outcome in pairs:
        known = queues.get(row.queue)
        change = decide(row, outcome, known.settings.backoff if known else _DEFAULT, now)
        changes.append([row.id, *(getattr(change, name) for name in _CHANGED)])
        attempts.append(_attempt(row, now, change.outcome, change))
        failed = change.outcome in (AttemptOutcome.FAILED, AttemptOutcome.LOST)
        if change.outcome is AttemptOutcome.GIVEN_BACK:
            moves.moved(row.queue, row.tenant_id, RunStatus.ACTIVE, change.status)
        else:
            told = (change.error_class, change.error_code) if failed else (None, None)
            _count(moves, row, change.status, now, *told)
        if change.status is RunStatus.DEAD or (row.dead_letter_id is not None and change.finished_at is not None):
            ended.append(_ended(row, change.status, change))
        if change.status in (RunStatus.FAILED, RunStatus.SCHEDULED):
            retried.append(change.run_at)
        elif change.status is RunStatus.WAITING:
            waiting.add(row.queue)
    given = {"changes": json.dumps(changes)}
    await connection.execute(_changing(engine.store.dialect), given)
    if retried or waiting:
        transaction.after_commit(lambda: engine.arrivals.say(waiting, min(retried, default=None)))


async def _keep(
    engine: Engine, transaction: Transaction, attempts: list[dict[str, Any]], ended: Sequence[EndedRun]
) -> None:
    if attempts:
        await transaction.connection.execute(run_attempts.insert(), attempts)
    await endings.tell(engine, transaction, ended)


def _count(moves: Moves, row: Any, after: RunStatus, now: int, error_class: str | None, code: str | None) -> None:
    waited = max(0, row.started_at - max(row.run_at, row.created_at)) if row.attempt == 1 else None
    moves.ended(
        row.queue,
        row.kind,
        row.tenant_id,
        RunStatus.ACTIVE,
        after,
        took_ms=max(0, now - row.started_at),
        waited_ms=waited,
        error_class=error_class,
        error_code=code,
    )


def _attempt(row: Any, now: int, outcome: AttemptOutcome, change: Change | None = None) -> dict[str, Any]:
    kept = {
        "run_id": row.id,
        "number": row.attempt,
        "started_at": row.started_at,
        "ended_at": now,
        "worker": row.worker,
        "outcome": str(outcome),
    }
    for name in ("error_class", "error_code", "error_message", "retry_at", "detail"):
        kept[name] = getattr(change, name) if change is not None and outcome is not AttemptOutcome.GIVEN_BACK else None
    return kept


def _ended(row: Any, status: RunStatus, change: Change | None = None) -> EndedRun:
    errors = ("error_class", "error_code", "error_message", "detail")
    return EndedRun(
        row.id,
        row.queue,
        row.kind,
        row.tenant_id,
        status,
        row.attempt,
        row.operation_id,
        row.dead_letter_id,
        **({name: getattr(change, name) for name in errors} if change is not None else {}),
    )


_STANDING = tuple(
    runs.c[name]
    for name in (
        "id", "queue", "kind", "tenant_id", "attempt", "max_attempts", "retry_count", "lost", "run_at", "created_at",
        "started_at", "worker", "lease_token", "cancel_requested", "operation_id", "dead_letter_id", "error_class",
        "error_code", "error_message",
    )
)  # fmt: skip
_COUNTED = tuple(
    runs.c[name]
    for name in (
        "id", "queue", "kind", "tenant_id", "attempt", "run_at", "created_at", "started_at", "operation_id",
        "dead_letter_id",
    )
)  # fmt: skip
_CHANGED = {
    "status": Text(),
    "run_at": BigInteger(),
    "max_attempts": Integer(),
    "retry_count": Integer(),
    "lost": Integer(),
    "finished_at": BigInteger(),
    "error_class": Text(),
    "error_code": Text(),
    "error_message": Text(),
}


@cache
def _completing(dialect: Dialect) -> Any:
    held = dialect.listed("held", RESULTS)
    completing = (
        update(runs)
        .where(still_held(held))
        .values(
            status=str(RunStatus.COMPLETED),
            lease_token=None,
            lease_until=None,
            finished_at=number_of("now"),
            progress=None,
            error_class=None,
            error_code=None,
            error_message=None,
            result=held.c.result,
        )
    )
    if not dialect.nests_writes:
        return completing.returning(*_COUNTED)
    done = completing.returning(*_COUNTED, runs.c.worker).cte("done")
    return select(done).add_cte(_remember(done).cte("remembered"))


@cache
def _remembering(dialect: Dialect) -> Any:
    """Attempts that completed, from the rows that still say when they began."""
    ids = dialect.listed("ids", {"id": BigInteger()})
    return _remember(runs, runs.c.id.in_(select(ids.c.id)))


def _remember(done: Any, *which: Any) -> Any:
    said = literal(str(AttemptOutcome.COMPLETED), Text)
    query = select(done.c.id, done.c.attempt, done.c.started_at, number_of("now"), done.c.worker, said).where(*which)
    return run_attempts.insert().from_select(["run_id", "number", "started_at", "ended_at", "worker", "outcome"], query)


@cache
def _holding(dialect: Dialect) -> Any:
    held = dialect.listed("held", HELD)
    query = select(*_STANDING).where(still_held(held))
    return query.with_for_update(of=runs) if dialect.skips_locked else query


@cache
def _changing(dialect: Dialect) -> Any:
    changes = dialect.listed("changes", {"id": BigInteger(), **_CHANGED})
    values = {name: changes.c[name] for name in _CHANGED}
    return (
        update(runs)
        .where(runs.c.id == changes.c.id)
        .values(**values, lease_token=None, lease_until=None, progress=None)
    )
