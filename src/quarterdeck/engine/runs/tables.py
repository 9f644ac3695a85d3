"""The schema of runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

runs = Table(
    "runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("tenant_id", Text),
    Column("payload", JsonText, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    moment("run_at"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False),
    Column("lease_token", Text),
    Column("lease_until", BigInteger),
    Column("worker", Text),
    # What the run works for, so that it can be cancelled together: a bulk operation's id.
    Column("operation_id", BigInteger),
    Column("error_code", Text),
    Column("error_message", Text),
    moment("created_at"),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    sqlite_autoincrement=True,
)
_DUE = text("status IN ('waiting', 'scheduled', 'failed')")
# A claim reads the first row that is due.
Index(
    "ix_runs_due",
    runs.c.queue,
    runs.c.priority,
    runs.c.run_at,
    runs.c.id,
    sqlite_where=_DUE,
    postgresql_where=_DUE,
)
# The rescue of lapsed leases looks only at what is active.
Index(
    "ix_runs_lease",
    runs.c.lease_until,
    sqlite_where=text("status = 'active'"),
    postgresql_where=text("status = 'active'"),
)
Index(
    "ix_runs_operation",
    runs.c.operation_id,
    runs.c.status,
    sqlite_where=text("operation_id IS NOT NULL"),
    postgresql_where=text("operation_id IS NOT NULL"),
)
