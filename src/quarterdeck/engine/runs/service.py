"""Runs: what the rest of the engine does with them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.cancelling import cancel, cancel_waiting
from quarterdeck.engine.runs.enqueuing import Enqueued, New, enqueue
from quarterdeck.engine.runs.finishing import finish, rescue
from quarterdeck.engine.runs.leases import Beat, beat, claim
from quarterdeck.engine.runs.outcomes import Cancelled, Claimed, Completed, Failed, GivenBack, Held, Lost, Outcome
from quarterdeck.engine.runs.sql import active, later, waiting
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.store import Transaction

__all__ = [
    "OURS",
    "Beat",
    "Cancelled",
    "Claimed",
    "Completed",
    "Enqueued",
    "Failed",
    "GivenBack",
    "Held",
    "Lost",
    "New",
    "Outcome",
    "beat",
    "cancel",
    "cancel_run",
    "cancel_waiting",
    "claim",
    "complete",
    "enqueue",
    "finish",
    "heartbeat",
    "rescue",
]

# The tenant of the engine's own work, such as batches over items of several tenants.
OURS = "quarterdeck"


async def complete(engine: Engine, transaction: Transaction, run: Claimed) -> None:
    """Raises Problem(LEASE_LOST) where the lease has passed on; the caller's transaction must not commit then."""
    await _or_lost(engine, transaction, Completed(*run.held))


async def cancel_run(engine: Engine, transaction: Transaction, run: Claimed) -> None:
    """By whoever holds it. Raises Problem(LEASE_LOST)."""
    await _or_lost(engine, transaction, Cancelled(*run.held))


async def _or_lost(engine: Engine, transaction: Transaction, outcome: Outcome) -> None:
    if await finish(engine, transaction, [outcome]):
        raise lease_lost(outcome.id, outcome.attempt)


def lease_lost(run_id: int, attempt: int) -> Problem:
    return Problem(Code.LEASE_LOST, f"Attempt {attempt} of run {run_id} took too long; another worker has the run now.")


async def heartbeat(
    engine: Engine, transaction: Transaction, held: Held, seconds: int, progress: float | None = None
) -> tuple[int, bool]:
    """(until when the lease holds, in ms; whether to stop). Raises Problem(LEASE_LOST)."""
    until, stops = await beat(engine, transaction, [Beat(held.id, held.attempt, held.token, progress)], seconds)
    if held.id not in stops:
        raise lease_lost(held.id, held.attempt)
    return until, stops[held.id]


async def active_of(connection: AsyncConnection, operation_id: int) -> int:
    query = select(func.count()).where(runs.c.operation_id == operation_id, runs.c.status == str(RunStatus.ACTIVE))
    return int((await connection.execute(query)).scalar_one())


async def any_of(connection: AsyncConnection, operation_id: int) -> bool:
    """Whether the operation ever had a run."""
    query = select(runs.c.id).where(runs.c.operation_id == operation_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def anything_to_do(engine: Engine) -> bool:
    """Whether a run waits, is scheduled or is at work, or will be: then the engine must not stop by itself."""
    looks = (
        select(runs.c.id).where(waiting()),
        select(runs.c.id).where(later()),
        select(runs.c.id).where(active()),
    )
    async with engine.store.read() as connection:
        for look in looks:
            if (await connection.execute(look.limit(1))).first() is not None:
                return True
    return False
