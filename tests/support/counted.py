"""Moves said at any time of the past, and runs that wait."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Priority
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.folding import fold_some
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.store import Store


async def said(store: Store, moves: Moves, *, ago: int = 0) -> int:
    """Recorded as if `ago` milliseconds ago; returns when that was."""
    async with store.write() as transaction:
        transaction.now -= ago
        await record(transaction, store.dialect, moves)
        await fold_some(transaction, store.dialect)
        return transaction.now


async def attempts(
    store: Store,
    completed: int = 0,
    failed: int = 0,
    *,
    ago: int = 0,
    queue: str = "mail",
    kind: str = "welcome",
    tenant: str = "acme",
    took: float = 10,
    waited: float | None = None,
    code: str = "503",
) -> None:
    """Attempts that ended, recorded as if `ago` milliseconds ago."""
    moves = Moves()
    for _ in range(completed):
        moves.ended(queue, kind, tenant, "active", "completed", took_ms=took, waited_ms=waited)
    for _ in range(failed):
        failure = {"error_class": "network", "error_code": code}
        moves.ended(queue, kind, tenant, "active", "failed", took_ms=took, waited_ms=waited, **failure)
    await said(store, moves, ago=ago)


async def waiting(
    store: Store, number: int = 1, *, ago: int = 0, queue: str = "mail", kind: str = "welcome", tenant: str = "acme",
    priority: Priority = Priority.NORMAL,
) -> None:  # fmt: skip
    """Runs that have waited so long, counted as enqueue counts them."""
    row: dict[str, Any] = {
        "queue": queue,
        "kind": kind,
        "tenant_id": tenant,
        "status": "waiting",
        "priority": priority.rank,
        "run_at": now_ms() - ago,
        "max_attempts": 5,
        "created_at": now_ms() - ago,
    }
    moves = Moves()
    moves.enqueued(queue, kind, tenant, "waiting", number)
    async with store.write() as transaction:
        await transaction.connection.execute(runs.insert(), [row] * number)
    await said(store, moves, ago=ago)
