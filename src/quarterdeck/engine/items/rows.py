"""From rows to what the API says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from quarterdeck.contract.clock import iso, to_datetime
from quarterdeck.contract.enums import ItemStatus, Priority, Resource
from quarterdeck.contract.models.items import Event, Item
from quarterdeck.engine.items.tables import NO_DUE

# Kept in an event for undo; of no use to a reader.
_UNTOLD = frozenset({"claimed_until"})


def item(row: Row[Any], body: str | None = None, fields: dict[str, Any] | None = None) -> Item:
    return Item(
        id=row.id,
        external_id=row.external_id,
        tenant_id=row.tenant_id,
        resource=Resource(row.resource),
        kind=row.kind,
        title=row.title,
        body=body,
        status=ItemStatus(row.status),
        priority=Priority.of_rank(row.priority),
        category=row.category,
        assignee=row.assignee,
        claimed_until=None if row.claimed_until is None else to_datetime(row.claimed_until),
        sla_due_at=None if row.sla_due_at >= NO_DUE else to_datetime(row.sla_due_at),
        created_at=to_datetime(row.created_at),
        updated_at=to_datetime(row.updated_at),
        deleted_at=None if row.deleted_at is None else to_datetime(row.deleted_at),
        comments=row.comments,
        version=row.version,
        fields=fields or {},
    )


def event(row: Row[Any]) -> Event:
    changes = {
        name: (_shown(name, before), _shown(name, after))
        for name, (before, after) in (row.changes or {}).items()
        if name not in _UNTOLD and before != after
    }
    return Event(
        id=row.id,
        item_id=row.item_id,
        at=to_datetime(row.at),
        actor=row.actor,
        type=row.type,
        body=row.body,
        changes=changes,
        operation_id=row.operation_id,
    )


def _shown(name: str, value: Any) -> Any:
    return iso(value) if name == "deleted_at" and isinstance(value, int) else value
