"""The columns of runs, dead letters and groups of errors."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.enums import RunStatus
from quarterdeck.tui import format as words
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Row
from quarterdeck.tui.widgets.run_timeline import took


def _text(key: str, style: str = "") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return safe(row.get(key) or ""), style

    return cell


def _number(key: str, style: str = "") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        value = row.get(key)
        return (words.count(value), style) if value else ("-", "faint")

    return cell


def _age(row: Row, context: CellContext) -> Cell:
    return words.age(row["created_at"], context.now), "muted"


def _id(row: Row, _context: CellContext) -> Cell:
    return str(row["id"]), "muted"


def _status(row: Row, context: CellContext) -> Cell:
    return words.badge(row["status"], context.glyphs)


def _attempt(row: Row, _context: CellContext) -> Cell:
    made, most = row["attempt"], row["max_attempts"]
    if not made:
        return f"-/{most}", "faint"
    return f"{made}/{most}", "warning" if made > 1 else "muted"


def time_taken(row: Row, now: int) -> str:
    """How long the newest attempt took, or takes; nothing where none has begun."""
    start = words.moment(row.get("started_at"))
    if start is None:
        return ""
    end = words.moment(row.get("finished_at"))
    if end is not None:
        return took(end - start)
    return words.span(max(now - start, 0)) if row["status"] == RunStatus.ACTIVE else ""


def _duration(row: Row, context: CellContext) -> Cell:
    progress = row.get("progress")
    taken = time_taken(row, context.now)
    if row["status"] == RunStatus.ACTIVE and progress is not None:
        return f"{int(progress * 100)}% {taken}", "badge-active"
    return taken, ""


def next_start(row: Row, now: int) -> str:
    """When it is tried next, where it waits for a time."""
    if row["status"] not in (RunStatus.SCHEDULED, RunStatus.FAILED):
        return ""
    at = words.moment(row["run_at"])
    return "" if at is None else "due now" if at <= now else f"in {words.span(at - now)}"


def _run_error(row: Row, context: CellContext) -> Cell:
    """What matters most of it: when it is tried again, then what went wrong."""
    said = " ".join(str(row[key]) for key in ("error_code", "error_message") if row.get(key))
    again = next_start(row, context.now)
    style = "" if row["status"] in (RunStatus.DEAD, RunStatus.FAILED) else "muted"
    if again and said:
        return f"{again} {'-' if context.glyphs.ascii else '·'} {safe(said)}", style
    return (again, "muted") if again else (safe(said), style)


RUN_COLUMNS: tuple[Column, ...] = (
    Column("status", "status", 11, _status),
    Column("queue", "queue", 14, _text("queue")),
    Column("kind", "kind", 16, _text("kind", "muted"), hide_below=90),
    Column("tenant", "tenant", 12, _text("tenant_id", "muted"), hide_below=110),
    Column("attempt", "try", 5, _attempt, right=True),
    Column("age", "age", 5, _age, right=True, live=True),
    Column("duration", "took", 8, _duration, right=True, live=True),
    Column("error", "error", 20, _run_error, flex=True, live=True),
    Column("id", "id", 9, _id, right=True, hide_below=110),
)


def _error(row: Row, _context: CellContext) -> Cell:
    return safe(f"{row['error_code']} {row['error_message']}"), "" if row["status"] == "pending" else "muted"


DEAD_LETTER_COLUMNS: tuple[Column, ...] = (
    Column("status", "status", 11, _status),
    Column("queue", "queue", 14, _text("queue")),
    Column("type", "type", 16, _text("event_type", "muted"), hide_below=90),
    Column("tenant", "tenant", 12, _text("tenant_id", "muted"), hide_below=110),
    Column("attempts", "tries", 5, _number("attempts", "muted"), right=True),
    Column("retries", "again", 5, _number("retries", "warning"), right=True, hide_below=110),
    Column("age", "age", 5, _age, right=True, live=True),
    Column("error", "error", 20, _error, flex=True),
    Column("id", "id", 9, _id, right=True, hide_below=110),
)


def _last(row: Row, context: CellContext) -> Cell:
    return words.age(row["last_at"], context.now), "muted"


def _first(row: Row, context: CellContext) -> Cell:
    return words.age(row["first_at"], context.now), "muted"


def _group_count(row: Row, context: CellContext) -> Cell:
    return f"{words.count(row['count'])} {'x' if context.glyphs.ascii else '×'}", "title"


def _pending(row: Row, _context: CellContext) -> Cell:
    return (words.count(row["pending"]), "badge-failed") if row["pending"] else ("none", "faint")


GROUP_COLUMNS: tuple[Column, ...] = (
    Column("count", "dead", 11, _group_count, right=True),
    Column("code", "error", 14, _text("error_code", "error")),
    Column("queue", "from", 14, _text("queue")),
    Column("message", "message", 20, _text("message", "muted"), flex=True),
    Column("pending", "pending", 9, _pending, right=True),
    Column("class", "class", 10, _text("error_class", "muted"), hide_below=110),
    Column("first", "first", 5, _first, right=True, live=True, hide_below=110),
    Column("last", "last", 5, _last, right=True, live=True),
)
