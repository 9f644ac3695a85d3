"""A frozen filter as SQL conditions, always within the principal's tenants."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.filters import Between, Compare, Condition, Equals, Filter, FilterError, Term, freeze, parse
from quarterdeck.contract.filters.keys import FIELD_PREFIX
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.items.tables import NO_DUE, item_details, items
from quarterdeck.engine.store.dialect import Dialect, contains

_COLUMNS: dict[str, ColumnElement[Any]] = {
    "status": items.c.status,
    "kind": items.c.kind,
    "category": items.c.category,
    "assignee": items.c.assignee,
    "tenant": items.c.tenant_id,
    "external": items.c.external_id,
    "created": items.c.created_at,
    "updated": items.c.updated_at,
    "due": items.c.sla_due_at,
}
_OPERATORS = {
    "<": lambda column, at: column < at,
    "<=": lambda column, at: column <= at,
    ">": lambda column, at: column > at,
    ">=": lambda column, at: column >= at,
}


def read_filter(text: str, resource: Resource, principal: Principal) -> Filter:
    """Parse and freeze as of now. Raises Problem(FILTER_INVALID) that names the column."""
    try:
        return freeze(parse(text, resource), now=now_ms(), me=principal.actor)
    except FilterError as error:
        raise Problem(
            Code.FILTER_INVALID,
            str(error),
            errors=(("/filter", error.message),),
            extra={"column": error.column, "valid": list(error.valid)},
        ) from error


def conditions(
    filter_: Filter, resource: Resource, principal: Principal, dialect: Dialect
) -> list[ColumnElement[bool]]:
    """To be joined by AND. Deleted items match only a filter with is:deleted."""
    found: list[ColumnElement[bool]] = [items.c.resource == str(resource)]
    if principal.tenants is not None:
        found.append(items.c.tenant_id.in_(sorted(principal.tenants)))
    in_bin = any(
        term.key == "is" and not term.negated and Equals("deleted") in term.conditions for term in filter_.terms
    )
    found.append(items.c.deleted_at.is_not(None) if in_bin else items.c.deleted_at.is_(None))
    found += [_term(term, dialect) for term in filter_.terms]
    return found


def _term(term: Term, dialect: Dialect) -> ColumnElement[bool]:
    if term.key in _COLUMNS and len(term.conditions) > 1:
        words = [c.value for c in term.conditions if isinstance(c, Equals)]
        if len(words) == len(term.conditions) and not {"none", "any"} & set(words):
            column = _COLUMNS[term.key]
            if not term.negated:
                return column.in_(words)
            return or_(column.is_(None), column.not_in(words))
    found = or_(*(_condition(term.key, condition, dialect) for condition in term.conditions))
    # NULL is neither equal nor unequal; whoever excludes a category wants to keep what has none.
    return found.is_not(True) if term.negated else found


def _condition(key: str, condition: Condition, dialect: Dialect) -> ColumnElement[bool]:
    if isinstance(condition, Compare):
        found = _OPERATORS[condition.op](_COLUMNS[key], condition.instant.at)
        return and_(found, items.c.sla_due_at < NO_DUE) if key == "due" else found
    if isinstance(condition, Between):
        column = _COLUMNS[key]
        return and_(column >= condition.start.at, column < condition.end.at)
    return _equals(key, condition.value, dialect)


def _equals(key: str, value: str, dialect: Dialect) -> ColumnElement[bool]:
    if not key:
        return _text(value)
    if key.startswith(FIELD_PREFIX):
        name = key[len(FIELD_PREFIX) :]
        there = select(item_details.c.item_id).where(
            item_details.c.item_id == items.c.id, dialect.part(item_details.c.fields, name) == value
        )
        return exists(there)
    if key == "priority":
        return items.c.priority == Priority(value).rank
    if key == "id":
        return items.c.id == int(value)
    if key == "due":
        return items.c.sla_due_at < NO_DUE if value == "any" else items.c.sla_due_at == NO_DUE
    if key == "has":
        return _has(value)
    if key == "is":
        return _is(value)
    column = _COLUMNS[key]
    if key in ("assignee", "category") and value in ("none", "any"):
        return column.is_(None) if value == "none" else column.is_not(None)
    return column == value


def _has(what: str) -> ColumnElement[bool]:
    if what == "comment":
        return items.c.comments > 0
    if what == "due":
        return items.c.sla_due_at < NO_DUE
    if what == "body":
        body = select(item_details.c.item_id).where(
            item_details.c.item_id == items.c.id, item_details.c.body.is_not(None)
        )
        return exists(body)
    return (items.c.assignee if what == "assignee" else items.c.category).is_not(None)


def _is(what: str) -> ColumnElement[bool]:
    if what == "deleted":
        return items.c.deleted_at.is_not(None)
    if what == "claimed":
        return items.c.claimed_until.is_not(None)
    if what == "overdue":  # only beside other conditions in one term; freezing turns it alone into due:<now
        return items.c.sla_due_at < now_ms()
    return false()


def _text(value: str) -> ColumnElement[bool]:
    if not value:
        return items.c.id > 0
    body = select(item_details.c.item_id).where(
        item_details.c.item_id == items.c.id, contains(item_details.c.body, value)
    )
    return or_(contains(items.c.title, value), items.c.external_id == value, exists(body))
