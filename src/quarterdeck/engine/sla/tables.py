"""The schema of service levels."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Select, SmallInteger, Table, Text, select, text

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
# `soon_at` is when it becomes due soon; `next_at` when time alone will change something.
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
    Column("breached_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("responded", Boolean, nullable=False),
    Column("steps", Integer, nullable=False),
)


def _partial(name: str, *columns: str, where: str) -> None:
    condition = text(where)
    Index(name, *(sla_clocks.c[each] for each in columns), sqlite_where=condition, postgresql_where=condition)


# The sweep reads what is due, however many clocks run.
_partial("ix_sla_clocks_next", "next_at", where="next_at IS NOT NULL")
# What is due soon, and what is broken and not done: few of all that run or have ended.
RUNNING = "state = 'running'"
BROKEN = "breached_at IS NOT NULL AND ended_at IS NULL"
_partial("ix_sla_clocks_soon", "soon_at", "item_id", where=RUNNING)
_partial("ix_sla_clocks_broken", "item_id", where=BROKEN)
# Verdicts of a time: those that ended, and those that were broken, which may still run.
_partial("ix_sla_clocks_ended", "target", "ended_at", where="ended_at IS NOT NULL")
_partial("ix_sla_clocks_breached", "breached_at", "item_id", where="breached_at IS NOT NULL")


def due_soon(now: int) -> Select[tuple[int]]:
    """Ids of items with a clock that runs and is due soon by its policy."""
    return select(sla_clocks.c.item_id).where(text(RUNNING), sla_clocks.c.soon_at <= now, sla_clocks.c.due_at >= now)


def broken() -> Select[tuple[int]]:
    """Ids of items that are late and not done."""
    return select(sla_clocks.c.item_id).where(text(BROKEN))
