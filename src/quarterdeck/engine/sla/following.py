"""Clocks follow their items: in the same transaction as every change that may concern them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import Resource
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.sla.clockwork import Change, Clock, Sight, fold, see
from quarterdeck.engine.sla.keeping import Kept, Owner, clock_of
from quarterdeck.engine.sla.policies import Version, book_of, versions_by_id
from quarterdeck.engine.sla.sights import responds
from quarterdeck.engine.sla.tables import sla_breaches, sla_clocks
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

# The columns of an item that a clock looks at.
WATCHED = frozenset({"status", "priority", "deleted_at"})


@dataclass(frozen=True, slots=True)
class Born:
    """An item that has just entered a queue, and what was seen of it since, oldest first."""

    owner: Owner
    kind: str
    sights: Sequence[Sight]


async def begin(transaction: Transaction, dialect: Dialect, resource: Resource | str, born: Iterable[Born]) -> None:
    """Starts the clocks of new items, by the policies in force when each entered its queue."""
    book = await book_of(transaction.connection, resource)
    if not book:
        return
    kept = Kept()
    for each in born:
        version = book.find(each.owner.tenant_id, each.kind, each.sights[0].at)
        if version is not None:
            clocks, changes = fold(version.rules, each.sights, transaction.now)
            kept.add(each.owner, version.id, version.rules, clocks, changes)
    await kept.write(transaction, dialect)


async def clocked(connection: AsyncConnection, scope: ColumnElement[bool]) -> list[int]:
    """The items in `scope` that have clocks."""
    if (await connection.execute(select(sla_clocks.c.item_id).limit(1))).first() is None:
        return []
    mine = select(sla_clocks.c.item_id).distinct().join(items, items.c.id == sla_clocks.c.item_id).where(scope)
    return list((await connection.execute(mine)).scalars())


async def follow(transaction: Transaction, dialect: Dialect, ids: Sequence[int], *, answered: bool = False) -> bool:
    """After these items were changed at `transaction.now`; whether any clock was.

    `answered`: each was given a word by somebody.
    """
    kept = Kept()
    if dialect.skips_locked:  # a sweep may be about to tell of the same breach
        mine = select(sla_clocks.c.item_id).where(sla_clocks.c.item_id.in_(dialect.id_list(ids)))
        order = mine.order_by(sla_clocks.c.item_id, sla_clocks.c.target)
        await transaction.connection.execute(dialect.lock(order))
    for item in await watched(transaction.connection, items.c.id.in_(dialect.id_list(ids))):
        sight = item.sight(transaction.now, answered=answered)
        after: list[Clock] = []
        changes: list[Change] = []
        for clock in item.clocks:
            turned, more = see(item.version.rules, clock, sight)
            after.append(turned)
            changes += more
        if after != item.clocks:
            kept.add(item.owner, item.version.id, item.version.rules, after, changes)
    await kept.write(transaction, dialect)
    return bool(kept.clocks)


@dataclass(frozen=True, slots=True)
class Watched:
    """An item as it is, with its clocks as they were kept."""

    owner: Owner
    version: Version
    status: str
    priority: int
    deleted: bool
    clocks: list[Clock]

    def sight(self, at: int, *, answered: bool = False) -> Sight:
        return Sight(
            at, self.status, self.priority, self.deleted, answered or responds(self.owner.resource, self.status)
        )


async def watched(connection: AsyncConnection, scope: ColumnElement[bool]) -> list[Watched]:
    """The items in `scope` that have clocks."""
    query = (
        select(
            sla_clocks,
            items.c.status,
            items.c.priority.label("item_priority"),
            items.c.deleted_at,
            items.c.sla_due_at,
            sla_breaches.c.breached_at,
        )
        .select_from(
            items.join(sla_clocks, sla_clocks.c.item_id == items.c.id).join(
                sla_breaches,
                and_(sla_breaches.c.item_id == items.c.id, sla_breaches.c.target == sla_clocks.c.target),
                isouter=True,
            )
        )
        .where(scope)
        .order_by(sla_clocks.c.item_id, sla_clocks.c.target)
    )
    rows = (await connection.execute(query)).all()
    versions = await versions_by_id(connection, {row.version_id for row in rows})
    found = []
    for item_id, group in groupby(rows, key=lambda row: row.item_id):
        kept = list(group)
        row = kept[0]
        owner = Owner(item_id, row.tenant_id, row.resource, row.sla_due_at)
        clocks = [clock_of(each) for each in kept]
        deleted = row.deleted_at is not None
        found.append(Watched(owner, versions[row.version_id], row.status, row.item_priority, deleted, clocks))
    return found
