"""How to reach the rows of a filter without reading the table.

SQLite keeps no statistics that would tell it whether `assignee:ana` leaves ten rows or half a million, and
guesses wrong in both directions. So we look first, and never far: a probe counts at most a few rows.

- `narrow`: one condition leaves few rows; enter by its index and sort what is left.
- `ordered`: enough rows match that reading in the order of the sort key meets them soon.
- `scan`: for counting and freezing most of a queue, the table itself is the fastest index.
- `slices`: nothing is known of how many rows match; read on for as long as a person waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.filters import Filter
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.listing.declaration import Clause, Listing, itself
from quarterdeck.engine.listing.matching import clauses
from quarterdeck.engine.store.dialect import Dialect, plain

# Rows that an index finds and that are cheap to sort; rows that a read of the table collects.
FEW_ENTRIES = 5_000
FEW_FOUND = 500
# Rows that are counted to see which of two indexes leaves fewer.
SOME_ENTRIES = 40_000
# More streams than this cost more than sorting.
_MOST_STREAMS = 12


@dataclass(frozen=True, slots=True)
class Access:
    """`where` is joined by AND; `streams`, if any, exclude each other and are each in sort order.

    `sorts`: the order does not come from an index, so its columns must not tempt the planner. `sliced`: matches
    may be far apart, so that they are looked for a slice at a time, between the times `span` (ms).
    """

    where: list[ColumnElement[bool]]
    streams: list[ColumnElement[bool]]
    sorts: bool = False
    sliced: bool = False
    span: tuple[int | None, int | None] = (None, None)


async def for_page(
    connection: AsyncConnection,
    dialect: Dialect,
    listing: Listing,
    filter_: Filter,
    principal: Principal,
    sort: str,
) -> Access:
    """The way to one page in the order of `sort`."""
    found = clauses(listing, filter_, principal, dialect)
    if dialect.knows_statistics:
        sliced = listing.slices and any(term.key == "" for term in filter_.terms)
        return Access([clause.sql(itself) for clause in found], [], sliced=sliced, span=_span(listing, found))
    narrow = await _narrow(connection, listing, found)
    if narrow is not None:
        return Access(_by(listing, found, {narrow}), [], sorts=True)
    drivers = _drivers(listing, found, sort)
    driver = await _best(connection, listing, drivers) if listing.slices else next(iter(drivers), None)
    served = listing.orders[sort][0] if driver is None else driver.column
    open_terms = [clause for clause in found if not (clause.built_in and clause.column != "tenant_id")]
    if not listing.slices:
        open_terms = [clause for clause in open_terms if not clause.built_in]
    if any(clause.column is None or clause.column != served for clause in open_terms):
        if listing.slices:
            where = [clause.sql(itself if clause is driver else plain) for clause in found]
            return Access(where, [], sliced=True, span=_span(listing, found))
        few = await _few(connection, listing, found)
        if few is not None:
            return Access([listing.table.c.id.in_(few)], [], sorts=True)
    return _ordered(listing, found, driver, sort)


async def for_first(
    connection: AsyncConnection, dialect: Dialect, listing: Listing, filter_: Filter, principal: Principal
) -> Access:
    """The way to the first match, beside the condition of an index that is in the right order."""
    found = clauses(listing, filter_, principal, dialect)
    if dialect.knows_statistics:
        return Access([clause.sql(itself) for clause in found], [])
    narrow = await _narrow(connection, listing, found)
    if narrow is not None:
        return Access(_by(listing, found, {narrow}), [], sorts=True)
    return Access([clause.sql(itself if _leads(listing, clause) else plain) for clause in found], [])


async def for_all(
    connection: AsyncConnection, dialect: Dialect, listing: Listing, filter_: Filter, principal: Principal
) -> list[ColumnElement[bool]]:
    """The way to every match, in no order: for counting and freezing."""
    found = clauses(listing, filter_, principal, dialect)
    if dialect.knows_statistics:
        return [clause.sql(itself) for clause in found]
    narrow = await _narrow(connection, listing, found)
    return _by(listing, found, set() if narrow is None else {narrow})


async def for_count(
    connection: AsyncConnection, dialect: Dialect, listing: Listing, filter_: Filter, principal: Principal
) -> list[ColumnElement[bool]]:
    """As `for_all`, but an index that holds every column asked for is read instead of the table."""
    covered = None if dialect.knows_statistics else held(listing, clauses(listing, filter_, principal, dialect))
    return covered if covered is not None else await for_all(connection, dialect, listing, filter_, principal)


def held(listing: Listing, found: list[Clause]) -> list[ColumnElement[bool]] | None:
    """The way through one index that holds every column asked for, if there is one."""
    if any(clause.column is None and not clause.built_in for clause in found):
        return None
    columns = {clause.column for clause in found if clause.column is not None}
    for number, clause in enumerate(found):
        holds = listing.indexes.get(clause.column or "")
        enterable = clause.words or clause.column not in listing.by_equality
        if holds is not None and columns <= holds and enterable:
            return _by(listing, found, {number})
    return _by(listing, found, {0}) if columns <= listing.widest else None


def _leads(listing: Listing, clause: Clause) -> bool:
    return listing.lead is not None and clause.column == listing.lead


def _by(listing: Listing, found: list[Clause], entered: set[int]) -> list[ColumnElement[bool]]:
    """Only the clauses `entered`, and the one that leads every index, may lead into an index.

    With none, a condition on the row's own key makes the table itself the way in.
    """
    where = [
        clause.sql(itself if number in entered or (entered and _leads(listing, clause)) else plain)
        for number, clause in enumerate(found)
    ]
    return where if entered else [listing.table.c.id > 0, *where]


async def _narrow(connection: AsyncConnection, listing: Listing, found: list[Clause]) -> int | None:
    """The clause whose index leaves fewest rows, if these are few."""
    best: tuple[int, int] | None = None
    always = [clause for clause in found if clause.built_in and (clause.column is None or _leads(listing, clause))]
    for number, clause in enumerate(found):
        if clause.column not in listing.indexes or (clause.words is None and clause.column in listing.by_equality):
            continue
        where = [each.sql(itself) for each in (*always, clause)]
        probe = select(listing.table.c.id).where(*where).limit(FEW_ENTRIES)
        count = (await connection.execute(select(func.count()).select_from(probe.subquery()))).scalar_one()
        if count < FEW_ENTRIES and (best is None or count < best[1]):
            best = (number, count)
    return None if best is None else best[0]


async def _few(connection: AsyncConnection, listing: Listing, found: list[Clause]) -> list[int] | None:
    """The ids of all matches where these are few; reads the table until they are not."""
    probe = select(listing.table.c.id).where(*_by(listing, found, set())).limit(FEW_FOUND)
    ids = list((await connection.execute(probe)).scalars())
    return ids if len(ids) < FEW_FOUND else None


def _drivers(listing: Listing, found: list[Clause], sort: str) -> list[Clause]:
    """The conditions behind which the order of `sort` can be read, the most telling first."""
    return [
        clause
        for column in listing.streams.get(sort, ())
        for clause in found
        if clause.column == column and clause.words and len(clause.words) <= _MOST_STREAMS
    ]


async def _best(connection: AsyncConnection, listing: Listing, drivers: list[Clause]) -> Clause | None:
    """The one that leaves fewest rows, as far as a look at some of them tells."""
    best: tuple[int, Clause] | None = None
    for clause in drivers if len(drivers) > 1 else ():
        probe = select(listing.table.c.id).where(clause.sql(itself)).limit(SOME_ENTRIES)
        count = (await connection.execute(select(func.count()).select_from(probe.subquery()))).scalar_one()
        if best is None or count < best[0]:
            best = (count, clause)
    return best[1] if best is not None else next(iter(drivers), None)


def _span(listing: Listing, found: list[Clause]) -> tuple[int | None, int | None]:
    """From when to when matches can be."""
    first, last = None, None
    for clause in found:
        if clause.span is not None and clause.column == listing.timed:
            first = max((at for at in (first, clause.span[0]) if at is not None), default=None)
            last = min((at for at in (last, clause.span[1]) if at is not None), default=None)
    return first, last


def _ordered(listing: Listing, found: list[Clause], driver: Clause | None, sort: str) -> Access:
    first = listing.orders[sort][0] if listing.orders[sort][0] in listing.indexes else None
    where: list[ColumnElement[bool]] = []
    streams: list[ColumnElement[bool]] = []
    for clause in found:
        if clause is driver and clause.words is not None and clause.column is not None:
            column: ColumnElement[Any] = listing.table.c[clause.column]
            if len(clause.words) > 1:
                streams = [column == word for word in clause.words]
            else:
                where.append(clause.sql(itself))
        elif _leads(listing, clause) or clause.column == first:
            where.append(clause.sql(itself))
        else:
            where.append(clause.sql(plain))
    return Access(where, streams)
