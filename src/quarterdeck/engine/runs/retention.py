"""Runs that have ended are kept for the days that their queue says, by how they ended; then they go with their
attempts and logs, a slice at a time, each with an entry in the audit log."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, delete, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.contract.enums import MachineResource, RunStatus
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.queues import Keep
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import known_queues
from quarterdeck.engine.runs import news
from quarterdeck.engine.runs.sql import number_of, text_of
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

_SLICE = 1_000
_KEPT = {
    RunStatus.COMPLETED: "completed_days",
    RunStatus.CANCELLED: "cancelled_days",
    RunStatus.DEAD: "dead_days",
}


async def forget_old(engine: Engine) -> int:
    """How many runs were removed."""
    async with engine.store.read() as connection:
        known = await known_queues(connection)
        names = await _queues(connection, engine.store.dialect)
    removed = 0
    for name in names:
        keep = known[name].settings.keep if name in known else Keep()
        for status, days in _KEPT.items():
            before = now_ms() - round(getattr(keep, days) * DAY)
            if await _any(engine, name, status, before):
                removed += await _forget(engine, name, status, before)
    if removed:
        log.info("%d runs had been kept for long enough", removed)
    return removed


async def _any(engine: Engine, queue: str, status: RunStatus, before: int) -> bool:
    """Looked at without the writer, who has other things to do."""
    given = {"of_queue": queue, "state": str(status), "before": before, "most": 1}
    async with engine.store.read() as connection:
        return (await connection.execute(_old(engine.store.dialect), given)).first() is not None


async def _forget(engine: Engine, queue: str, status: RunStatus, before: int) -> int:
    removed = 0
    while True:
        async with engine.store.write() as transaction:
            found = await _remove(engine, transaction, queue, status, before)
        removed += found
        if found < _SLICE or engine.stopping.is_set():
            return removed


async def _remove(engine: Engine, transaction: Transaction, queue: str, status: RunStatus, before: int) -> int:
    connection, dialect = transaction.connection, engine.store.dialect
    given = {"of_queue": queue, "state": str(status), "before": before, "most": _SLICE}
    ids = list((await connection.execute(_old(dialect), given)).scalars())
    if not ids:
        return 0
    chosen = dialect.id_list(ids)
    for table, column in ((run_logs, run_logs.c.run_id), (run_attempts, run_attempts.c.run_id)):
        await connection.execute(delete(table).where(column.in_(chosen)))
    gone = (
        await connection.execute(delete(runs).where(runs.c.id.in_(chosen)).returning(runs.c.id, runs.c.tenant_id))
    ).all()
    moves = Moves()
    for row in gone:
        moves.removed(queue, row.tenant_id, status)
    await record(transaction, dialect, moves)
    await audit.append(
        transaction,
        engine.store,
        SYSTEM,
        "runs.expired",
        resource=MachineResource.RUNS,
        details={"count": len(gone), "queue": queue, "status": str(status), "ended_before": before},
    )
    news.touched(engine, transaction, [(row.id, row.tenant_id) for row in gone], Change.DELETED)
    return len(gone)


@cache
def _old(dialect: Dialect) -> Any:
    """The condition of `ix_runs_finished` to the letter, and nothing that leads elsewhere."""
    finished = literal_column("finished_at", BigInteger)
    query = (
        select(literal_column("id", BigInteger))
        .select_from(dialect.through(runs, "ix_runs_finished"))
        .where(
            literal_column("finished_at IS NOT NULL"),
            literal_column("status") == text_of("state"),
            literal_column("queue") == text_of("of_queue"),
            finished < number_of("before"),
        )
        .order_by(finished)
        .limit(number_of("most"))
    )
    return dialect.lock_skipping(query)


async def _queues(connection: AsyncConnection, dialect: Dialect) -> list[str]:
    """Every queue that has runs, by its index: as many steps as there are queues."""
    names: list[str] = []
    name: str | None = ""
    while True:
        above = select(func.min(runs.c.queue)).where(runs.c.queue > name)
        name = (await connection.execute(above)).scalar_one()
        if name is None:
            return names
        names.append(name)
