"""The schema of selections."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from quarterdeck.engine.store.metadata import JsonText, metadata, moment

# Selection tokens.
selections = Table(
    "selections",
    metadata,
    Column("token", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("tenants", JsonText),
    Column("filter", Text, nullable=False),  # frozen
    Column("except_ids", JsonText, nullable=False),
    Column("boundary", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    moment("created_at"),
    moment("expires_at"),
)
Index("ix_selections_expires", selections.c.expires_at)
