"""The schema of dead letters."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

# What is long comes last, as in `runs`.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_class", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retries", Integer, nullable=False, server_default="0"),
    Column("run_id", BigInteger),
    Column("retry_run_id", BigInteger),
    Column("exception_id", BigInteger),  # the item that hands it to a person
    Column("source_id", Text),
    moment("created_at"),  # when it came; lists, groups and growth go by it
    moment("died_at", nullable=True),  # what another system said of it, if that was earlier
    moment("updated_at"),
    moment("expires_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("payload", JsonText),  # NULL is JSON's null
    Column("metadata", JsonText, nullable=False),
    Column("detail", Text),
    # Ids are never used again, so that a selection's boundary stays true.
    sqlite_autoincrement=True,
)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(
        name,
        *(dead_letters.c[column] for column in columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


# Lists, newest first; only the first is moved by a retry.
Index("ix_dead_letters_status", dead_letters.c.status, dead_letters.c.id)
Index("ix_dead_letters_queue", dead_letters.c.queue, dead_letters.c.id)
Index("ix_dead_letters_tenant", dead_letters.c.tenant_id, dead_letters.c.id)
Index("ix_dead_letters_type", dead_letters.c.event_type, dead_letters.c.id)
Index("ix_dead_letters_error", dead_letters.c.error_code, dead_letters.c.id)
Index("ix_dead_letters_group", dead_letters.c.group_id, dead_letters.c.id)
Index("ix_dead_letters_created", dead_letters.c.created_at, dead_letters.c.id)
# A run dies once, and another system's post is kept once.
_partial("ix_dead_letters_run", "run_id", where="run_id IS NOT NULL", unique=True)
_partial("ix_dead_letters_source", "queue", "source_id", "tenant_id", where="source_id IS NOT NULL", unique=True)
# An exception leads to its dead letter.
_partial("ix_dead_letters_exception", "exception_id", where="exception_id IS NOT NULL")
# Retention looks at what is over.
Index("ix_dead_letters_expires", dead_letters.c.expires_at)

# One line a group, so that a list of groups need not read the dead letters.
dead_letter_groups = Table(
    "dead_letter_groups",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("error_class", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("message", Text, nullable=False),  # normalised
    moment("first_at"),
    moment("last_at"),
)

# What an edited retry changed: a JSON Patch (RFC 6902) from the payload before it.
dead_letter_edits = Table(
    "dead_letter_edits",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("dead_letter_id", BigInteger, nullable=False),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("patch", JsonText, nullable=False),
    Column("payload", JsonText),  # after it
)
Index("ix_dead_letter_edits_letter", dead_letter_edits.c.dead_letter_id, dead_letter_edits.c.id)
