"""Clocks made again from the timelines of their items, beside those that were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.sla.clockwork import WORDS, Change, Clock, advance, fold
from quarterdeck.engine.sla.following import watched
from quarterdeck.engine.sla.keeping import Kept, Owner
from quarterdeck.engine.sla.policies import Book, Version, book_of
from quarterdeck.engine.sla.sights import Line, sights
from quarterdeck.engine.sla.tables import forget
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction


@dataclass(frozen=True, slots=True)
class Replayed:
    """An item's clocks as they were kept and as its timeline gives them, both at the same moment."""

    owner: Owner
    version: Version
    kept: Sequence[Clock]
    folded: Sequence[Clock]
    changes: Sequence[Change]

    @property
    def differs(self) -> bool:
        return [each.without_steps() for each in self.kept] != list(self.folded)


async def replayed(
    transaction: Transaction, dialect: Dialect, scope: ColumnElement[bool], *, write: bool
) -> list[Replayed]:
    """Every item in `scope` that has clocks or should have some; `write` keeps what its timeline gives; who would
    change one of these items waits for that."""
    if write:
        await transaction.connection.execute(dialect.lock(select(items.c.id).where(scope).order_by(items.c.id)))
    found = await compare(transaction.connection, scope, transaction.now)
    wrong = [each for each in found if each.differs] if write else []
    if wrong:
        ids = dialect.id_list([each.owner.item_id for each in wrong])
        mine = item_events.c.item_id.in_(ids) & item_events.c.type.in_(sorted(WORDS))
        await transaction.connection.execute(delete(item_events).where(mine))
        await forget(transaction.connection, ids)
        kept = Kept()
        for each in wrong:
            # No timeline tells which steps of the escalation were taken; none is taken twice.
            taken = {clock.target: clock.steps for clock in each.kept}
            clocks = [replace(clock, steps=taken.get(clock.target, 0)) for clock in each.folded]
            kept.add(each.owner, each.version.id, each.version.rules, clocks, each.changes)
        await kept.write(transaction, dialect)
    return found


async def compare(connection: AsyncConnection, scope: ColumnElement[bool], now: int) -> list[Replayed]:
    known = {each.owner.item_id: each for each in await watched(connection, scope)}
    lines = await _lines(connection, scope)
    books: dict[str, Book] = {}
    found = []
    for row in (await connection.execute(select(items).where(scope).order_by(items.c.id))).all():
        if row.resource not in books:
            books[row.resource] = await book_of(connection, row.resource)
        item = known.get(row.id)
        seen = sights(
            row.resource,
            row.created_at,
            row.status,
            row.priority,
            lines.get(row.id, []),
            deleted=row.deleted_at is not None,
        )
        version = item.version if item else books[row.resource].find(row.tenant_id, row.kind, seen[0].at)
        if version is None:
            continue
        folded, changes = fold(version.rules, seen, now)
        kept = [advance(each, now)[0] for each in item.clocks] if item else []
        if folded or kept:
            owner = Owner(row.id, row.tenant_id, row.resource, row.sla_due_at)
            found.append(Replayed(owner, version, kept, folded, changes))
    return found


async def _lines(connection: AsyncConnection, scope: ColumnElement[bool]) -> dict[int, list[Line]]:
    columns = (item_events.c.item_id, item_events.c.at, item_events.c.type, item_events.c.actor, item_events.c.changes)
    query = (
        select(*columns)
        .select_from(items.join(item_events, item_events.c.item_id == items.c.id))
        .where(scope)
        .order_by(item_events.c.item_id, item_events.c.at, item_events.c.id)
    )
    rows = await connection.execute(query)
    return {
        item_id: [Line(row.at, row.type, row.actor, row.changes) for row in group]
        for item_id, group in groupby(rows, key=lambda row: row.item_id)
    }
