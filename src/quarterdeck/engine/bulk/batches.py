"""Batches are runs: which one waits next."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import RunStatus
from quarterdeck.engine.bulk.tables import bulk_batches
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service as runs
from quarterdeck.engine.runs.tables import runs as table
from quarterdeck.engine.store.store import Transaction

KIND = "bulk.batch"
QUEUE = "bulk"
_ATTEMPTS = 10


async def enqueue_batch(
    engine: Engine,
    transaction: Transaction,
    row: Row[Any],
    number: int,
    *,
    rate: float | None = None,
    chain: bool = True,
) -> None:
    """Only as many batches wait as may run at once, so several operations take turns.

    `chain`: finishing this batch enqueues the one after it.
    """
    run_at = None if rate is None else transaction.now + round(row.batch_size / rate * SECOND)
    payload = {"batch": number} if chain else {"batch": number, "chain": False}
    new = runs.New(QUEUE, KIND, runs.OURS, payload, run_at, max_attempts=_ATTEMPTS, operation_id=row.id)
    await runs.enqueue(engine, transaction, [new])


async def undone_batches(transaction: Transaction, row: Row[Any]) -> list[int]:
    noted = select(bulk_batches.c.number).where(bulk_batches.c.operation_id == row.id)
    finished = set((await transaction.connection.execute(noted)).scalars())
    # Stores from before batches were noted know it from their runs only.
    done = select(table.c.payload).where(table.c.operation_id == row.id, table.c.status == str(RunStatus.COMPLETED))
    finished |= {payload["batch"] for payload in (await transaction.connection.execute(done)).scalars()}
    return [number for number in range(row.batches) if number not in finished]
