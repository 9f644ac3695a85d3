"""The schema of the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from quarterdeck.engine.store.metadata import JsonText, metadata, moment

# Ids are given by `audit_head`, without gaps, so that a missing entry shows.
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("tenant_id", Text),
    Column("action", Text, nullable=False),
    Column("resource", Text),
    Column("target", Text),
    Column("reason", Text),
    Column("details", JsonText, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
# "What did she do", "what happened to item 7".
Index("ix_audit_entries_actor", audit_entries.c.actor, audit_entries.c.id)
Index("ix_audit_entries_target", audit_entries.c.target, audit_entries.c.id)

# The end of the chain, one row: locked by each append, so that two writers cannot fork it.
audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    Column("last_hash", Text, nullable=False),
)
