"""One batch, one transaction: guard, events, items, results, counters, the end of the run and the next one."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, Text, and_, case, func, literal, select, update

from quarterdeck.contract.enums import BulkStatus, Outcome
from quarterdeck.contract.live import Change
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk.batches import enqueue_batch
from quarterdeck.engine.bulk.effects import Plan, plan_of
from quarterdeck.engine.bulk.lifecycle import announce_operation, close
from quarterdeck.engine.bulk.pace import PACES
from quarterdeck.engine.bulk.tables import bulk_items, bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.acts import announce
from quarterdeck.engine.items.effects import carry_out, verdict
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.runs import service as runs
from quarterdeck.engine.runs.service import Run
from quarterdeck.engine.store.store import Transaction


async def work(engine: Engine, run: Run) -> None:
    """Carry out the batch that `run` names; committed together with the end of the run, so never twice."""
    began = time.monotonic()
    number = int(run.payload["batch"])
    async with engine.store.write() as transaction:
        row = await _locked(engine, transaction, run.operation_id)
        if row.cancel_requested or not BulkStatus(row.status).is_running:
            await runs.cancel(transaction, run)
            if row.cancel_requested and BulkStatus(row.status).is_running:
                await close(engine, transaction, row, BulkStatus.CANCELLED)
            return
        await runs.complete(transaction, run)
        plan = plan_of(engine, row, transaction.now)
        succeeded, failed = await _act(engine, transaction, row, plan, number)
        await transaction.connection.execute(
            update(bulk_operations)
            .where(bulk_operations.c.id == row.id)
            .values(
                status=str(BulkStatus.IN_PROGRESS),
                started_at=func.coalesce(bulk_operations.c.started_at, transaction.now),
                succeeded=bulk_operations.c.succeeded + succeeded,
                failed=bulk_operations.c.failed + failed,
                batches_done=bulk_operations.c.batches_done + 1,
            )
        )
        done = row.batches_done + 1
        if done >= row.batches:
            row = await _locked(engine, transaction, row.id)
            nothing_worked = row.succeeded == 0 and row.failed > 0
            await close(engine, transaction, row, BulkStatus.FAILED if nothing_worked else BulkStatus.COMPLETED)
        elif run.payload.get("chain", True) and number + row.parallel < row.batches:
            await enqueue_batch(engine, transaction, row, number + row.parallel, rate=plan.action.batch.rate)
        if succeeded:
            announce(engine, transaction, row.resource, None, None, Change.UPDATED)
        transaction.after_commit(lambda: PACES.add(row.id, succeeded + failed, time.monotonic() - began))
        await announce_operation(engine, transaction, row.id)


async def _locked(engine: Engine, transaction: Transaction, operation_id: int | None) -> Row[Any]:
    query = select(bulk_operations).where(bulk_operations.c.id == operation_id)
    row: Row[Any] | None = (await transaction.connection.execute(engine.store.dialect.lock(query))).one_or_none()
    if row is None:
        raise Problem(Code.NOT_FOUND, f"There is no bulk operation {operation_id}.")
    return row


async def _act(engine: Engine, transaction: Transaction, row: Row[Any], plan: Plan, number: int) -> tuple[int, int]:
    """(succeeded, failed) of one batch."""
    connection, dialect = transaction.connection, engine.store.dialect
    first = row.first_seq + number * row.batch_size
    batch = and_(
        bulk_items.c.operation_id == row.id,
        bulk_items.c.seq >= first,
        bulk_items.c.seq < first + row.batch_size,
    )
    pending = and_(batch, bulk_items.c.outcome == str(Outcome.PENDING))
    if dialect.skips_locked:
        here = select(bulk_items.c.item_id).where(pending)
        locking = select(items.c.id).where(items.c.id.in_(here)).order_by(items.c.id)
        await connection.execute(dialect.lock(locking))
    step = 1 if plan.effect.counts_as_change else 0
    refused = verdict(plan.effect, plan.principal, row.resource)
    changed = literal(str(Code.CHANGED_SINCE), Text)
    code = case((items.c.version != bulk_items.c.version, func.coalesce(refused, changed)), else_=refused)
    judged = await connection.execute(
        update(bulk_items)
        .where(pending, items.c.id == bulk_items.c.item_id)
        .values(
            outcome=case((code.is_(None), literal(str(Outcome.SUCCEEDED), Text)), else_=str(Outcome.FAILED)),
            code=code,
            status=items.c.status,
            # What failed keeps the version it was drafted with, against which a retry of an undo is judged.
            version=case((code.is_(None), items.c.version + step), else_=bulk_items.c.version),
        )
    )
    counted = select(bulk_items.c.outcome, func.count().label("number")).where(batch).group_by(bulk_items.c.outcome)
    counts = {each.outcome: each.number for each in (await connection.execute(counted)).all()}
    gone = counts.get(Outcome.PENDING, 0)
    if gone or not judged.rowcount:
        # Purged since the draft: nothing left to join.
        await connection.execute(
            update(bulk_items).where(pending).values(outcome=str(Outcome.FAILED), code=str(Code.NOT_FOUND))
        )
    succeeded = counts.get(Outcome.SUCCEEDED, 0)
    if succeeded:
        acted = select(bulk_items.c.item_id).where(batch, bulk_items.c.outcome == str(Outcome.SUCCEEDED))
        await carry_out(
            plan.effect,
            items.c.id.in_(acted),
            transaction,
            dialect,
            actor=plan.principal.actor,
            operation_id=row.id,
        )
    return succeeded, counts.get(Outcome.FAILED, 0) + gone
