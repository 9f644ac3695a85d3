"""Appending to the chain and reading it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Row, insert, select, update

from quarterdeck.contract.clock import to_datetime, to_ms
from quarterdeck.contract.models.audit import AuditEntry, AuditPage, AuditQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.audit.tables import audit_entries, audit_head
from quarterdeck.engine.cursors import decode_ids, encode
from quarterdeck.engine.store.store import Store, Transaction

_HASHED = ("id", "at", "actor", "role", "tenant_id", "action", "resource", "target", "reason", "details")

# Each act executes these, so they are built once. The lock is for PostgreSQL; SQLite leaves it out.
_HEAD = select(audit_head.c.last_id, audit_head.c.last_hash).where(audit_head.c.one == 1).with_for_update()
_ENTRY = insert(audit_entries)
_MOVE = update(audit_head).where(audit_head.c.one == 1)


def entry_hash(values: dict[str, Any], previous_hash: str) -> str:
    """SHA-256 over the entry's members in a fixed order, joined to the one before."""
    content = json.dumps([values[name] for name in _HASHED], ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(f"{previous_hash}\n{content}".encode()).hexdigest()


async def append(
    transaction: Transaction,
    store: Store,
    principal: Principal,
    action: str,
    *,
    tenant_id: str | None = None,
    resource: str | None = None,
    target: str | None = None,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> int:
    """Add one entry in the caller's transaction; returns its id."""
    connection = transaction.connection
    head = (await connection.execute(_HEAD)).one_or_none()
    if head is None:
        first = store.dialect.insert(audit_head).values(one=1, last_id=0, last_hash="")
        await connection.execute(first.on_conflict_do_nothing())
        head = (await connection.execute(_HEAD)).one()
    values: dict[str, Any] = {
        "id": head.last_id + 1,
        "at": transaction.now,
        "actor": principal.actor,
        "role": str(principal.role),
        "tenant_id": tenant_id,
        "action": action,
        "resource": resource,
        "target": target,
        "reason": reason,
        "details": details or {},
    }
    digest = entry_hash(values, head.last_hash)
    await connection.execute(_ENTRY, {**values, "previous_hash": head.last_hash, "hash": digest})
    await connection.execute(_MOVE, {"last_id": values["id"], "last_hash": digest})
    return int(values["id"])


async def list_entries(store: Store, principal: Principal, query: AuditQuery) -> AuditPage:
    """Newest first. A principal of some tenants sees the entries of those."""
    wanted = select(audit_entries).order_by(audit_entries.c.id.desc()).limit(query.limit + 1)
    if principal.tenants is not None:
        wanted = wanted.where(audit_entries.c.tenant_id.in_(principal.tenants))
    if query.actor is not None:
        wanted = wanted.where(audit_entries.c.actor == query.actor)
    if query.action is not None:
        wanted = wanted.where(audit_entries.c.action == query.action)
    if query.target is not None:
        wanted = wanted.where(audit_entries.c.target == query.target)
    if query.since is not None:
        wanted = wanted.where(audit_entries.c.at >= to_ms(query.since))
    if query.cursor is not None:
        wanted = wanted.where(audit_entries.c.id < decode_ids(query.cursor, 1)[0])
    async with store.read() as connection:
        rows = (await connection.execute(wanted)).all()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return AuditPage(items=[_entry(row) for row in rows], next=encode(rows[-1].id) if more else None)


def _entry(row: Row[Any]) -> AuditEntry:
    values = dict(row._mapping)
    values["at"] = to_datetime(row.at)
    return AuditEntry(**values)
