"""The schema of what is counted.

`run_tallies` is how many runs of a queue and tenant are in a state: every transaction that moves runs adds the
differences, and a tick sums them up. A sum over few rows is the exact count, nobody waits for a counter's lock,
and a crash undoes the difference with the move.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

run_tallies = Table(
    "run_tallies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("difference", BigInteger, nullable=False),
    # What is summed up must not be taken for what came meanwhile.
    sqlite_autoincrement=True,
)


# What transactions did to runs, a row each: only ever appended, so that nobody waits for a counter that others have in
# hand. A tick adds them to the buckets of time below, about once a second.
run_moves = Table(
    "run_moves",
    metadata,
    Column("id", RowId, primary_key=True),
    moment("at"),
    Column("moves", JsonText, nullable=False),
    sqlite_autoincrement=True,
)

# What a bucket of time covers. Charts of an hour read minutes, charts of a day quarters of an hour.
STEPS = SHORT, LONG = (60, 900)  # seconds
# Each figure stands twice: under its tenant, and under this name for all of them, so that whoever sees every
# tenant need not add them up. No tenant is called so.
EVERYONE = ""


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _bucket_of_time() -> tuple[Column[Any], ...]:
    """First the tenant, then time: a chart reads one stretch of the key, however many others there are."""
    return (
        _key("tenant_id"),
        Column("step", SmallInteger, primary_key=True, autoincrement=False),
        # 1: all queues and kinds in one, under no name; only of long steps, where adding them up takes long.
        Column("whole", SmallInteger, primary_key=True, autoincrement=False),
        moment("at", primary_key=True, autoincrement=False),
    )


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


# What happened to runs. `failed` counts attempts, the others runs.
run_counts = Table(
    "run_counts",
    metadata,
    *_bucket_of_time(),
    _key("queue"),
    _key("kind"),
    _count("enqueued"),
    _count("completed"),
    _count("failed"),
    _count("dead"),
    sqlite_with_rowid=False,
)

# Histograms: `measure` 0 is how long attempts took, 1 how long runs waited; `bucket` see `series.histogram`. The key
# has the order in which a chart adds them up.
run_latencies = Table(
    "run_latencies",
    metadata,
    *_bucket_of_time(),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    _key("queue"),
    _key("kind"),
    _count("number"),
    sqlite_with_rowid=False,
)

# With what attempts failed.
run_errors = Table(
    "run_errors",
    metadata,
    *_bucket_of_time(),
    _key("queue"),
    _key("kind"),
    _key("error_class"),
    _key("error_code"),
    _count("number"),
    sqlite_with_rowid=False,
)

# How dead letters come and go; by the hour and by the day when that is long ago.
dead_letter_minutes = Table(
    "dead_letter_minutes",
    metadata,
    moment("minute", primary_key=True, autoincrement=False),  # its start
    _key("tenant_id"),
    _count("added"),
    _count("resolved"),
    _count("expired"),
    sqlite_with_rowid=False,
)

# Counts of dead letters by heading and state, kept as `run_tallies` are.
dead_letter_tallies = Table(
    "dead_letter_tallies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("difference", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_dead_letter_tallies_group", dead_letter_tallies.c.group_id)
# What stands under tenants, types and queues is added up in this order; without it each is sorted first.
Index(
    "ix_dead_letter_tallies_heading",
    *(dead_letter_tallies.c[name] for name in ("tenant_id", "event_type", "queue", "status", "difference")),
)
