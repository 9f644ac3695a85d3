"""Runs that nobody wants any more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import RunStatus
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import endings, news
from quarterdeck.engine.runs.endings import EndedRun
from quarterdeck.engine.runs.sql import active
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.dialect import plain
from quarterdeck.engine.store.store import Transaction

_IDLE = (RunStatus.SCHEDULED, RunStatus.WAITING, RunStatus.FAILED)


async def cancel(
    engine: Engine, transaction: Transaction, which: Select[Any] | ColumnElement[bool], *, at_work: bool = True
) -> list[int]:
    """Cancel the runs whose ids `which` selects, or for which it holds; the ids of those that had not ended.

    What has not begun never will; what is at work is told to stop (unless `at_work` is False), and no other
    attempt follows.
    """
    connection, moves = transaction.connection, Moves()
    chosen = runs.c.id.in_(which) if isinstance(which, Select) else which
    ended: list[EndedRun] = []
    moved: list[tuple[int, str]] = []
    for before in _IDLE:
        cancelled = (
            update(runs)
            .where(chosen, plain(runs.c.status) == str(before))
            .values(status=str(RunStatus.CANCELLED), finished_at=transaction.now)
            .returning(*_KEPT)
        )
        for row in (await connection.execute(cancelled)).all():
            moves.moved(row.queue, row.tenant_id, before, RunStatus.CANCELLED)
            moved.append((row.id, row.tenant_id))
            if row.dead_letter_id is not None:
                ended.append(_ended(row))
    if at_work:
        told = (
            update(runs)
            .where(chosen, plain(runs.c.status) == str(RunStatus.ACTIVE))
            .values(cancel_requested=true())
            .returning(runs.c.id, runs.c.tenant_id)
        )
        moved += [(row.id, row.tenant_id) for row in (await connection.execute(told)).all()]
    await endings.tell(engine, transaction, ended)
    await record(transaction, engine.store.dialect, moves)
    news.touched(engine, transaction, moved)
    transaction.after_commit(engine.wake_worker)
    return [number for number, _ in moved]


async def cancel_waiting(engine: Engine, transaction: Transaction, operation_id: int) -> None:
    """What of an operation has not begun never will."""
    await cancel(engine, transaction, runs.c.operation_id == operation_id, at_work=False)


async def wanted_no_more(connection: AsyncConnection, worker: str) -> list[int]:
    """Runs at work with `worker` that are to stop."""
    query = select(runs.c.id).where(active(), runs.c.worker == worker, runs.c.cancel_requested)
    return list((await connection.execute(query)).scalars())


_KEPT = tuple(
    runs.c[name] for name in ("id", "queue", "kind", "tenant_id", "attempt", "operation_id", "dead_letter_id")
)


def _ended(row: Any) -> EndedRun:
    return EndedRun(
        row.id,
        row.queue,
        row.kind,
        row.tenant_id,
        RunStatus.CANCELLED,
        row.attempt,
        row.operation_id,
        row.dead_letter_id,
    )
