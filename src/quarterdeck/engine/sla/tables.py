"""The schema of service levels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Index,
    Integer,
    Select,
    SmallInteger,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

# A tenant or kind that is absent means every one.
sla_policies = Table(
    "sla_policies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("tenant_id", Text),
    Column("kind", Text),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("version", Integer, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    Column("updated_by", Text, nullable=False),
    moment("deleted_at", nullable=True),  # the row stays, since clocks name it
)

# What a policy promised from a moment on; never changed, since clocks go by it. `settings` is
# contract.models.sla.PolicySettings.
sla_versions = Table(
    "sla_versions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("policy_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    moment("effective_from"),
    Column("settings", JsonText, nullable=False),
    moment("created_at"),
    Column("created_by", Text, nullable=False),
)
# The versions of a policy; two changes at once cannot make the same one.
Index("ix_sla_versions_policy", sla_versions.c.policy_id, sla_versions.c.number, unique=True)

# engine.sla.clockwork.Clock, one for each promise to an item. Amounts are milliseconds that counted.
# `soon_at` is when it becomes due soon; `next_at` is its place in sla_due. That a clock which runs is broken stands in
# sla_breaches only: a sweep of many that are due at once does not touch their rows, which lie far apart.
sla_clocks = Table(
    "sla_clocks",
    metadata,
    Column("item_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    Column("version_id", BigInteger, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    moment("started_at"),
    Column("total", BigInteger),
    Column("used", BigInteger, nullable=False),
    Column("since", BigInteger),
    Column("due_at", BigInteger),
    Column("soon_at", BigInteger),
    Column("next_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("responded", Boolean, nullable=False),
    Column("steps", Integer, nullable=False),
)


def _partial(name: str, *columns: str, where: str) -> None:
    condition = text(where)
    Index(name, *(sla_clocks.c[each] for each in columns), sqlite_where=condition, postgresql_where=condition)


# What is due soon: few of all that run or have ended.
RUNNING = "state = 'running'"
_partial("ix_sla_clocks_soon", "soon_at", "item_id", where=RUNNING)
# Verdicts of a time.
_partial("ix_sla_clocks_ended", "target", "ended_at", where="ended_at IS NOT NULL")

# When time alone changes a clock, in that order, with all that a sweep needs to know. `breaks`: it is broken then, and
# nothing else follows.
sla_due = Table(
    "sla_due",
    metadata,
    Column("next_at", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    Column("breaks", Boolean, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Promises that were broken. `ended_at` says when the clock ended all the same.
sla_breaches = Table(
    "sla_breaches",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    Column("breached_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("tenant_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
# The latest first, and those of a time.
Index("ix_sla_breaches_at", sla_breaches.c.breached_at, sla_breaches.c.item_id)
# What is late and not done.
BROKEN = "ended_at IS NULL"
Index("ix_sla_breaches_open", sla_breaches.c.item_id, sqlite_where=text(BROKEN), postgresql_where=text(BROKEN))


def is_newest() -> ColumnElement[bool]:
    """Of the versions of `sla_policies` the one whose settings hold now: a policy's own version is raised by every
    change, that of its settings says by which change they came."""
    each = sla_versions.alias("each_version")
    newest = select(func.max(each.c.number)).where(each.c.policy_id == sla_policies.c.id)
    return and_(
        sla_versions.c.policy_id == sla_policies.c.id,
        sla_versions.c.number == newest.correlate(sla_policies).scalar_subquery(),
    )


def due_soon(now: int) -> Select[tuple[int]]:
    """Ids of items with a clock that runs and is due soon by its policy."""
    return select(sla_clocks.c.item_id).where(text(RUNNING), sla_clocks.c.soon_at <= now, sla_clocks.c.due_at >= now)


def broken() -> Select[tuple[int]]:
    """Ids of items that are late and not done."""
    return select(sla_breaches.c.item_id).where(text(BROKEN))


def forget_places(ids: Any) -> Delete:
    """Takes the clocks of these items out of what is due."""
    places = select(sla_clocks.c.next_at, sla_clocks.c.item_id, sla_clocks.c.target)
    places = places.where(sla_clocks.c.item_id.in_(ids), sla_clocks.c.next_at.is_not(None))
    return delete(sla_due).where(tuple_(*sla_due.primary_key.columns).in_(places))


async def forget(connection: AsyncConnection, ids: Any) -> None:
    """Everything about these items; `ids` is a list, or a query."""
    await connection.execute(forget_places(ids))
    for table in (sla_breaches, sla_clocks):
        await connection.execute(delete(table).where(table.c.item_id.in_(ids)))
