"""The schema of items. `items` is kept narrow: it is what is scanned, sorted and updated in bulk."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

# Stands for "no due time", so that an index on the column orders those items last: 9999-12-31T23:59:59Z.
NO_DUE = 253_402_300_799_000

# What claim-next may hand out. Written as text because a partial index is only used by a query that
# repeats its condition literally. Holds contract.transitions.CLAIMABLE.
READY = "assignee IS NULL AND deleted_at IS NULL AND status IN ('open', 'requested', 'received', 'needs_manual_review')"
ALIVE = "deleted_at IS NULL"

items = Table(
    "items",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("external_id", Text),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),  # rank, 0 is the most pressing
    Column("category", Text),
    Column("assignee", Text),
    Column("claimed_until", BigInteger),
    Column("sla_due_at", BigInteger, nullable=False),  # NO_DUE for none
    moment("created_at"),
    moment("updated_at"),
    Column("deleted_at", BigInteger),
    Column("has_body", Boolean, nullable=False, server_default=text("false")),
    Column("comments", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    # Ids are never used again, so that a selection's boundary stays true.
    sqlite_autoincrement=True,
)


def _partial(name: str, *columns: str, where: str = ALIVE, unique: bool = False) -> Index:
    condition = text(where)
    return Index(
        name,
        *(items.c[column] for column in columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


# An import finds its items again.
_partial("ix_items_external", "external_id", "resource", "tenant_id", where="external_id IS NOT NULL", unique=True)
# The triage order; and the same within a status, since most of an old queue is closed and its most pressing
# rows are all done. Every index on `priority` is rewritten by a bulk change of it, so there is no third.
_partial("ix_items_triage", "resource", "priority", "sla_due_at", "created_at", "id")
_partial("ix_items_status", "resource", "status", "priority", "sla_due_at", "created_at", "id")
# Rare values are found by these and sorted; frequent ones are met soon in the triage order (see `access`).
_partial("ix_items_tenant", "resource", "tenant_id")
_partial("ix_items_kind", "resource", "kind")
_partial("ix_items_category", "resource", "category")
_partial("ix_items_assignee", "resource", "assignee", where="assignee IS NOT NULL AND deleted_at IS NULL")
# The other sort keys.
_partial("ix_items_due", "resource", "sla_due_at", "id")
_partial("ix_items_created", "resource", "created_at", "id")
_partial("ix_items_updated", "resource", "updated_at", "id")
# Claim-next reads its first row.
_partial("ix_items_ready", "resource", "priority", "sla_due_at", "created_at", "id", where=READY)
# Claims that lapse, and the bin.
_partial("ix_items_claimed_until", "claimed_until", where="claimed_until IS NOT NULL")
_partial("ix_items_bin", "resource", "deleted_at", "id", where="deleted_at IS NOT NULL")

# What is read one item at a time. `fingerprint` lets an import see at once that nothing changed.
item_details = Table(
    "item_details",
    metadata,
    Column("item_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("body", Text),
    Column("fields", JsonText, nullable=False),
    Column("fingerprint", Text),
)

# One line of a timeline. `changes` is {"field": [before, after]}; `version_after` is the item's version
# then, so that undo can tell whether it changed since.
item_events = Table(
    "item_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("item_id", BigInteger, nullable=False),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text),
    Column("changes", JsonText),
    Column("operation_id", BigInteger),
    Column("version_after", Integer),
)
# A timeline, newest first; also finds the event of one operation on one item.
Index("ix_item_events_item", item_events.c.item_id, item_events.c.at, item_events.c.id)

# Items that somebody does not want to be offered for a while.
item_skips = Table(
    "item_skips",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    moment("until"),
    sqlite_with_rowid=False,
)
