"""The schema of usage."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from quarterdeck.engine.store.metadata import RowId, metadata, moment

# Whose usage is nobody's: calls of people who answer for every tenant. No tenant is called so.
NOBODY = ""
# The source of what the engine meters itself.
OURS = "quarterdeck"

# What was posted, and what the engine has metered in a minute. The key is what makes a second event of the same
# source and id change nothing.
usage_events = Table(
    "usage_events",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("resource_type", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    moment("at"),
    moment("recorded_at"),
    sqlite_with_rowid=False,
)
# What is old is found without reading the rest.
Index("ix_usage_events_at", usage_events.c.at)


def _sums(name: str) -> Table:
    """First time, then the tenant: whatever is asked, it is asked of a time; and what is old goes in one stretch."""
    return Table(
        name,
        metadata,
        moment("at", primary_key=True, autoincrement=False),  # the start of the minute or day
        Column("tenant_id", Text, primary_key=True),
        Column("resource_type", Text, primary_key=True),
        Column("quantity", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


# Sums of events, written with them: at any moment a day is the sum of its events, however late they came.
usage_minutes = _sums("usage_minutes")
usage_days = _sums("usage_days")

# The tenant NOBODY: each one without a limit of its own. One that is forgotten stays, so that its version goes on: who
# takes back what they did must not take what was set after it for their own.
usage_limits = Table(
    "usage_limits",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("resource_type", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    moment("updated_at"),
    Column("updated_by", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    moment("deleted_at", nullable=True),
)
# Two who set the same at once do not make two of it.
Index("ix_usage_limits_what", *(usage_limits.c[name] for name in ("tenant_id", "resource_type", "period")), unique=True)
