"""A frozen filter as SQL conditions, always within the principal's tenants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.filters import Between, Compare, Condition, Equals, Filter, FilterError, Term, freeze, parse
from quarterdeck.contract.filters.keys import FIELD_PREFIX
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.items.tables import NO_DUE, item_details, items
from quarterdeck.engine.store.dialect import Dialect, contains, plain

# How a column stands in a condition: itself, or `plain` where an index must not be entered by it.
Wrap = Callable[[ColumnElement[Any]], ColumnElement[Any]]

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
_OPERATORS = {
    "<": lambda column, at: column < at,
    "<=": lambda column, at: column <= at,
    ">": lambda column, at: column > at,
    ">=": lambda column, at: column >= at,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One term in SQL. `column` is the column it speaks about alone, None where it is anything else.

    `words` are the values of a plain equality, None for any other condition.
    """

    sql: Callable[[Wrap], ColumnElement[bool]]
    column: str | None
    words: tuple[Any, ...] | None = None


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


def itself(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column


def conditions(
    filter_: Filter, resource: Resource, principal: Principal, dialect: Dialect, wrap: Wrap = itself
) -> list[ColumnElement[bool]]:
    """To be joined by AND. Deleted items match only a filter with is:deleted."""
    return [clause.sql(wrap) for clause in clauses(filter_, resource, principal, dialect)]


def scanning(filter_: Filter, resource: Resource, principal: Principal, dialect: Dialect) -> list[ColumnElement[bool]]:
    """The same conditions for a read of the whole table, which beats an index that finds most of it."""
    return conditions(filter_, resource, principal, dialect, plain)


def clauses(filter_: Filter, resource: Resource, principal: Principal, dialect: Dialect) -> list[Clause]:
    found = [Clause(lambda wrap: wrap(items.c.resource) == str(resource), "resource", (str(resource),))]
    if principal.tenants is not None:
        tenants = sorted(principal.tenants)
        found.append(Clause(lambda wrap: wrap(items.c.tenant_id).in_(tenants), "tenant_id", tuple(tenants)))
    in_bin = any(
        term.key == "is" and not term.negated and Equals("deleted") in term.conditions for term in filter_.terms
    )
    deleted = items.c.deleted_at
    found.append(Clause(lambda _: deleted.is_not(None) if in_bin else deleted.is_(None), None))
    found += [_clause(term, dialect) for term in filter_.terms]
    return found


def _clause(term: Term, dialect: Dialect) -> Clause:
    column = _COLUMNS.get(term.key)
    if column is None:
        return Clause(lambda wrap: _term(term, dialect, wrap), None)
    words = None
    if not term.negated and all(isinstance(c, Equals) and not c.says("none", "any") for c in term.conditions):
        words = tuple(dict.fromkeys(_word(term.key, c.value) for c in term.conditions if isinstance(c, Equals)))
    return Clause(lambda wrap: _term(term, dialect, wrap), column, words)


def _word(key: str, value: str) -> Any:
    if key == "priority":
        return Priority(value).rank
    return int(value) if key == "id" else value


def _term(term: Term, dialect: Dialect, wrap: Wrap) -> ColumnElement[bool]:
    name = _COLUMNS.get(term.key)
    plain_words = all(isinstance(c, Equals) and not c.says("none", "any") for c in term.conditions)
    if name is not None and plain_words:
        column = wrap(items.c[name])
        words = [_word(term.key, c.value) for c in term.conditions if isinstance(c, Equals)]
        if not term.negated:
            return column == words[0] if len(words) == 1 else column.in_(words)
        return or_(items.c[name].is_(None), column.not_in(words))
    found = or_(*(_condition(term.key, condition, dialect, wrap) for condition in term.conditions))
    # NULL is neither equal nor unequal; whoever excludes a category wants to keep what has none.
    return found.is_not(True) if term.negated else found


def _condition(key: str, condition: Condition, dialect: Dialect, wrap: Wrap) -> ColumnElement[bool]:
    if isinstance(condition, Compare):
        column = wrap(items.c[_COLUMNS[key]])
        found: ColumnElement[bool] = _OPERATORS[condition.op](column, condition.instant.at)
        return and_(found, column < NO_DUE) if key == "due" else found
    if isinstance(condition, Between):
        column = wrap(items.c[_COLUMNS[key]])
        return and_(column >= condition.start.at, column < condition.end.at)
    return _equals(key, condition, dialect, wrap)


def _equals(key: str, condition: Equals, dialect: Dialect, wrap: Wrap) -> ColumnElement[bool]:
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
    column = wrap(items.c[_COLUMNS[key]])
    if key in ("assignee", "category") and condition.says("none", "any"):
        return column.is_(None) if value == "none" else column.is_not(None)
    found: ColumnElement[bool] = column == _word(key, value)
    return found


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
    return false()


def _text(value: str, wrap: Wrap) -> ColumnElement[bool]:
    if not value:
        return items.c.id > 0
    body = select(item_details.c.item_id).where(
        item_details.c.item_id == items.c.id, contains(item_details.c.body, value)
    )
    return or_(contains(items.c.title, value), wrap(items.c.external_id) == value, and_(items.c.has_body, exists(body)))
