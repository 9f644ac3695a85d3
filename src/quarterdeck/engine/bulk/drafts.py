"""Drafts: the selection is frozen with a verdict per item; nothing is changed yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, Text, and_, case, cast, func, insert, literal, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_ms
from quarterdeck.contract.enums import AnyResource, BulkKind, BulkStatus, Outcome, read_resource
from quarterdeck.contract.models.bulk import BulkPreview, NewBulk, PreviewItem
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_reach, read_params, the_action
from quarterdeck.engine.bulk import rows
from quarterdeck.engine.bulk.effects import action_of, plan_of, undo_params
from quarterdeck.engine.bulk.finding import find_operation, of_operation, succeeded
from quarterdeck.engine.bulk.pace import PACES
from quarterdeck.engine.bulk.tables import bulk_items, bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items import amounts
from quarterdeck.engine.listing.selections import chosen
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import Subject, subject_of

_FIRST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _New:
    """The row of a new operation, before its counts are known."""

    kind: BulkKind
    resource: AnyResource
    verb: str
    params: dict[str, Any]
    reason: str | None = None
    filter: str | None = None
    parent_id: int | None = None
    run_at: int | None = None
    batch_size: int | None = None


async def draft(engine: Engine, principal: Principal, resource: AnyResource, verb: str, wanted: NewBulk) -> BulkPreview:
    action = the_action(resource, verb, principal)
    if not action.bulk:
        raise Problem(Code.NOT_FOUND, f"{action.label} works on one item at a time.")
    params = read_params(action, wanted.params).model_dump(mode="json")
    may_reach(resource, [params.get("status")], principal)
    subject = subject_of(resource)
    async with engine.store.write() as transaction:
        filter_text = None
        if wanted.selection is not None:
            selection = await chosen(transaction, engine.store.dialect, principal, subject.listing, wanted.selection)
            filter_text = selection.filter
            id_ = subject.listing.table.c.id.label("item_id")
            source = select(id_, *_as_it_is(subject)).where(*selection.where)
        else:
            source = _of_ids(engine, subject, wanted.ids or [])
        new = _New(
            BulkKind.ACTION,
            resource,
            verb,
            params,
            wanted.reason or params.get("reason"),
            filter_text,
            run_at=None if wanted.run_at is None else to_ms(wanted.run_at),
            batch_size=wanted.batch_size,
        )
        return await _freeze(engine, transaction, principal, new, source)


async def draft_retry(engine: Engine, principal: Principal, operation_id: int) -> BulkPreview:
    """The same again over those that failed."""
    async with engine.store.write() as transaction:
        old = await find_operation(transaction.connection, principal, operation_id)
        _need_final(old, "retried")
        if old.failed == 0:
            raise Problem(
                Code.NOTHING_ELIGIBLE, f"Nothing failed in operation {operation_id}; there is nothing to retry."
            )
        _may(old, principal)
        _need_results(engine, old)
        source = _of_results(old, bulk_items.c.outcome == str(Outcome.FAILED), bulk_items.c.version)
        undo = old.kind == BulkKind.UNDO
        new = _New(
            BulkKind.UNDO if undo else BulkKind.RETRY,
            read_resource(old.resource),
            old.action,
            old.params,
            old.reason,
            parent_id=old.parent_id if undo else old.id,
            batch_size=old.batch_size,
        )
        return await _freeze(engine, transaction, principal, new, source)


async def draft_undo(engine: Engine, principal: Principal, operation_id: int) -> BulkPreview:
    """The earlier values back, where the item has not changed since."""
    async with engine.store.write() as transaction:
        old = await find_operation(transaction.connection, principal, operation_id)
        _need_final(old, "undone")
        if not action_of(old).undoable:
            raise Problem(Code.NOT_UNDOABLE, f"{rows.label(old)} cannot be undone.")
        if old.succeeded == 0:
            raise Problem(Code.NOTHING_ELIGIBLE, f"Operation {operation_id} changed nothing; there is nothing to undo.")
        _may(old, principal)
        _need_results(engine, old)
        step = 1 if plan_of(engine, old, transaction.now).effect.counts_as_change else 0
        noted = bulk_items.c.outcome == str(Outcome.SUCCEEDED)
        left = case((noted, bulk_items.c.version), else_=bulk_items.c.version + step)
        source = _of_results(old, succeeded(old), left)
        new = _New(
            BulkKind.UNDO,
            read_resource(old.resource),
            old.action,
            undo_params(engine, old, transaction.now),
            f"Undo of operation {old.id}",
            parent_id=old.id,
            batch_size=old.batch_size,
        )
        return await _freeze(engine, transaction, principal, new, source)


def _need_final(row: Row[Any], what: str) -> None:
    if not BulkStatus(row.status).is_final:
        raise Problem(
            Code.WRONG_STATE,
            f"Operation {row.id} is {row.status}; it can be {what} when it is completed, failed or cancelled.",
        )


def _need_results(engine: Engine, row: Row[Any]) -> None:
    if row.first_seq == 0:
        days = engine.settings.engine.bulk_keep_days
        raise Problem(
            Code.NOTHING_ELIGIBLE, f"The results of operation {row.id} were removed after {days} days; select anew."
        )


def _may(row: Row[Any], principal: Principal) -> None:
    the_action(read_resource(row.resource), row.action, principal)
    may_reach(read_resource(row.resource), [row.params.get("status")], principal)


def _as_it_is(subject: Subject) -> list[ColumnElement[Any]]:
    """The version, NULL for what has none, and the state."""
    version = null() if subject.version is None else subject.version
    return [cast(version, Integer).label("version"), subject.listing.table.c.status]


def _of_ids(engine: Engine, subject: Subject, ids: Sequence[int]) -> Select[Any]:
    """Every id given once; one that does not exist stays, to be reported."""
    table = subject.listing.table
    wanted = engine.store.dialect.id_list(sorted(set(ids))).subquery("wanted")
    return select(wanted.c.id.label("item_id"), *_as_it_is(subject)).select_from(
        wanted.join(table, table.c.id == wanted.c.id, isouter=True)
    )


def _of_results(old: Row[Any], which: ColumnElement[bool], expected: ColumnElement[Any]) -> Select[Any]:
    """What an earlier operation acted on; `expected` is the version it left."""
    subject = subject_of(read_resource(old.resource))
    table = subject.listing.table
    return (
        select(bulk_items.c.item_id, *_as_it_is(subject), expected.label("expected"))
        .select_from(bulk_items.join(table, table.c.id == bulk_items.c.item_id, isouter=True))
        .where(of_operation(old), which)
    )


async def _freeze(
    engine: Engine, transaction: Transaction, principal: Principal, new: _New, source: Select[Any]
) -> BulkPreview:
    connection = transaction.connection
    operation = await _insert_operation(engine, transaction, principal, new)
    plan = plan_of(engine, operation, transaction.now)
    subject = plan.subject
    code: ColumnElement[Any] = subject.verdict(plan.effect, principal)
    expected = source.selected_columns.get("expected")
    undoes = new.kind is BulkKind.UNDO and expected is not None and new.parent_id is not None
    if undoes and subject.version is not None:
        code = case((subject.version != expected, literal(str(Code.CHANGED_SINCE), Text)), else_=code)
    code = case((subject.listing.table.c.id.is_(None), literal(str(Code.NOT_FOUND), Text)), else_=code)
    judged = source.add_columns(code.label("code")).subquery("judged")
    first = (await engine.store.dialect.next_ids(connection, bulk_items, 1))[0]
    await connection.execute(
        insert(bulk_items).from_select(
            ["operation_id", "item_id", "version", "outcome", "code", "status"],
            select(
                literal(operation.id, Integer),
                judged.c.item_id,
                judged.c.version,
                case((judged.c.code.is_(None), literal(str(Outcome.PENDING), Text)), else_=str(Outcome.SKIPPED)),
                judged.c.code,
                # What is not there for the caller is in no state either.
                case((judged.c.code == str(Code.NOT_FOUND), null()), else_=judged.c.status),
            ).order_by(judged.c.item_id),
        )
    )
    await _count(connection, operation, first)
    row = await find_operation(connection, principal, operation.id)
    found = await preview(connection, row)
    if row.action == amounts.PAYS and new.kind is not BulkKind.UNDO:
        found.sums = await amounts.sums(
            connection,
            engine.store.dialect,
            bulk_items.c.item_id,
            and_(bulk_items.c.operation_id == row.id, bulk_items.c.outcome == str(Outcome.PENDING)),
            (bulk_items.c.seq, row.first_seq, row.last_seq),
        )
        found.unsummed = row.eligible - sum(each.items for each in found.sums)
    return found


async def _insert_operation(engine: Engine, transaction: Transaction, principal: Principal, new: _New) -> Row[Any]:
    batch = the_action(new.resource, new.verb, principal).batch
    size = min(new.batch_size or batch.size, batch.largest)
    values = {
        "kind": str(new.kind),
        "parent_id": new.parent_id,
        "resource": str(new.resource),
        "action": new.verb,
        "params": new.params,
        "status": str(BulkStatus.DRAFT),
        "reason": new.reason,
        "filter": new.filter,
        "created_by": principal.actor,
        "role": str(principal.role),
        "tenants": None if principal.tenants is None else sorted(principal.tenants),
        "created_at": transaction.now,
        "run_at": new.run_at,
        "total": 0,
        "eligible": 0,
        "skipped": 0,
        "first_seq": 0,
        "last_seq": 0,
        "batch_size": size,
        "parallel": batch.parallel,
        "batches": 0,
        "states": {},
        "verdicts": [],
    }
    made = await transaction.connection.execute(bulk_operations.insert().returning(bulk_operations), values)
    row: Row[Any] = made.one()
    return row


async def _count(connection: AsyncConnection, operation: Row[Any], first: int) -> None:
    seq = bulk_items.c.seq
    tally = (
        select(
            bulk_items.c.status,
            bulk_items.c.code,
            func.count().label("number"),
            func.min(seq).label("first"),
            func.max(seq).label("last"),
        )
        .where(bulk_items.c.operation_id == operation.id, seq >= first)
        .group_by(bulk_items.c.status, bulk_items.c.code)
    )
    found = (await connection.execute(tally)).all()
    states: dict[str, int] = {}
    for row in found:
        states[row.status or "missing"] = states.get(row.status or "missing", 0) + row.number
    total = sum(row.number for row in found)
    eligible = sum(row.number for row in found if row.code is None)
    first = min((row.first for row in found), default=first)
    last = max((row.last for row in found), default=first - 1)
    await connection.execute(
        bulk_operations.update()
        .where(bulk_operations.c.id == operation.id)
        .values(
            total=total,
            eligible=eligible,
            skipped=total - eligible,
            first_seq=first,
            last_seq=last,
            batches=math.ceil((last - first + 1) / operation.batch_size),
            states=states,
            verdicts=[{"code": row.code, "status": row.status, "count": row.number} for row in found if row.code],
        )
    )


async def preview(connection: AsyncConnection, row: Row[Any]) -> BulkPreview:
    """What a draft would do."""
    subject = subject_of(read_resource(row.resource))
    table = subject.listing.table
    first = (
        select(bulk_items, subject.title.label("title"), table.c.tenant_id)
        .select_from(bulk_items.join(table, table.c.id == bulk_items.c.item_id, isouter=True))
        .where(of_operation(row))
        .order_by(bulk_items.c.seq)
        .limit(_FIRST_ROWS)
    )
    found = (await connection.execute(first)).all()
    return BulkPreview(
        operation=rows.operation(row),
        states=row.states,
        skip_reasons=rows.reasons(row, row.verdicts),
        first=[
            PreviewItem(
                item_id=each.item_id,
                title="" if each.code == Code.NOT_FOUND else each.title or "",
                status=each.status or "missing",
                tenant_id="" if each.code == Code.NOT_FOUND else each.tenant_id or "",
                code=each.code,
                sentence=rows.why(row, each.code, each.status) if each.code else None,
            )
            for each in found
        ],
        estimated_seconds=PACES.estimate(row.eligible, action_of(row).batch.rate),
    )
