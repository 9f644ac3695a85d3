"""The columns of what falls due soon, and of promises that were broken."""

from __future__ import annotations

from typing import Any

from quarterdeck.tui import format as words
from quarterdeck.tui.format import moment
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Row


def _text(key: str, style: str = "") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return safe(row.get(key) or ""), style

    return cell


def _due(row: Row, context: CellContext) -> Cell:
    return words.due_signed(row["at"], context.now, context.glyphs)


def _priority(row: Row, context: CellContext) -> Cell:
    return words.priority(row["priority"], context.glyphs)


def _promise(row: Row, _context: CellContext) -> Cell:
    return safe(str(row["target"]).replace("_", " ")), "muted"


def _status(row: Row, context: CellContext) -> Cell:
    return words.badge(row["status"], context.glyphs)


def _assignee(row: Row, _context: CellContext) -> Cell:
    return (safe(row["assignee"]), "") if row.get("assignee") else ("-", "faint")


def _broken(row: Row, context: CellContext) -> Cell:
    passed = words.age(row["at"], context.now)
    return (passed if passed == "now" else f"{passed} ago"), "muted"


def _late_by(row: Row, context: CellContext) -> Cell:
    """How long it took after it was due; what still runs says so with a sign."""
    due, ended = moment(row["at"]) or 0, moment(row["ended_at"])
    if ended is None:
        passed = words.age(row["at"], context.now)
        return f"{context.glyphs.failed} {'<1m' if passed == 'now' else passed}", "error"
    return words.span(max(ended - due, 0)), "muted"


_PROMISE = Column("promise", "promise", 14, _promise, hide_below=70)
_WHAT = (
    Column("priority", "priority", 8, _priority),
    Column("status", "status", 14, _status, hide_below=92),
    Column("title", "title", 18, _text("title"), flex=True),
    Column("tenant", "tenant", 13, _text("tenant_id", "muted"), hide_below=104),
    Column("assignee", "assignee", 10, _assignee, hide_below=78),
    Column("queue", "queue", 13, _text("resource", "muted"), hide_below=136),
)
RISK_COLUMNS: tuple[Column, ...] = (Column("due", "due", 11, _due, right=True, live=True), _PROMISE, *_WHAT)
BREACH_COLUMNS: tuple[Column, ...] = (
    Column("broken", "broken", 8, _broken, right=True, live=True),
    Column("late", "late by", 7, _late_by, right=True, live=True),
    *_WHAT,
)
