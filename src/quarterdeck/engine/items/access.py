"""How to reach the rows of a filter without reading the queue.

SQLite keeps no statistics that would tell it whether `assignee:ana` leaves ten rows or half a million, and
guesses wrong in both directions. So we look first, and never far: a probe counts at most a few rows.

- `narrow`: one condition leaves few rows; enter by its index and sort what is left.
- `ordered`: enough rows match that reading in the order of the sort key meets them soon.
- `scan`: for counting and freezing most of a queue, the table itself is the fastest index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import Resource, SortKey
from quarterdeck.contract.filters import Filter
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.items.matching import Clause, clauses, itself
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.store.dialect import Dialect, plain

# Rows that an index finds and that are cheap to sort; rows that a read of the table collects.
FEW_ENTRIES = 5_000
FEW_FOUND = 500
# More streams than this cost more than sorting.
_MOST_STREAMS = 12

# The columns that lead an index, and what the index holds besides: a count that asks for nothing else
# never touches the table.
_TRIAGE = {"resource", "priority", "sla_due_at", "created_at", "id"}
_INDEXES: dict[str, set[str]] = {
    "status": _TRIAGE | {"status"},
    "assignee": {"resource", "assignee"},
    "tenant_id": {"resource", "tenant_id"},
    "kind": {"resource", "kind"},
    "category": {"resource", "category"},
    "external_id": {"external_id", "resource", "tenant_id"},
    "id": {"id"},
    "sla_due_at": {"resource", "sla_due_at", "id"},
    "created_at": {"resource", "created_at", "id"},
    "updated_at": {"resource", "updated_at", "id"},
}
# Columns that an index serves by equality only.
_BY_EQUALITY = ("assignee", "status", "kind", "category", "tenant_id")
_SORTED_BY = {SortKey.DUE: "sla_due_at", SortKey.CREATED: "created_at", SortKey.UPDATED: "updated_at"}


@dataclass(frozen=True, slots=True)
class Access:
    """`where` is joined by AND; `streams`, if any, exclude each other and are each in sort order.

    `sorts`: the order does not come from an index, so its columns must not tempt the planner.
    """

    where: list[ColumnElement[bool]]
    streams: list[ColumnElement[bool]]
    sorts: bool = False


async def for_page(
    connection: AsyncConnection,
    dialect: Dialect,
    filter_: Filter,
    resource: Resource,
    principal: Principal,
    sort: SortKey,
) -> Access:
    """The way to one page in the order of `sort`."""
    found = clauses(filter_, resource, principal, dialect)
    if dialect.knows_statistics:
        return Access([clause.sql(itself) for clause in found], [])
    terms = [clause for clause in found if clause.column != "resource"]
    narrow = await _narrow(connection, found)
    if narrow is not None:
        return Access(_by(found, {narrow}), [], sorts=True)
    driver = _driver(found, sort)
    served = {driver.column} if driver is not None else {_SORTED_BY.get(sort, "priority")}
    open_terms = [each for each in terms[_built_in(principal) :] if each.column is None or each.column not in served]
    if open_terms:
        few = await _few(connection, found)
        if few is not None:
            return Access([items.c.id.in_(few)], [], sorts=True)
    return _ordered(found, driver, sort)


async def for_claim(
    connection: AsyncConnection, dialect: Dialect, filter_: Filter, resource: Resource, principal: Principal
) -> Access:
    """The way to the first match in the triage order, beside the condition of the index that holds what is ready."""
    found = clauses(filter_, resource, principal, dialect)
    if dialect.knows_statistics:
        return Access([clause.sql(itself) for clause in found], [])
    narrow = await _narrow(connection, found)
    if narrow is not None:
        return Access(_by(found, {narrow}), [], sorts=True)
    return Access([clause.sql(itself if clause.column == "resource" else plain) for clause in found], [])


async def for_all(
    connection: AsyncConnection, dialect: Dialect, filter_: Filter, resource: Resource, principal: Principal
) -> list[ColumnElement[bool]]:
    """The way to every match, in no order: for counting and freezing."""
    found = clauses(filter_, resource, principal, dialect)
    if dialect.knows_statistics:
        return [clause.sql(itself) for clause in found]
    narrow = await _narrow(connection, found)
    return _by(found, set() if narrow is None else {narrow})


async def for_count(
    connection: AsyncConnection, dialect: Dialect, filter_: Filter, resource: Resource, principal: Principal
) -> list[ColumnElement[bool]]:
    """As `for_all`, but an index that holds every column asked for is read instead of the table."""
    found = clauses(filter_, resource, principal, dialect)
    columns = {clause.column for clause in found}
    alive = sum(clause.column is None for clause in found) == 1  # nothing but the condition on deleted_at
    in_bin = any(term.key == "is" for term in filter_.terms)
    if alive and not in_bin and not dialect.knows_statistics:
        for number, clause in enumerate(found):
            held = _INDEXES.get(clause.column or "")
            if held is not None and columns - {None} <= held and (clause.words or clause.column not in _BY_EQUALITY):
                return _by(found, {number})
        if columns - {None} <= _TRIAGE:
            return _by(found, {0})
    return await for_all(connection, dialect, filter_, resource, principal)


def _by(found: list[Clause], entered: set[int]) -> list[ColumnElement[bool]]:
    """Only the clauses `entered`, and the resource before them, may lead into an index.

    With none, a condition on the row's own key makes the table itself the way in.
    """
    where = [
        clause.sql(itself if number in entered or (entered and clause.column == "resource") else plain)
        for number, clause in enumerate(found)
    ]
    return where if entered else [items.c.id > 0, *where]


async def _narrow(connection: AsyncConnection, found: list[Clause]) -> int | None:
    """The clause whose index leaves fewest rows, if these are few."""
    best: tuple[int, int] | None = None
    for number, clause in enumerate(found):
        if clause.column not in _INDEXES or (clause.words is None and clause.column in _BY_EQUALITY):
            continue
        alive = next(each for each in found if each.column is None)
        probe = select(items.c.id).where(found[0].sql(itself), clause.sql(itself), alive.sql(itself)).limit(FEW_ENTRIES)
        count = (await connection.execute(select(func.count()).select_from(probe.subquery()))).scalar_one()
        if count < FEW_ENTRIES and (best is None or count < best[1]):
            best = (number, count)
    return None if best is None else best[0]


async def _few(connection: AsyncConnection, found: list[Clause]) -> list[int] | None:
    """The ids of all matches where these are few; reads the table until they are not."""
    probe = select(items.c.id).where(*_by(found, set())).limit(FEW_FOUND)
    ids = list((await connection.execute(probe)).scalars())
    return ids if len(ids) < FEW_FOUND else None


def _built_in(principal: Principal) -> int:
    """How many clauses after the resource are there for every filter: the tenants and the bin."""
    return 1 if principal.tenants is None else 2


def _driver(found: list[Clause], sort: SortKey) -> Clause | None:
    """The condition on the status, behind which the triage order can be read."""
    if sort is not SortKey.PRIORITY:
        return None
    for clause in found:
        if clause.column == "status" and clause.words and len(clause.words) <= _MOST_STREAMS:
            return clause
    return None


def _ordered(found: list[Clause], driver: Clause | None, sort: SortKey) -> Access:
    first = _SORTED_BY.get(sort)
    where: list[ColumnElement[bool]] = []
    streams: list[ColumnElement[bool]] = []
    for clause in found:
        if clause is driver and clause.words is not None and clause.column is not None:
            column: ColumnElement[Any] = items.c[clause.column]
            if len(clause.words) > 1:
                streams = [column == word for word in clause.words]
            else:
                where.append(clause.sql(itself))
        elif clause.column in ("resource", first):
            where.append(clause.sql(itself))
        else:
            where.append(clause.sql(plain))
    return Access(where, streams)
