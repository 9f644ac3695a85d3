"""Items from outside: an import's batches (by external id, again and again), and new ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_ms
from quarterdeck.contract.enums import Metered, Priority, Resource
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.items import (
    CreatedItems,
    ImportBatch,
    ImportedEvent,
    ImportedItem,
    ImportResult,
    NewItem,
    NewItems,
    Rejected,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.contract.transitions import FIRST_STATUS, statuses
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.effects import TOLD
from quarterdeck.engine.items.tables import NO_DUE, item_details, item_events, items
from quarterdeck.engine.sla.following import Born, begin
from quarterdeck.engine.sla.keeping import Owner
from quarterdeck.engine.sla.replay import replayed
from quarterdeck.engine.sla.sights import Line, sights
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.metering import note

_COMPARED = ("kind", "title", "status", "priority", "category", "assignee", "sla_due_at", "created_at")
_NAMED_AT_ONCE = 500


@dataclass(slots=True)
class _Plan:
    """What a batch comes to, before anything is written."""

    created: list[tuple[ImportedItem, str]] = field(default_factory=list)
    updated: list[tuple[ImportedItem, str, Row[Any]]] = field(default_factory=list)
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)


async def import_batch(engine: Engine, principal: Principal, resource: Resource, batch: ImportBatch) -> ImportResult:
    """All good items of the batch in one transaction; the rest come back with a reason each."""
    async with engine.store.write() as transaction:
        plan = await _plan(transaction.connection, principal, resource, batch.items)
        result = ImportResult(
            created=len(plan.created),
            updated=len(plan.updated),
            unchanged=plan.unchanged,
            events=sum(len(item.events) for item, _ in plan.created),
            rejected=plan.rejected,
        )
        if batch.dry_run:
            for item, _, row in plan.updated:
                result.events += len((await _event_changes(transaction.connection, row.id, item))[1])
            return result
        ids = await _insert(engine, transaction, principal, resource, plan.created)
        for item, fingerprint, row in plan.updated:
            result.events += await _update(transaction, principal, item, fingerprint, row)
        if plan.updated:
            changed = engine.store.dialect.id_list([row.id for _, _, row in plan.updated])
            await replayed(transaction, engine.store.dialect, items.c.id.in_(changed), write=True)
        if not ids and not plan.updated:
            return result
        await audit.append(
            transaction,
            engine.store,
            principal,
            "items.import",
            resource=str(resource),
            details={
                "import": batch.import_id,
                "created": result.created,
                "updated": result.updated,
                "unchanged": result.unchanged,
                "rejected": len(result.rejected),
            },
        )
        tenants = frozenset(each.tenant_id for each in batch.items)
        _announce(engine, transaction, resource, ids, tenants, Change.CREATED)
        _announce(engine, transaction, resource, [row.id for _, _, row in plan.updated], tenants, Change.UPDATED)
    return result


async def create_items(engine: Engine, principal: Principal, resource: Resource, wanted: NewItems) -> CreatedItems:
    """Raises Problem(FORBIDDEN) for a foreign tenant, Problem(UNCHANGED) for an external id that exists."""
    made = [_as_imported(each) for each in wanted.items]
    async with engine.store.write() as transaction:
        for item in made:
            if not principal.sees(item.tenant_id):
                raise Problem(Code.FORBIDDEN, f"Tenant {item.tenant_id} is not yours.")
        known = await _existing(transaction.connection, resource, made)
        if known:
            tenant, external = next(iter(known))
            raise Problem(
                Code.UNCHANGED, f"Tenant {tenant} already has an item {external} in {resource}; import it to change it."
            )
        keys = [(each.tenant_id, each.external_id) for each in made if each.external_id]
        if len(keys) != len(set(keys)):
            raise Problem(Code.INVALID_INPUT, "Two of these items have the same external_id; give each its own.")
        ids = await _insert(engine, transaction, principal, resource, [(each, "") for each in made])
        await audit.append(
            transaction,
            engine.store,
            principal,
            "items.create",
            tenant_id=made[0].tenant_id if len({each.tenant_id for each in made}) == 1 else None,
            resource=str(resource),
            target=str(ids[0]) if len(ids) == 1 else None,
            details={"count": len(ids)},
        )
        tenants = frozenset(each.tenant_id for each in made)
        _announce(engine, transaction, resource, ids, tenants, Change.CREATED)
    return CreatedItems(ids=ids)


def _as_imported(new: NewItem) -> ImportedItem:
    return ImportedItem.model_construct(
        **{**new.model_dump(), "priority": new.priority, "external_id": new.external_id or ""},
        status=None,
        assignee=None,
        created_at=None,
        updated_at=None,
        events=[],
    )


async def _plan(
    connection: AsyncConnection, principal: Principal, resource: Resource, batch: Sequence[ImportedItem]
) -> _Plan:
    plan = _Plan()
    known = await _existing(connection, resource, batch)
    seen: set[tuple[str, str]] = set()
    valid = set(statuses(resource))
    for index, item in enumerate(batch):
        key = (item.tenant_id, item.external_id)
        if not principal.sees(item.tenant_id):
            plan.rejected.append(_reject(index, "tenant_id", item.tenant_id, "this tenant is not yours"))
        elif item.status is not None and str(item.status) not in valid:
            plan.rejected.append(
                _reject(index, "status", str(item.status), f"{resource} knows {', '.join(statuses(resource))}")
            )
        elif key in seen:
            plan.rejected.append(
                _reject(index, "external_id", item.external_id, "stands twice in this import; the first one counts")
            )
        else:
            seen.add(key)
            fingerprint = hashlib.sha256(item.model_dump_json(exclude_unset=True).encode()).hexdigest()
            row = known.get(key)
            if row is None:
                plan.created.append((item, fingerprint))
            elif row.fingerprint == fingerprint:
                plan.unchanged += 1
            else:
                plan.updated.append((item, fingerprint, row))
    return plan


def _reject(index: int, column: str, value: str, reason: str) -> Rejected:
    return Rejected(index=index, column=column, value=value, reason=reason)


async def _existing(
    connection: AsyncConnection, resource: Resource, batch: Sequence[ImportedItem]
) -> dict[tuple[str, str], Row[Any]]:
    found: dict[tuple[str, str], Row[Any]] = {}
    by_tenant: dict[str, list[str]] = {}
    for item in batch:
        if item.external_id:
            by_tenant.setdefault(item.tenant_id, []).append(item.external_id)
    for tenant, externals in by_tenant.items():
        for start in range(0, len(externals), _NAMED_AT_ONCE):
            query = (
                select(items, item_details.c.fingerprint, item_details.c.body, item_details.c.fields)
                .join(item_details, item_details.c.item_id == items.c.id, isouter=True)
                .where(
                    items.c.tenant_id == tenant,
                    items.c.resource == str(resource),
                    items.c.external_id.is_not(None),
                    items.c.external_id.in_(externals[start : start + _NAMED_AT_ONCE]),
                )
            )
            for row in await connection.execute(query):
                found[tenant, row.external_id] = row
    return found


async def _insert(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    resource: Resource,
    made: Sequence[tuple[ImportedItem, str]],
) -> list[int]:
    if not made:
        return []
    connection, now = transaction.connection, transaction.now
    ids = await engine.store.dialect.next_ids(connection, items, len(made))
    item_rows, detail_rows, event_rows = [], [], []
    for item_id, (item, fingerprint) in zip(ids, made, strict=True):
        values = _columns(item, resource, now)
        item_rows.append(
            {"id": item_id, "external_id": item.external_id or None, "tenant_id": item.tenant_id, **values}
        )
        detail_rows.append(
            {"item_id": item_id, "body": item.body, "fields": item.fields, "fingerprint": fingerprint or None}
        )
        if item.events:
            event_rows += [_event(item_id, each) for each in item.events]
        else:
            event_rows.append(
                {
                    "item_id": item_id,
                    "at": values["created_at"],
                    "actor": principal.actor,
                    "type": "created",
                    "body": None,
                    "changes": None,
                }
            )
    await connection.execute(items.insert(), item_rows)
    await connection.execute(item_details.insert(), detail_rows)
    await connection.execute(item_events.insert(), event_rows)
    await begin(transaction, engine.store.dialect, resource, _born(resource, item_rows, event_rows))
    tenants = [row["tenant_id"] for row in item_rows]
    transaction.after_commit(lambda: note(engine, Metered.ITEMS_INGESTED, tenants))
    return ids


def _born(
    resource: Resource, item_rows: Sequence[dict[str, Any]], event_rows: Sequence[dict[str, Any]]
) -> Iterator[Born]:
    lines: dict[int, list[Line]] = {}
    for each in event_rows:
        lines.setdefault(each["item_id"], []).append(Line(each["at"], each["type"], each["actor"], each["changes"]))
    for row in item_rows:
        owner = Owner(row["id"], row["tenant_id"], row["resource"], row["sla_due_at"])
        seen = sights(resource, row["created_at"], row["status"], row["priority"], lines[row["id"]])
        yield Born(owner, row["kind"], seen)


def _columns(item: ImportedItem, resource: Resource, now: int) -> dict[str, Any]:
    first = to_ms(item.events[0].at) if item.events else now
    last = to_ms(item.events[-1].at) if item.events else None
    created = first if item.created_at is None else to_ms(item.created_at)
    updated = to_ms(item.updated_at) if item.updated_at is not None else last
    return {
        "resource": str(resource),
        "kind": item.kind,
        "title": item.title,
        "status": str(item.status or FIRST_STATUS[resource]),
        "priority": item.priority.rank,
        "category": item.category,
        "assignee": item.assignee,
        "sla_due_at": NO_DUE if item.sla_due_at is None else min(to_ms(item.sla_due_at), NO_DUE - 1),
        "created_at": created,
        "updated_at": created if updated is None else updated,
        "has_body": bool(item.body),
        "comments": sum(each.type == "comment" for each in item.events),
        "version": 1,
    }


def _event(item_id: int, event: ImportedEvent) -> dict[str, Any]:
    """An imported event has no version_after: nothing here can undo it."""
    return {
        "item_id": item_id,
        "at": to_ms(event.at),
        "actor": event.actor,
        "type": event.type,
        "body": event.body,
        "changes": event.changes or None,
    }


async def _update(
    transaction: Transaction, principal: Principal, item: ImportedItem, fingerprint: str, row: Row[Any]
) -> int:
    """Take over what differs; returns how many timeline rows came with it."""
    connection, now = transaction.connection, transaction.now
    values = _columns(item, Resource(row.resource), now)
    said = _said(item)
    differing = {name: values[name] for name in _COMPARED if name in said and values[name] != getattr(row, name)}
    moved = {"claimed_until": None} if {"status", "assignee"} & differing.keys() else {}
    await connection.execute(
        update(items)
        .where(items.c.id == row.id)
        .values(
            **differing,
            **moved,
            **({"has_body": values["has_body"]} if "body" in said else {}),
            updated_at=values["updated_at"] if item.events else now,
            version=items.c.version + 1,
        )
    )
    details: dict[str, Any] = {name: getattr(item, name) for name in ("body", "fields") if name in said}
    details["fingerprint"] = fingerprint
    await connection.execute(update(item_details).where(item_details.c.item_id == row.id).values(**details))
    stale, added = await _event_changes(connection, row.id, item)
    if stale is not None:
        await connection.execute(delete(item_events).where(_imported(row.id), item_events.c.id >= stale))
    if item.events and added:
        await connection.execute(item_events.insert(), added)
    elif not item.events:
        changes = {name: [getattr(row, name), differing[name]] for name in TOLD if name in differing}
        await connection.execute(
            item_events.insert(),
            {
                "item_id": row.id,
                "at": now,
                "actor": principal.actor,
                "type": "imported",
                "body": None,
                "changes": _named(changes) or None,
            },
        )
    spoken = select(func.count()).where(item_events.c.item_id == row.id, item_events.c.type == "comment")
    await connection.execute(update(items).where(items.c.id == row.id).values(comments=spoken.scalar_subquery()))
    return len(added)


def _said(item: ImportedItem) -> set[str]:
    """The columns that the import speaks of; the rest stays as people have made it."""
    said = {name for name in item.model_fields_set if name not in ("status", "created_at") or getattr(item, name)}
    return said | {"created_at"} if item.events else said


def _named(changes: dict[str, list[Any]]) -> dict[str, list[Any]]:
    if "priority" in changes:
        changes["priority"] = [str(Priority.of_rank(rank)) for rank in changes["priority"]]
    return changes


async def _event_changes(
    connection: AsyncConnection, item_id: int, item: ImportedItem
) -> tuple[int | None, list[dict[str, Any]]]:
    """(first imported row that is no longer so, rows that are new): rows that are the same from the start stay.

    An item without a timeline of its own gets one row that says it was imported again.
    """
    if not item.events:
        return None, [{}]
    wanted = select(item_events).where(_imported(item_id)).order_by(item_events.c.id)
    old = (await connection.execute(wanted)).all()
    new = [_event(item_id, each) for each in item.events]
    same = 0
    for row, values in zip(old, new, strict=False):
        kept = {**values, "changes": {k: list(v) for k, v in (values["changes"] or {}).items()} or None}
        if any(getattr(row, name) != kept[name] for name in ("at", "actor", "type", "body", "changes")):
            break
        same += 1
    return old[same].id if same < len(old) else None, new[same:]


def _imported(item_id: int) -> ColumnElement[bool]:
    return and_(item_events.c.item_id == item_id, item_events.c.version_after.is_(None))


def _announce(
    engine: Engine,
    transaction: Transaction,
    resource: Resource,
    ids: list[int],
    tenants: frozenset[str],
    change: Change,
) -> None:
    if ids:
        announce(engine, transaction, resource, ids if len(ids) <= _NAMED_AT_ONCE else None, tenants, change)
