"""The schema of workers outside the engine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, Table, Text

from quarterdeck.engine.store.metadata import JsonText, metadata

# Those that registered by leasing, and those the config names. `failures` counts failed checks in a row.
workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("queues", JsonText, nullable=False),
    Column("url", Text),  # of its health endpoints; none: judged by when it was last seen
    Column("last_seen_at", BigInteger),
    Column("checked_at", BigInteger),
    Column("response_ms", Float),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("successes", Integer, nullable=False, server_default="0"),
    Column("condition", Text, nullable=False),
    Column("why", Text),
    Column("completed", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
)
