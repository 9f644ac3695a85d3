"""The schema of idempotency keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from quarterdeck.engine.store.metadata import metadata, moment

# `status` and `answer` are null while the first request is running; `holder` is the engine that runs it and
# `held_until` when that counts as lost.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("held_until", BigInteger, nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    moment("created_at"),
)
# The hourly purge of keys older than a day.
Index("ix_idempotency_keys_created", idempotency_keys.c.created_at)
