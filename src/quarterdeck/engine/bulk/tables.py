"""The schema of bulk operations."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

bulk_operations = Table(
    "bulk_operations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("parent_id", BigInteger),
    Column("resource", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("params", JsonText, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("filter", Text),
    # The principal who confirmed it, as it was: batches run in that name and scope.
    Column("created_by", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("tenants", JsonText),
    moment("created_at"),
    Column("run_at", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("total", BigInteger, nullable=False),
    Column("eligible", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("succeeded", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    Column("cancelled", BigInteger, nullable=False, server_default="0"),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("batch_size", Integer, nullable=False),
    Column("parallel", Integer, nullable=False),
    Column("batches", Integer, nullable=False),
    Column("batches_done", Integer, nullable=False, server_default="0"),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("error", Text),
    # Counted once, at the draft: {"open": 12} and [{"code", "status", "count"}].
    Column("states", JsonText, nullable=False),
    Column("verdicts", JsonText, nullable=False),
    sqlite_autoincrement=True,
)
# The tray and the clock look only at what is not over. Their queries repeat the condition to the letter, or
# SQLite would not use the index.
UNFINISHED = "status IN ('scheduled', 'pending', 'in_progress')"
Index(
    "ix_bulk_operations_unfinished",
    bulk_operations.c.status,
    bulk_operations.c.run_at,
    sqlite_where=text(UNFINISHED),
    postgresql_where=text(UNFINISHED),
)

# The frozen selection, one row an item. `seq` counts through all operations, so that freezing a million
# rows only appends; an operation's rows lie between its first_seq and last_seq, its batches are spans of
# that. `item_id` is the number of whatever is acted on; `code` says why it was skipped or failed, `status` the
# state it was seen in, `version` its version at the draft. What succeeded is never written again: it is what is
# pending in a batch that is done.
bulk_items = Table(
    "bulk_items",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("operation_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("version", Integer),
    Column("outcome", Text, nullable=False),
    Column("code", Text),
    Column("status", Text),
    sqlite_autoincrement=True,
)
# Failures and skips are found without reading the rest.
Index(
    "ix_bulk_items_refused",
    bulk_items.c.operation_id,
    bulk_items.c.outcome,
    bulk_items.c.seq,
    sqlite_where=text("code IS NOT NULL"),
    postgresql_where=text("code IS NOT NULL"),
)

# Batches that are done, noted in the transaction of the batch.
bulk_batches = Table(
    "bulk_batches",
    metadata,
    Column("operation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

bulk_templates = Table(
    "bulk_templates",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("resource", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("params", JsonText, nullable=False),
    Column("reason", Text),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
)
