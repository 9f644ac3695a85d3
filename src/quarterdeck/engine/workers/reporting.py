"""What workers say of the runs they hold. Each word counts only under (id, attempt, lease token)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import MINUTE, SECOND, to_datetime, to_ms
from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.models.runs import (
    Completed,
    FailedAttempt,
    GivenBack,
    Heartbeat,
    HeartbeatAnswer,
    Held,
    LogTaken,
    NewLog,
    Run,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import settings_of
from quarterdeck.engine.runs import logs, outcomes
from quarterdeck.engine.runs.listing import RUNS
from quarterdeck.engine.runs.rows import run
from quarterdeck.engine.runs.service import finish
from quarterdeck.engine.runs.service import heartbeat as keep_lease
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.workers.attendance import attendance_of

# A worker may be so late with its last word after the attempt's time is over.
GRACE = 10 * SECOND
# Clocks of other machines are off; a line whose time cannot be true gets the engine's.
_CLOCK_OFF = 5 * MINUTE

_HELD: Select[Any] = select(
    runs.c.id,
    runs.c.queue,
    runs.c.tenant_id,
    runs.c.status,
    runs.c.attempt,
    runs.c.lease_token,
    runs.c.lease_until,
    runs.c.started_at,
    runs.c.timeout_ms,
    runs.c.worker,
    runs.c.cancel_requested,
)


async def heartbeat(engine: Engine, principal: Principal, run_id: int, said: Heartbeat) -> HeartbeatAnswer:
    """Keeps the lease, but not beyond the time of the attempt. Raises Problem: NOT_FOUND, LEASE_LOST."""
    async with engine.store.write() as transaction:
        row = await _held(transaction.connection, principal, run_id, said)
        over = (row.started_at or transaction.now) + await _timeout(transaction.connection, row)
        if transaction.now >= over:
            until, cancel = row.lease_until, True
        else:
            # Rounded up: a lease is kept in whole seconds.
            room = -(-(over + GRACE - transaction.now) // SECOND)
            held = outcomes.Held(run_id, said.attempt, said.lease_token)
            until, cancel = await keep_lease(engine, transaction, held, min(said.seconds, room), said.progress)
    attendance_of(engine).beaten(row.worker)
    return HeartbeatAnswer(lease_until=to_datetime(until), cancel=cancel)


async def log(engine: Engine, principal: Principal, run_id: int, said: NewLog) -> LogTaken:
    """Raises Problem: NOT_FOUND, LEASE_LOST."""
    async with engine.store.write() as transaction:
        row = await _held(transaction.connection, principal, run_id, said)
        now = transaction.now
        lines = []
        for line in said.lines:
            at = now if line.at is None else to_ms(line.at)
            begun = (row.started_at or now) - _CLOCK_OFF
            lines.append((at if begun <= at <= now + _CLOCK_OFF else now, str(line.level), line.text))
        kept, dropped = await logs.append(transaction, run_id, said.attempt, lines)
        transaction.after_commit(lambda: engine.run_watches.touch([run_id], written=True))
    attendance_of(engine).beaten(row.worker)
    return LogTaken(kept=kept, dropped=dropped)


async def complete(engine: Engine, principal: Principal, run_id: int, said: Completed) -> Run:
    """Raises Problem: NOT_FOUND, LEASE_LOST."""
    outcome = outcomes.Completed(run_id, said.attempt, said.lease_token, outcomes.as_result(said.result))
    return await _end(engine, principal, said, outcome)


async def fail(engine: Engine, principal: Principal, run_id: int, said: FailedAttempt) -> Run:
    """Raises Problem: NOT_FOUND, LEASE_LOST."""
    outcome = outcomes.Failed(
        run_id,
        said.attempt,
        said.lease_token,
        said.error_class,
        said.code,
        said.message,
        said.detail,
        said.retryable,
        said.retry_after,
    )
    return await _end(engine, principal, said, outcome)


async def give_back(engine: Engine, principal: Principal, run_id: int, said: GivenBack) -> Run:
    """A run that was to be cancelled is cancelled. Raises Problem: NOT_FOUND, LEASE_LOST."""
    return await _end(engine, principal, said, outcomes.GivenBack(run_id, said.attempt, said.lease_token))


async def _end(engine: Engine, principal: Principal, said: Held, outcome: outcomes.Outcome) -> Run:
    async with engine.store.write() as transaction:
        connection = transaction.connection
        if principal.tenants is not None or isinstance(outcome, outcomes.GivenBack):
            row = await _held(connection, principal, outcome.id, said)
            if row.cancel_requested and isinstance(outcome, outcomes.GivenBack):
                outcome = outcomes.Cancelled(outcome.id, outcome.attempt, outcome.token)
        if await finish(engine, transaction, [outcome]):
            # Ending is guarded by itself; only what was refused is looked at.
            await _held(connection, principal, outcome.id, said)
            raise Problem(Code.LEASE_LOST, f"Run {outcome.id} was ended by somebody else at the same moment.")
        found = await _shown(transaction, outcome.id)
        # Its place is free: the queue's limits may have kept others waiting.
        transaction.after_commit(lambda: engine.arrivals.say({found.queue}))
    failed = isinstance(outcome, outcomes.Failed)
    completed = isinstance(outcome, outcomes.Completed)
    attendance_of(engine).ended(found.worker, completed=completed, failed=failed)
    return found


async def _held(connection: AsyncConnection, principal: Principal, run_id: int, said: Held) -> Row[Any]:
    """The run, which is theirs. Raises Problem: NOT_FOUND, LEASE_LOST."""
    row: Row[Any] | None = (await connection.execute(_HELD.where(runs.c.id == run_id))).one_or_none()
    if row is None or not principal.sees(row.tenant_id):
        raise Problem(Code.NOT_FOUND, f"There is no run {run_id}.")
    if row.status != RunStatus.ACTIVE or row.attempt != said.attempt or row.lease_token != said.lease_token:
        raise _lost(row, said)
    return row


def _lost(row: Row[Any], said: Held) -> Problem:
    """What exactly does not match, so that a worker with a mistake is told apart from one that was too slow."""
    if row.attempt == said.attempt and row.status == RunStatus.ACTIVE:
        sentence = f"The lease token is not the one of attempt {row.attempt} of run {row.id}; use what the lease gave."
    elif said.attempt > row.attempt:
        sentence = f"Run {row.id} has had {row.attempt} attempts; {said.attempt} is none of them."
    elif row.status == RunStatus.ACTIVE:
        sentence = f"Attempt {said.attempt} of run {row.id} took too long; another worker has the run now."
    else:
        sentence = f"Run {row.id} is {row.status}: attempt {said.attempt} has ended, and its lease with it."
    return Problem(Code.LEASE_LOST, sentence)


async def _timeout(connection: AsyncConnection, row: Row[Any]) -> int:
    """Milliseconds an attempt may take."""
    if row.timeout_ms is not None:
        return int(row.timeout_ms)
    return round((await settings_of(connection, row.queue)).timeout_seconds * SECOND)


async def _shown(transaction: Transaction, run_id: int) -> Run:
    """Without payload and result: the worker has had them."""
    return run((await transaction.connection.execute(select(*RUNS.shown).where(runs.c.id == run_id))).one())
