"""Runs come into their queues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Text, literal_column, select, type_coerce, update

from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.live import Change
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import settings_of
from quarterdeck.engine.runs import news
from quarterdeck.engine.runs.sql import later, number_of, text_of
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

_STAGED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class New:
    """A run to be. `run_at` in ms, `priority` a rank; what is None comes from the queue.

    `timeout_ms` None follows the queue, also when that changes later.
    """

    queue: str
    kind: str
    tenant_id: str
    payload: Any = None
    run_at: int | None = None
    priority: int | None = None
    max_attempts: int | None = None
    timeout_ms: int | None = None
    unique_key: str | None = None
    operation_id: int | None = None
    dead_letter_id: int | None = None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """Ids in the order asked for; `existing` are those that a unique key had made before."""

    ids: list[int]
    existing: list[int] = field(default_factory=list)


async def enqueue(engine: Engine, transaction: Transaction, new: Sequence[New]) -> Enqueued:
    """All of them, or none. Raises Problem(NOT_FOUND) for a queue that nobody knows."""
    connection, dialect, now = transaction.connection, engine.store.dialect, transaction.now
    settings = {name: await settings_of(connection, name) for name in sorted({each.queue for each in new})}
    rows: list[dict[str, Any]] = []
    for run_id, each in zip(await dialect.next_ids(connection, runs, len(new)), new, strict=True):
        of_queue = settings[each.queue]
        due = now if each.run_at is None else each.run_at
        rows.append(
            {
                "id": run_id,
                "queue": each.queue,
                "kind": each.kind,
                "tenant_id": each.tenant_id,
                "payload": each.payload,
                "status": str(RunStatus.WAITING if due <= now else RunStatus.SCHEDULED),
                "priority": of_queue.priority.rank if each.priority is None else each.priority,
                "run_at": due,
                "max_attempts": of_queue.max_attempts if each.max_attempts is None else each.max_attempts,
                "timeout_ms": each.timeout_ms,
                "unique_key": each.unique_key,
                "operation_id": each.operation_id,
                "dead_letter_id": each.dead_letter_id,
                "created_at": now,
            }
        )
    existing = await _insert_unique(transaction, dialect, [row for row in rows if row["unique_key"] is not None])
    plain = [row for row in rows if row["unique_key"] is None]
    if plain:
        given = json.dumps([[_kept(name, row[name]) for name in _COLUMNS] for row in plain])
        await connection.execute(_inserting(dialect), {"new": given})
    made = [row for row in rows if row["id"] not in existing]
    moves = Moves()
    for row in made:
        moves.enqueued(row["queue"], row["kind"], row["tenant_id"], row["status"])
    await record(transaction, dialect, moves)
    _announce(engine, transaction, made)
    ids = [existing.get(row["id"], row["id"]) for row in rows]
    return Enqueued(ids, [existing[row["id"]] for row in rows if row["id"] in existing])


def _kept(name: str, value: Any) -> Any:
    return None if value is None else _ENCODER.encode(value) if name == "payload" else value


# As `JsonText` writes it.
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
# One statement for all of them, from one parameter: a third of the time of many rows with parameters of their own.
_COLUMNS = (
    "id", "queue", "kind", "tenant_id", "status", "priority", "run_at", "max_attempts", "timeout_ms", "operation_id",
    "dead_letter_id", "created_at", "payload",
)  # fmt: skip


@cache
def _inserting(dialect: Dialect) -> Any:
    new = dialect.listed("new", {name: Text() if name == "payload" else runs.c[name].type for name in _COLUMNS})
    return runs.insert().from_select(
        _COLUMNS, select(*(type_coerce(new.c[name], runs.c[name].type) for name in _COLUMNS))
    )


async def _insert_unique(transaction: Transaction, dialect: Dialect, rows: list[dict[str, Any]]) -> dict[int, int]:
    """The id that was meant for a row -> the run that had its key before."""
    existing: dict[int, int] = {}
    for row in rows:
        # One by one: whoever enqueues the same at the same moment is waited for.
        added = await transaction.connection.execute(
            dialect.insert(runs)
            .values(**row)
            .on_conflict_do_nothing(
                index_elements=["queue", "unique_key", "tenant_id"], index_where=runs.c.unique_key.is_not(None)
            )
        )
        if not added.rowcount:
            found = select(runs.c.id).where(
                *(runs.c[name] == row[name] for name in ("queue", "unique_key", "tenant_id"))
            )
            existing[row["id"]] = (await transaction.connection.execute(found)).scalar_one()
    return existing


def _announce(engine: Engine, transaction: Transaction, made: list[dict[str, Any]]) -> None:
    waiting = {row["queue"] for row in made if row["status"] == RunStatus.WAITING}
    due = min((row["run_at"] for row in made if row["status"] == RunStatus.SCHEDULED), default=None)
    news.touched(engine, transaction, [(row["id"], row["tenant_id"]) for row in made], Change.CREATED)
    if made:
        transaction.after_commit(lambda: engine.arrivals.say(waiting, due))


async def stage(engine: Engine, transaction: Transaction, moves: Moves) -> set[str]:
    """What has become due waits, up to 2,000 at once; the queues that it waits in. Several engines may do so."""
    query = _staging(engine.store.dialect)
    queues: set[str] = set()
    for before in (RunStatus.FAILED, RunStatus.SCHEDULED):
        given = {"before": str(before), "now": transaction.now}
        for row in (await transaction.connection.execute(query, given)).all():
            moves.moved(row.queue, row.tenant_id, before, RunStatus.WAITING)
            queues.add(row.queue)
    return queues


@cache
def _staging(dialect: Dialect) -> Any:
    run_at = literal_column("run_at", BigInteger)
    due = dialect.lock_skipping(
        select(literal_column("id", BigInteger))
        .select_from(dialect.through(runs, "ix_runs_later"))
        .where(later(), literal_column("status") == text_of("before"), run_at <= number_of("now"))
        .order_by(run_at, literal_column("id"))
        .limit(_STAGED_AT_ONCE)
    ).cte("due")
    return (
        update(runs)
        .where(runs.c.id.in_(select(due.c.id)))
        .values(status=str(RunStatus.WAITING))
        .returning(runs.c.queue, runs.c.tenant_id)
    )
