"""One batch, one transaction: guard, events, items, results, counters, the end of the run and the next one."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, Text, and_, bindparam, case, func, literal, select, update

from quarterdeck.contract.enums import BulkStatus, Outcome
from quarterdeck.contract.live import Change
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import announce
from quarterdeck.engine.bulk.batches import enqueue_batch
from quarterdeck.engine.bulk.effects import Plan, plan_of
from quarterdeck.engine.bulk.lifecycle import announce_operation, close
from quarterdeck.engine.bulk.pace import PACES
from quarterdeck.engine.bulk.tables import bulk_batches, bulk_items, bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service as runs
from quarterdeck.engine.runs.service import Claimed
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import Part


async def work(engine: Engine, run: Claimed) -> None:
    """Carry out the batch that `run` names; committed together with the end of the run, so never twice."""
    began = time.monotonic()
    number = int(run.payload["batch"])
    async with engine.store.write() as transaction:
        row = await _locked(engine, transaction, run.operation_id)
        if row.cancel_requested or not BulkStatus(row.status).is_running:
            await runs.cancel_run(engine, transaction, run)
            if row.cancel_requested and BulkStatus(row.status).is_running:
                await close(engine, transaction, row, BulkStatus.CANCELLED)
            return
        await runs.complete(engine, transaction, run)
        plan = plan_of(engine, row, transaction.now)
        succeeded, failed = await _act(engine, transaction, row, plan, number)
        await transaction.connection.execute(bulk_batches.insert(), {"operation_id": row.id, "number": number})
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
            await enqueue_batch(engine, transaction, row, number + row.parallel, rate=plan.doing.action.batch.rate)
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
    """(succeeded, failed) of one batch. Only what is refused is written down."""
    connection, dialect, subject = transaction.connection, engine.store.dialect, plan.subject
    table = subject.listing.table
    first = row.first_seq + number * row.batch_size
    pending = and_(
        bulk_items.c.operation_id == row.id,
        bulk_items.c.seq >= first,
        bulk_items.c.seq < first + row.batch_size,
        bulk_items.c.outcome == str(Outcome.PENDING),
    )
    here = select(bulk_items.c.item_id).where(pending)
    if dialect.skips_locked:
        await connection.execute(dialect.lock(select(table.c.id).where(table.c.id.in_(here)).order_by(table.c.id)))
    total = (await connection.execute(select(func.count()).select_from(bulk_items).where(pending))).scalar_one()
    refused = subject.verdict(plan.effect, plan.doing.principal)
    if subject.version is not None:
        changed = literal(str(Code.CHANGED_SINCE), Text)
        refused = case((subject.version != bulk_items.c.version, func.coalesce(refused, changed)), else_=refused)
    # Purged since the draft: nothing left to join.
    code = case((table.c.id.is_(None), literal(str(Code.NOT_FOUND), Text)), else_=refused)
    seen = case((table.c.id.is_(None), bulk_items.c.status), else_=table.c.status)
    judged = (
        select(bulk_items.c.seq, code.label("code"), seen.label("status"))
        .select_from(bulk_items.join(table, table.c.id == bulk_items.c.item_id, isouter=True))
        .where(pending)
        .subquery("judged")
    )
    failed = (await connection.execute(select(judged).where(judged.c.code.is_not(None)))).all()
    if failed:
        # What failed keeps the version it was drafted with, against which a retry of an undo is judged.
        note = update(bulk_items).where(bulk_items.c.seq == bindparam("the_seq"))
        note = note.values(outcome=str(Outcome.FAILED), code=bindparam("the_code"), status=bindparam("the_status"))
        values = [{"the_seq": each.seq, "the_code": each.code, "the_status": each.status} for each in failed]
        await connection.execute(note, values)
    if len(failed) < total:
        part = Part(row.id, number * row.batch_size, row.started_at or transaction.now)
        await subject.carry_out(plan.effect, table.c.id.in_(here), transaction, plan.doing, part)
    return total - len(failed), len(failed)
