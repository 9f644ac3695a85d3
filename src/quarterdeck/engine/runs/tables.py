"""The schema of runs, their attempts and their logs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, SmallInteger, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

# `payload` and `result` come last: a list reads the columns before them and never their overflow pages.
runs = Table(
    "runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("tenant_id", Text, nullable=False, server_default="default"),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),  # rank, 0 is the most pressing
    moment("run_at"),
    # It only grows, so that (id, attempt) names one attempt for ever: what is given back or retried by a person
    # gets more `max_attempts`, never an earlier `attempt`.
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False),
    Column("retry_count", Integer, nullable=False, server_default="0"),
    Column("lost", Integer, nullable=False, server_default="0"),  # attempts whose worker fell silent
    Column("timeout_ms", BigInteger),
    Column("unique_key", Text),
    Column("lease_token", Text),
    Column("lease_until", BigInteger),
    Column("worker", Text),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("progress", Float),
    # What the run works for, so that it can be cancelled together: a bulk operation's id.
    Column("operation_id", BigInteger),
    # The dead letter of which this is a retry.
    Column("dead_letter_id", BigInteger),
    Column("error_class", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    moment("created_at"),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("payload", JsonText),  # NULL is JSON's null
    Column("result", JsonText),
    # Ids are never used again, so that a selection's boundary stays true.
    sqlite_autoincrement=True,
)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(
        name,
        *(runs.c[column] for column in columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


# The text of these conditions is repeated to the letter by the queries that are to use the index.
WAITING = "status = 'waiting'"
LATER = "status IN ('scheduled', 'failed')"
ACTIVE = "status = 'active'"

# A claim reads its first rows, and the oldest waiting run of a queue is met soon. The tenant is in it so that
# a claim steps over tenants who have enough without reading the rows.
_partial("ix_runs_waiting", "queue", "priority", "run_at", "id", "tenant_id", where=WAITING)
# A worker that takes certain kinds only: the first of each, however many others wait.
_partial("ix_runs_waiting_kind", "queue", "kind", "priority", "run_at", "id", where=WAITING)
# What becomes due is moved to `waiting`; so a claim never steps over what is not due yet.
_partial("ix_runs_later", "run_at", "id", where=LATER)
# A claim counts what is active of a queue and its tenants; the rescue of lapsed leases reads the few that there are.
_partial("ix_runs_lease", "queue", "tenant_id", "lease_until", where=ACTIVE)
_partial("ix_runs_operation", "operation_id", "status", where="operation_id IS NOT NULL")
# The attempts of a dead letter are those of its run and of these.
_partial("ix_runs_dead_letter", "dead_letter_id", where="dead_letter_id IS NOT NULL")
# A second enqueue of the same key finds the first. Tenants do not meet each other's.
_partial("ix_runs_unique", "queue", "unique_key", "tenant_id", where="unique_key IS NOT NULL", unique=True)
# Lists, newest first. All but the first and the fourth are written once and never moved. What stands behind the id is
# there so that a filter of several keys steps over what it does not want without reading the rows.
Index("ix_runs_status", runs.c.status, runs.c.id, runs.c.queue, runs.c.tenant_id, runs.c.kind)
Index("ix_runs_queue", runs.c.queue, runs.c.id, runs.c.tenant_id, runs.c.kind)
Index("ix_runs_tenant", runs.c.tenant_id, runs.c.id, runs.c.queue, runs.c.kind)
_partial("ix_runs_error", "error_code", "id", "queue", "tenant_id", "kind", where="error_code IS NOT NULL")
Index("ix_runs_kind", runs.c.kind, runs.c.id, runs.c.tenant_id)
Index("ix_runs_created", runs.c.created_at, runs.c.id)
# Retention removes what has ended, by how it ended.
_partial("ix_runs_finished", "queue", "status", "finished_at", where="finished_at IS NOT NULL")

# Every attempt that has ended. One at work stands in `runs` itself, so that an attempt costs one write.
run_attempts = Table(
    "run_attempts",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    moment("started_at"),
    moment("ended_at"),
    Column("worker", Text),
    Column("outcome", Text, nullable=False),
    Column("error_class", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("retry_at", BigInteger),
    Column("detail", Text),
    sqlite_with_rowid=False,
)

run_logs = Table(
    "run_logs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    moment("at"),
    Column("level", Text, nullable=False),
    Column("text", Text, nullable=False),
)
# The log of a run in the order written.
Index("ix_run_logs_run", run_logs.c.run_id, run_logs.c.id)

# How far a queue with a rate limit has used up its time: no run may start before `free_at`, in microseconds.
run_paces = Table(
    "run_paces",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("free_at", BigInteger, nullable=False),
)
