"""Runs: enqueue, claim with a lease, and finish only while the lease holds."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk.tables import UNFINISHED, bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.tables import ACTIVE, LATER, WAITING, runs
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

LEASE = 30 * SECOND
# They repeat the conditions of the indexes to the letter, or SQLite would not use them.
_WAITING: ColumnElement[bool] = literal_column(WAITING)
_LATER: ColumnElement[bool] = literal_column(LATER)
_ACTIVE: ColumnElement[bool] = literal_column(ACTIVE)
# The tenant of the engine's own work, such as batches over items of several tenants.
OURS = "quarterdeck"


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed run. (`id`, `attempt`, `lease_token`) is the proof that it is still ours."""

    id: int
    queue: str
    kind: str
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    lease_token: str
    operation_id: int | None


async def enqueue(
    transaction: Transaction,
    queue: str,
    kind: str,
    payload: dict[str, Any],
    *,
    operation_id: int | None = None,
    run_at: int | None = None,
    priority: int = 1,
    max_attempts: int = 5,
) -> None:
    """`run_at` in ms; a later time makes it scheduled."""
    due = transaction.now if run_at is None else run_at
    await transaction.connection.execute(
        runs.insert(),
        {
            "queue": queue,
            "kind": kind,
            "tenant_id": OURS,
            "payload": payload,
            "status": str(RunStatus.WAITING if due <= transaction.now else RunStatus.SCHEDULED),
            "priority": priority,
            "run_at": due,
            "max_attempts": max_attempts,
            "operation_id": operation_id,
            "created_at": transaction.now,
        },
    )


async def claim(transaction: Transaction, dialect: Dialect, queue: str, worker: str, limit: int) -> list[Run]:
    """Up to `limit` runs that are due, each for LEASE milliseconds."""
    await stage(transaction)
    due = (
        select(runs)
        .where(_WAITING, runs.c.queue == queue)
        .order_by(runs.c.priority, runs.c.run_at, runs.c.id)
        .limit(limit)
    )
    found = (await transaction.connection.execute(dialect.lock_skipping(due))).all()
    claimed = []
    for row in found:
        token = secrets.token_hex(8)
        await transaction.connection.execute(
            update(runs)
            .where(runs.c.id == row.id)
            .values(
                status=str(RunStatus.ACTIVE),
                attempt=row.attempt + 1,
                lease_token=token,
                lease_until=transaction.now + LEASE,
                worker=worker,
                started_at=transaction.now,
            )
        )
        claimed.append(
            Run(row.id, row.queue, row.kind, row.payload, row.attempt + 1, row.max_attempts, token, row.operation_id)
        )
    return claimed


async def stage(transaction: Transaction) -> None:
    """What has become due waits, so that a claim never steps over what is not."""
    await transaction.connection.execute(
        update(runs).where(_LATER, runs.c.run_at <= transaction.now).values(status=str(RunStatus.WAITING))
    )


async def complete(transaction: Transaction, run: Run) -> None:
    """Raises Problem(LEASE_LOST) where the lease has passed on; the caller's transaction must not commit then."""
    await _finish(transaction, run, status=str(RunStatus.COMPLETED), finished_at=transaction.now)


async def cancel(transaction: Transaction, run: Run) -> None:
    await _finish(transaction, run, status=str(RunStatus.CANCELLED), finished_at=transaction.now)


async def give_back(transaction: Transaction, run: Run) -> None:
    """The attempt does not count: a shutdown is nobody's fault."""
    await _finish(transaction, run, status=str(RunStatus.WAITING), attempt=run.attempt - 1)


async def fail(transaction: Transaction, run: Run, code: str, message: str, *, retry_at: int | None) -> None:
    """Try again at `retry_at` (ms), or never where it is None."""
    status = RunStatus.DEAD if retry_at is None else RunStatus.FAILED
    await _finish(
        transaction,
        run,
        status=str(status),
        error_code=code,
        error_message=message,
        run_at=retry_at if retry_at is not None else transaction.now,
        finished_at=transaction.now,
    )


async def heartbeat(transaction: Transaction, run: Run) -> None:
    """Raises Problem(LEASE_LOST)."""
    await _finish(transaction, run, keep_lease=True, lease_until=transaction.now + LEASE)


async def _finish(transaction: Transaction, run: Run, *, keep_lease: bool = False, **values: Any) -> None:
    if not keep_lease:
        values |= {"lease_token": None, "lease_until": None}
    held = and_(
        runs.c.id == run.id,
        runs.c.attempt == run.attempt,
        runs.c.lease_token == run.lease_token,
        runs.c.status == str(RunStatus.ACTIVE),
    )
    changed = await transaction.connection.execute(update(runs).where(held).values(**values))
    if changed.rowcount != 1:
        raise Problem(
            Code.LEASE_LOST, f"Attempt {run.attempt} of run {run.id} took too long; another worker has the run now."
        )


async def rescue(transaction: Transaction, dialect: Dialect, *, before: int | None) -> list[Row[Any]]:
    """Runs whose lease ended before `before` (ms; None: every active run) wait again; the attempt counts.

    Returns those that have no attempt left: they are dead.
    """
    lapsed = select(runs.c.id, runs.c.attempt, runs.c.max_attempts, runs.c.operation_id).where(_ACTIVE)
    if before is not None:
        lapsed = lapsed.where(runs.c.lease_until < before)
    found = (await transaction.connection.execute(dialect.lock_skipping(lapsed))).all()
    dead = []
    for row in found:
        over = row.attempt >= row.max_attempts
        if over:
            dead.append(row)
        await transaction.connection.execute(
            update(runs)
            .where(runs.c.id == row.id)
            .values(
                status=str(RunStatus.DEAD if over else RunStatus.WAITING),
                lease_token=None,
                lease_until=None,
                error_code=str(Code.LEASE_LOST),
                error_message="The worker stopped without a word.",
            )
        )
    return dead


async def cancel_waiting(transaction: Transaction, operation_id: int) -> None:
    """What has not begun never will."""
    await transaction.connection.execute(
        update(runs)
        .where(runs.c.operation_id == operation_id, or_(_WAITING, _LATER))
        .values(status=str(RunStatus.CANCELLED), finished_at=transaction.now)
    )


async def active_of(connection: AsyncConnection, operation_id: int) -> int:
    query = select(func.count()).where(runs.c.operation_id == operation_id, runs.c.status == str(RunStatus.ACTIVE))
    return int((await connection.execute(query)).scalar_one())


async def any_of(connection: AsyncConnection, operation_id: int) -> bool:
    """Whether the operation ever had a run."""
    query = select(runs.c.id).where(runs.c.operation_id == operation_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def next_due(connection: AsyncConnection, queue: str) -> int | None:
    """When the next run of the queue is due (ms)."""
    looks = [select(func.min(runs.c.run_at)).where(when, runs.c.queue == queue) for when in (_WAITING, _LATER)]
    found = [(await connection.execute(look)).scalar() for look in looks]
    return min((at for at in found if at is not None), default=None)


async def anything_to_do(engine: Engine) -> bool:
    """Whether a run waits, is scheduled or is at work, or will be: then the engine must not stop by itself."""
    looks = (
        select(runs.c.id).where(_WAITING),
        select(runs.c.id).where(_LATER),
        select(runs.c.id).where(_ACTIVE),
        # An operation that is scheduled has no run yet.
        select(bulk_operations.c.id).where(literal_column(UNFINISHED)),
    )
    async with engine.store.read() as connection:
        for look in looks:
            if (await connection.execute(look.limit(1))).first() is not None:
                return True
    return False
