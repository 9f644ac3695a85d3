"""From draft to the end: confirm, schedule, start, cancel, resume, close."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select, update

from quarterdeck.contract.actions import risk_of
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import BulkStatus, Risk, read_resource
from quarterdeck.contract.live import Message
from quarterdeck.contract.models.bulk import BulkOperation, Confirm
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.contract.transitions import BULK_TRANSITIONS, can_move
from quarterdeck.engine.acting import the_action
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.bulk import rows
from quarterdeck.engine.bulk.batches import enqueue_batch, undone_batches
from quarterdeck.engine.bulk.effects import action_of, principal_of
from quarterdeck.engine.bulk.finding import find_operation, unfinished
from quarterdeck.engine.bulk.pace import PACES
from quarterdeck.engine.bulk.retention import remove
from quarterdeck.engine.bulk.tables import bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service as runs
from quarterdeck.engine.store.store import Transaction

_ASK_AGAIN_SECONDS = 5
_NOT_BEGUN = (BulkStatus.DRAFT, BulkStatus.SCHEDULED, BulkStatus.IN_PROGRESS)


async def confirm(engine: Engine, principal: Principal, operation_id: int, said: Confirm) -> BulkOperation:
    """Start a draft, or schedule it for its time."""
    async with engine.store.write() as transaction:
        row = await _mine(engine, transaction, principal, operation_id)
        if row.status != BulkStatus.DRAFT:
            raise _wrong_state(row, "confirmed", "draft")
        if row.eligible == 0:
            raise Problem(Code.NOTHING_ELIGIBLE, f"None of the {row.total} items can take this; nothing would change.")
        if said.count is not None and said.count != row.eligible:
            raise Problem(
                Code.COUNT_MISMATCH, f"You confirmed {said.count} items, but {row.eligible} would change; look again."
            )
        if said.count is None and risk_of(action_of(row), row.params) is Risk.HIGH:
            raise Problem(
                Code.COUNT_MISMATCH, f"{rows.label(row)} is of high risk: confirm with the count, {row.eligible}."
            )
        later = row.run_at is not None and row.run_at > transaction.now
        act = "bulk.scheduled" if later else "bulk.started"
        await _audit(engine, transaction, principal, row, act, reason=row.reason, **_chosen(row))
        # After the entry: whoever appends to the chain is alone, so two at once are counted one after the other.
        await _within_limit(engine, transaction, principal)
        if later:
            await _set(transaction, row.id, status=str(BulkStatus.SCHEDULED))
        else:
            await _start(engine, transaction, row)
        return await announce_operation(engine, transaction, row.id)


async def _within_limit(engine: Engine, transaction: Transaction, principal: Principal) -> None:
    limit = engine.settings.engine.bulk_per_user
    query = (
        select(func.count())
        .select_from(bulk_operations)
        .where(
            unfinished(BulkStatus.PENDING, BulkStatus.IN_PROGRESS),
            bulk_operations.c.created_by == principal.actor,
        )
    )
    if (await transaction.connection.execute(query)).scalar_one() >= limit:
        raise Problem(
            Code.TOO_MANY_OPERATIONS,
            f"You already have {limit} bulk operations running; wait for one to finish or cancel it.",
            retry_after=_ASK_AGAIN_SECONDS,
        )


async def _start(engine: Engine, transaction: Transaction, row: Row[Any]) -> None:
    await _set(transaction, row.id, status=str(BulkStatus.PENDING), error=None)
    for number in range(min(row.parallel, row.batches)):
        await enqueue_batch(engine, transaction, row, number)


async def start_scheduled(engine: Engine) -> None:
    """A tick: whatever was scheduled for now or earlier begins."""
    async with engine.store.read() as connection:
        waiting = (
            select(bulk_operations.c.id)
            .where(unfinished(BulkStatus.SCHEDULED), bulk_operations.c.run_at <= now_ms())
            .order_by(bulk_operations.c.run_at)
        )
        ids = (await connection.execute(waiting)).scalars().all()
    for operation_id in ids:
        async with engine.store.write() as transaction:
            due = select(bulk_operations).where(
                bulk_operations.c.id == operation_id,
                bulk_operations.c.status == str(BulkStatus.SCHEDULED),
                bulk_operations.c.run_at <= transaction.now,
            )
            row = (await transaction.connection.execute(engine.store.dialect.lock(due))).one_or_none()
            if row is None:
                continue
            who = principal_of(row)
            await _audit(engine, transaction, who, row, "bulk.started", reason=row.reason, **_chosen(row))
            await _start(engine, transaction, row)
            await announce_operation(engine, transaction, row.id)


async def cancel(engine: Engine, principal: Principal, operation_id: int) -> BulkOperation:
    """Stops after the batches in flight. A draft leaves the history: it never was more than a question."""
    async with engine.store.write() as transaction:
        row = await _mine(engine, transaction, principal, operation_id)
        if not can_move(BULK_TRANSITIONS, row.status, BulkStatus.CANCELLED):
            raise _wrong_state(row, "cancelled", "draft, scheduled, pending or in_progress")
        done = {"succeeded": row.succeeded, "failed": row.failed}
        await _audit(engine, transaction, principal, row, "bulk.cancel", **done)
        await runs.cancel_waiting(engine, transaction, row.id)
        await _set(transaction, row.id, cancel_requested=True)
        if await runs.active_of(transaction.connection, row.id) == 0:
            await close(engine, transaction, row, BulkStatus.CANCELLED)
        said = await announce_operation(engine, transaction, row.id)
    if row.status == BulkStatus.DRAFT:
        await remove(engine, row, whole=True)
    return said


async def resume(engine: Engine, principal: Principal, operation_id: int) -> BulkOperation:
    """Go on after a cancel, or a reason outside the operation, with the batches that were not done."""
    async with engine.store.write() as transaction:
        row = await _mine(engine, transaction, principal, operation_id)
        if not can_move(BULK_TRANSITIONS, row.status, BulkStatus.PENDING) or row.status in _NOT_BEGUN:
            raise _wrong_state(row, "resumed", "failed or cancelled, with batches left")
        if row.batches_done >= row.batches:
            raise Problem(Code.WRONG_STATE, f"Operation {row.id} has done all its batches; nothing is left to resume.")
        # Nobody resumes what was never confirmed, nor what has forgotten which items are done.
        begun = row.started_at is not None or await runs.any_of(transaction.connection, row.id)
        if row.first_seq == 0 or not begun:
            raise Problem(
                Code.WRONG_STATE, f"Operation {row.id} never began, or its items were removed since; select anew."
            )
        if await runs.active_of(transaction.connection, row.id):
            raise Problem(
                Code.WRONG_STATE, f"A batch of operation {row.id} is still in flight; resume it when that has ended."
            )
        await _audit(engine, transaction, principal, row, "bulk.resume", batches_done=row.batches_done)
        await _within_limit(engine, transaction, principal)
        await _set(
            transaction, row.id, status=str(BulkStatus.PENDING), error=None, finished_at=None, cancel_requested=False
        )
        for number in await undone_batches(transaction, row):
            await enqueue_batch(engine, transaction, row, number, chain=False)
        PACES.forget(row.id)
        return await announce_operation(engine, transaction, row.id)


async def close(engine: Engine, transaction: Transaction, row: Row[Any], status: BulkStatus) -> None:
    """The end, with its audit entry."""
    error = "Every item failed." if status is BulkStatus.FAILED else None
    await runs.cancel_waiting(engine, transaction, row.id)
    await _set(transaction, row.id, status=str(status), finished_at=transaction.now, error=error)
    if row.status != BulkStatus.DRAFT:
        counts = {"succeeded": row.succeeded, "failed": row.failed, "skipped": row.skipped}
        await _audit(engine, transaction, principal_of(row), row, "bulk.finished", status=str(status), **counts)
    transaction.after_commit(lambda: PACES.forget(row.id))


async def gave_up(engine: Engine, transaction: Transaction, operation_id: int | None, problem: Problem) -> None:
    """A batch cannot go on: the operation stops with the reason, and can be resumed."""
    if operation_id is None:
        return
    query = select(bulk_operations).where(bulk_operations.c.id == operation_id)
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None or not BulkStatus(row.status).is_running:
        return
    await runs.cancel_waiting(engine, transaction, operation_id)
    await _set(
        transaction,
        operation_id,
        status=str(BulkStatus.FAILED),
        finished_at=transaction.now,
        error=f"{problem.detail} {row.succeeded} items are done; resume to go on.",
    )
    why = {"code": str(problem.code), "succeeded": row.succeeded}
    await _audit(engine, transaction, principal_of(row), row, "bulk.stopped", **why)
    await announce_operation(engine, transaction, operation_id)


def stalled(engine: Engine, operation_id: int | None, problem: Problem | None) -> None:
    """Keeps the reason in memory while the store cannot take it."""
    if operation_id is None:
        return
    if problem is None:
        PACES.stalled.pop(operation_id, None)
    else:
        PACES.stalled[operation_id] = problem.detail


async def announce_operation(engine: Engine, transaction: Transaction, operation_id: int) -> BulkOperation:
    """The operation as it is now; consoles hear of it after the commit."""
    query = select(bulk_operations).where(bulk_operations.c.id == operation_id)
    row = (await transaction.connection.execute(query)).one()
    said = rows.operation(row)

    def tell() -> None:
        now = rows.operation(row).model_dump(mode="json")
        engine.hub.publish({"type": Message.OPERATION_CHANGED, "operation": now}, None, owner=row.created_by)
        engine.hub.publish_progress(now, BulkStatus(row.status).is_final)

    transaction.after_commit(tell)
    return said


def _chosen(row: Row[Any]) -> dict[str, Any]:
    """What is done to what, for the audit log."""
    told = {name: getattr(row, name) for name in ("action", "params", "total", "eligible", "filter")}
    told["undo_of" if row.kind == "undo" else "retry_of"] = row.parent_id
    return {name: value for name, value in told.items() if value is not None}


async def _audit(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    row: Row[Any],
    act: str,
    *,
    reason: str | None = None,
    **details: Any,
) -> None:
    await audit.append(
        transaction,
        engine.store,
        principal,
        act,
        resource=row.resource,
        target=f"bulk:{row.id}",
        reason=reason,
        details={"operation": row.id, **details},
    )


async def _mine(engine: Engine, transaction: Transaction, principal: Principal, operation_id: int) -> Row[Any]:
    row = await find_operation(transaction.connection, principal, operation_id, lock=engine.store.dialect)
    the_action(read_resource(row.resource), row.action, principal)
    return row


async def _set(transaction: Transaction, operation_id: int, **values: Any) -> None:
    await transaction.connection.execute(
        update(bulk_operations).where(bulk_operations.c.id == operation_id).values(**values)
    )


def _wrong_state(row: Row[Any], what: str, needed: str) -> Problem:
    return Problem(
        Code.WRONG_STATE,
        f"Operation {row.id} is {row.status}; it can be {what} when it is {needed}.",
        extra={"status": row.status},
    )
