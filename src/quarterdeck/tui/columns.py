"""The columns of every table: what stands in a cell, and which columns give way in a narrow terminal."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.enums import BulkStatus
from quarterdeck.tui import format as words
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Row


def _text(key: str, style: str = "") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return safe(row.get(key) or ""), style

    return cell


def _id(row: Row, _context: CellContext) -> Cell:
    return str(row["id"]), "muted"


def _priority(row: Row, context: CellContext) -> Cell:
    return words.priority(row["priority"], context.glyphs)


def _age(row: Row, context: CellContext) -> Cell:
    return words.age(row["created_at"], context.now), "muted"


def _due(row: Row, context: CellContext) -> Cell:
    return words.due_of(row, context.now, context.glyphs)


def _status(row: Row, context: CellContext) -> Cell:
    return words.badge("cancelled" if row.get("deleted_at") else row["status"], context.glyphs)


def _assignee(row: Row, _context: CellContext) -> Cell:
    return (safe(row["assignee"]), "") if row.get("assignee") else ("-", "faint")


# Where a column is hidden, the title has 30 cells or more without it: in 120 cells, beside the detail pane too.
ITEM_COLUMNS: tuple[Column, ...] = (
    Column("priority", "priority", 8, _priority),
    Column("age", "age", 5, _age, right=True, live=True),
    Column("due", "due", 11, _due, right=True, live=True),
    Column("status", "status", 14, _status),
    Column("kind", "kind", 14, _text("kind", "muted"), hide_below=120),
    Column("title", "title", 20, _text("title"), flex=True),
    Column("tenant", "tenant", 12, _text("tenant_id", "muted"), hide_below=104),
    Column("assignee", "assignee", 10, _assignee, hide_below=79),
    Column("category", "category", 14, _text("category", "muted"), hide_below=160),
    Column("id", "id", 9, _id, right=True, hide_below=136),
)


def _operation(row: Row, _context: CellContext) -> Cell:
    return safe(row["label"]), ""


def _operation_status(row: Row, context: CellContext) -> Cell:
    if row["cancel_requested"] and not BulkStatus(row["status"]).is_final:
        return f"{context.glyphs.active} stopping", "warning"
    return words.badge(row["status"], context.glyphs)


def _done(row: Row, context: CellContext) -> Cell:
    done = row["succeeded"] + row["failed"] + row["cancelled"]
    if BulkStatus(row["status"]).is_running:
        return (
            f"{words.bar(done, row['eligible'], 8, context.glyphs)} {words.percent(done, row['eligible'])}",
            "badge-active",
        )
    return words.count(row["succeeded"]), ""


def _failed(row: Row, _context: CellContext) -> Cell:
    return (words.count(row["failed"]), "error") if row["failed"] else ("-", "faint")


def _skipped(row: Row, _context: CellContext) -> Cell:
    return (words.count(row["skipped"]), "muted") if row["skipped"] else ("-", "faint")


def _total(row: Row, _context: CellContext) -> Cell:
    return words.count(row["total"]), "muted"


OPERATION_COLUMNS: tuple[Column, ...] = (
    Column("id", "#", 6, _id, right=True),
    Column("age", "age", 5, _age, right=True, live=True),
    Column("label", "operation", 16, _operation, flex=True),
    Column("resource", "queue", 14, _text("resource", "muted"), hide_below=100),
    Column("status", "status", 13, _operation_status),
    Column("done", "done", 13, _done, right=True),
    Column("failed", "failed", 8, _failed, right=True),
    Column("skipped", "skipped", 8, _skipped, right=True, hide_below=100),
    Column("total", "items", 9, _total, right=True),
    Column("by", "by", 12, _text("created_by", "muted"), hide_below=90),
)


def _outcome(row: Row, context: CellContext) -> Cell:
    return words.badge(row["outcome"], context.glyphs)


RESULT_COLUMNS: tuple[Column, ...] = (
    Column("id", "item", 9, _id, right=True),
    Column("outcome", "outcome", 12, _outcome),
    Column("title", "title", 18, _text("title"), flex=True),
    Column("sentence", "why", 30, _text("sentence", "muted"), flex=True),
    Column("tenant", "tenant", 12, _text("tenant_id", "muted"), hide_below=110),
)
