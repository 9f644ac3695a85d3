"""A frozen filter as SQL conditions, always within the principal's tenants."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Listed, Role
from quarterdeck.contract.filters import Between, Compare, Condition, Equals, Filter, FilterError, Term, freeze, parse
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.listing.declaration import Clause, Listing, Wrap, itself
from quarterdeck.engine.store.dialect import Dialect, plain

OPERATORS = {
    "<": lambda column, at: column < at,
    "<=": lambda column, at: column <= at,
    ">": lambda column, at: column > at,
    ">=": lambda column, at: column >= at,
}


def read_filter(text: str, resource: Listed, principal: Principal) -> Filter:
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
    listing: Listing, filter_: Filter, principal: Principal, dialect: Dialect, wrap: Wrap = itself
) -> list[ColumnElement[bool]]:
    """To be joined by AND."""
    return [clause.sql(wrap) for clause in clauses(listing, filter_, principal, dialect)]


def scanning(listing: Listing, filter_: Filter, principal: Principal, dialect: Dialect) -> list[ColumnElement[bool]]:
    """The same conditions for a read of the whole table, which beats an index that finds most of it."""
    return conditions(listing, filter_, principal, dialect, plain)


def visible(listing: Listing, principal: Principal) -> list[ColumnElement[bool]]:
    """What the principal may see, whatever it is filtered by."""
    found = [] if listing.lead is None else [listing.table.c[listing.lead] == str(listing.resource)]
    if principal.tenants is not None:
        found.append(listing.table.c.tenant_id.in_(sorted(principal.tenants)))
    return found


def clauses(listing: Listing, filter_: Filter, principal: Principal, dialect: Dialect) -> list[Clause]:
    table = listing.table
    found = []
    if listing.lead is not None:
        lead, name = table.c[listing.lead], str(listing.resource)
        found.append(Clause(lambda wrap: wrap(lead) == name, listing.lead, (name,), built_in=True))
    if principal.tenants is not None:
        tenants = sorted(principal.tenants)
        mine = Clause(lambda wrap: wrap(table.c.tenant_id).in_(tenants), "tenant_id", tuple(tenants), built_in=True)
        found.append(mine)
    found += listing.always(filter_)
    secret = () if principal.role.covers(Role.ADMIN) else dialect.secret_keys
    found += [_clause(listing, term, dialect, secret) for term in filter_.terms]
    return found


def _clause(listing: Listing, term: Term, dialect: Dialect, secret: tuple[str, ...]) -> Clause:
    column = listing.columns.get(term.key)
    if column is None:
        return Clause(lambda wrap: _term(listing, term, dialect, wrap, secret), None)
    words = None
    if not term.negated and _plain_words(listing, term):
        said = [c.value for c in term.conditions if isinstance(c, Equals)]
        words = tuple(dict.fromkeys(listing.word(term.key, value) for value in said))
    return Clause(lambda wrap: _term(listing, term, dialect, wrap, secret), column, words, _span(term))


def _span(term: Term) -> tuple[int | None, int | None] | None:
    """What lies outside cannot match."""
    if term.negated or len(term.conditions) != 1:
        return None
    (condition,) = term.conditions
    if isinstance(condition, Between):
        return condition.start.at, condition.end.at
    if isinstance(condition, Compare):
        at = condition.instant.at
        return (at, None) if condition.op.startswith(">") else (None, at)
    return None


def _plain_words(listing: Listing, term: Term) -> bool:
    words = ("none", "any") if term.key in listing.absent else ()
    return all(isinstance(c, Equals) and not c.says(*words) for c in term.conditions)


def _term(listing: Listing, term: Term, dialect: Dialect, wrap: Wrap, secret: tuple[str, ...]) -> ColumnElement[bool]:
    name = listing.columns.get(term.key)
    if name is not None and _plain_words(listing, term):
        column = wrap(listing.table.c[name])
        words = [listing.word(term.key, c.value) for c in term.conditions if isinstance(c, Equals)]
        if not term.negated:
            return column == words[0] if len(words) == 1 else column.in_(words)
        return or_(listing.table.c[name].is_(None), column.not_in(words))
    found = or_(*(_condition(listing, term.key, condition, dialect, wrap, secret) for condition in term.conditions))
    # NULL is neither equal nor unequal; whoever excludes a category wants to keep what has none.
    return found.is_not(True) if term.negated else found


def _condition(
    listing: Listing, key: str, condition: Condition, dialect: Dialect, wrap: Wrap, secret: tuple[str, ...]
) -> ColumnElement[bool]:
    special = listing.special(key, condition, dialect, wrap, secret)
    if special is not None:
        return special
    column: ColumnElement[Any] = wrap(listing.table.c[listing.columns[key]])
    found: ColumnElement[bool]
    if isinstance(condition, Compare):
        found = OPERATORS[condition.op](column, condition.instant.at)
    elif isinstance(condition, Between):
        found = and_(column >= condition.start.at, column < condition.end.at)
    elif key in listing.absent and condition.says("none", "any"):
        found = column.is_(None) if condition.value == "none" else column.is_not(None)
    else:
        found = column == listing.word(key, condition.value)
    return found
