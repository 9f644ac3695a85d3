"""How items are listed: a declaration for each queue."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Priority, Resource, SortKey
from quarterdeck.contract.filters import Compare, Condition, Equals, Filter
from quarterdeck.contract.filters.keys import BY_CLOCK, FIELD_PREFIX
from quarterdeck.engine.items.tables import NO_DUE, item_details, items
from quarterdeck.engine.listing.declaration import Clause, Listing, Wrap
from quarterdeck.engine.sla.tables import broken, due_soon
from quarterdeck.engine.store.dialect import Dialect, contains

_COLUMNS = {
    "status": "status",
    "kind": "kind",
    "category": "category",
    "assignee": "assignee",
    "tenant": "tenant_id",
    "external": "external_id",
    "created": "created_at",
    "updated": "updated_at",
    "due": "sla_due_at",
    "priority": "priority",
    "id": "id",
}
_TRIAGE = frozenset({"resource", "priority", "sla_due_at", "created_at", "id"})
_INDEXES = {
    "status": _TRIAGE | {"status"},
    "assignee": frozenset({"resource", "assignee"}),
    "tenant_id": frozenset({"resource", "tenant_id"}),
    "kind": frozenset({"resource", "kind"}),
    "category": frozenset({"resource", "category"}),
    "external_id": frozenset({"external_id", "resource", "tenant_id"}),
    "id": frozenset({"id"}),
    "sla_due_at": frozenset({"resource", "sla_due_at", "id"}),
    "created_at": frozenset({"resource", "created_at", "id"}),
    "updated_at": frozenset({"resource", "updated_at", "id"}),
}


def _word(key: str, value: str) -> Any:
    if key == "priority":
        return Priority(value).rank
    return int(value) if key == "id" else value


def _always(filter_: Filter) -> list[Clause]:
    """Deleted items match only a filter with is:deleted."""
    in_bin = any(
        term.key == "is" and not term.negated and Equals("deleted") in term.conditions for term in filter_.terms
    )
    deleted = items.c.deleted_at
    found = deleted.is_not(None) if in_bin else deleted.is_(None)
    return [Clause(lambda _: found, None, built_in=True)]


def _special(
    key: str, condition: Condition, dialect: Dialect, wrap: Wrap, _secret: tuple[str, ...]
) -> ColumnElement[bool] | None:
    if isinstance(condition, Compare):
        return _due_compared(condition, wrap) if key == "due" else None
    if not isinstance(condition, Equals):
        return None
    value = condition.value
    if not key:
        return _text(value, wrap)
    if key.startswith(FIELD_PREFIX):
        name = key[len(FIELD_PREFIX) :]
        return exists(
            select(item_details.c.item_id).where(
                item_details.c.item_id == items.c.id, dialect.part(item_details.c.fields, name) == value
            )
        )
    if key == "due":
        due = wrap(items.c.sla_due_at)
        return due < NO_DUE if value == "any" else due == NO_DUE
    if key == "has":
        return _has(value, wrap)
    if key == "is":
        return _is(value, wrap)
    return None


def _due_compared(condition: Compare, wrap: Wrap) -> ColumnElement[bool]:
    due, at = wrap(items.c.sla_due_at), condition.instant.at
    found = {"<": due < at, "<=": due <= at, ">": due > at, ">=": due >= at}[condition.op]
    return and_(found, due < NO_DUE)


def _has(what: str, wrap: Wrap) -> ColumnElement[bool]:
    if what == "comment":
        return items.c.comments > 0
    if what == "due":
        return wrap(items.c.sla_due_at) < NO_DUE
    if what == "body":
        return items.c.has_body
    return wrap(items.c.assignee if what == "assignee" else items.c.category).is_not(None)


def _is(what: str, wrap: Wrap) -> ColumnElement[bool]:
    if what == "deleted":
        return items.c.deleted_at.is_not(None)
    if what == "claimed":
        return items.c.claimed_until.is_not(None)
    if what == "overdue":  # only beside other conditions in one term; freezing turns it alone into due:<now
        return wrap(items.c.sla_due_at) < now_ms()
    if what in BY_CLOCK:
        return wrap(items.c.id).in_(due_soon(now_ms()) if what == "soon" else broken())
    return false()


def _text(value: str, wrap: Wrap) -> ColumnElement[bool]:
    if not value:
        return items.c.id > 0
    body = select(item_details.c.item_id).where(
        item_details.c.item_id == items.c.id, contains(item_details.c.body, value)
    )
    return or_(contains(items.c.title, value), wrap(items.c.external_id) == value, and_(items.c.has_body, exists(body)))


def _listing(resource: Resource) -> Listing:
    return Listing(
        resource=resource,
        table=items,
        columns=_COLUMNS,
        orders={
            SortKey.PRIORITY: ("priority", "sla_due_at", "created_at", "id"),
            SortKey.DUE: ("sla_due_at", "id"),
            SortKey.CREATED: ("created_at", "id"),
            SortKey.UPDATED: ("updated_at", "id"),
        },
        indexes=_INDEXES,
        by_equality=frozenset({"assignee", "status", "kind", "category", "tenant_id"}),
        streams={SortKey.PRIORITY: ("status",)},
        shown=tuple(items.c),
        facets={"kind": "kind", "category": "category", "assignee": "assignee", "tenant": "tenant_id"},
        newest=("created_at", "id"),
        lead="resource",
        widest=_TRIAGE,
        absent=frozenset({"assignee", "category", "due"}),
        special=_special,
        always=_always,
        word=_word,
    )


ITEMS = {resource: _listing(resource) for resource in Resource}
