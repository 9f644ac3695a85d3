"""The schema of queues."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, metadata, moment

# `settings` is contract.models.queues.QueueSettings.
queues = Table(
    "queues",
    metadata,
    Column("name", Text, primary_key=True),
    Column("settings", JsonText, nullable=False),
    Column("from_config", Boolean, nullable=False, server_default=text("false")),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("paused_by", Text),
    Column("paused_at", BigInteger),
    Column("pause_reason", Text),
    moment("created_at"),
    moment("updated_at"),
    Column("version", Integer, nullable=False, server_default="1"),
)
