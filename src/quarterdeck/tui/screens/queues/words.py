"""Queues in columns and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.tui import format as words
from quarterdeck.tui.format import Cell, per_cent
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.chart_data import short
from quarterdeck.tui.widgets.chart_spark import spark
from quarterdeck.tui.widgets.rows import CellContext, Column

Row = Mapping[str, Any]
_HANDLERS = {
    "http": "posted to",
    "python": "done in the engine by",
    "worker": "leased by workers outside",
    "engine": "the engine's own work",
}


def condition(row: Row, glyphs: Glyphs) -> Cell:
    """A pause is somebody's wish, and says more than what follows from it."""
    return words.badge("paused" if row.get("paused") else row["condition"], glyphs)


def reason(row: Row) -> str:
    """Why a queue does not do well, in one line; empty where it does."""
    sentences = [str(sentence).rstrip(".") for sentence in row["why"]]
    return ". ".join(sentences) + "." if sentences else ""


def style_of(row: Row) -> str:
    """How the reason is drawn."""
    return {"unhealthy": "error", "degraded": "muted" if row["paused"] else "warning"}.get(row["condition"], "muted")


def _name(row: Row, _context: CellContext) -> Cell:
    return safe(row["name"]), "" if not row["paused"] else "muted"


def _condition(row: Row, context: CellContext) -> Cell:
    return condition(row, context.glyphs)


def _number(key: str, style: str = "") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return (short(row[key]), style) if row[key] else ("-", "faint")

    return cell


def _rate(row: Row, _context: CellContext) -> Cell:
    return (f"{short(row['per_minute'])}/m", "") if row["per_minute"] else ("-", "faint")


def _oldest(row: Row, context: CellContext) -> Cell:
    return words.age(row["oldest_waiting_at"], context.now), style_of(row)


def _trend(row: Row, context: CellContext) -> Cell:
    return spark(row["trend"], context.width, ascii=context.glyphs.ascii), "info" if any(row["trend"]) else "faint"


def _why(row: Row, _context: CellContext) -> Cell:
    return safe(reason(row)), "muted"


QUEUE_COLUMNS: tuple[Column, ...] = (
    Column("name", "queue", 14, _name, flex=True),
    Column("condition", "condition", 11, _condition),
    Column("waiting", "waiting", 7, _number("waiting"), right=True),
    Column("active", "active", 6, _number("active", "badge-active"), right=True),
    Column("completed", "done 1h", 7, _number("completed", "badge-completed"), right=True, hide_below=92),
    Column("failed", "failed", 6, _number("failed", "badge-failed"), right=True),
    Column("dead", "dead 1h", 7, _number("dead", "badge-failed"), right=True, hide_below=104),
    Column("rate", "rate", 7, _rate, right=True),
    Column("oldest", "oldest", 6, _oldest, right=True, live=True),
    Column("trend", "30 min", 10, _trend),
    Column("why", "why", 24, _why, flex=True, hide_below=140),
)


def queue_lines(row: Row, *, cells: int, glyphs: Glyphs, brief: bool = False) -> list[Line]:
    """What a queue is, how it does and why. `brief`: what fits into few lines, the most needed first."""
    settings = row["settings"]
    lines: list[Line] = [[(safe(row["name"]), "title"), ("  ", ""), condition(row, glyphs)]]
    if brief:
        lines[0].append((f"  {safe(_carried_out(settings))}", "muted"))
    if row["why"]:
        shown = [" ".join(f"{str(why).rstrip('.')}." for why in row["why"])] if brief else row["why"]
        for sentence in shown:
            lines += wrap(str(sentence), cells, style_of(row), most=2 if brief else 4)
    if not brief:
        lines += wrap(_carried_out(settings), cells, "muted", most=4)
    lines += wrap(" · ".join(_limits(settings)), cells, "", most=1 if brief else 6)
    if brief:
        return lines
    lines += wrap(_lately(row), cells, "muted")
    return lines


def _lately(row: Row) -> str:
    said = f"{words.count(row['scheduled'])} scheduled · in the last hour {words.count(row['completed'])} done"
    said += f", {words.count(row['dead'])} dead"
    failed = row["error_percent"]
    return said if failed is None else f"{said}, {per_cent(failed)} of attempts failed"


def _carried_out(settings: Row) -> str:
    said = _HANDLERS.get(settings["handler"], settings["handler"])
    target = f" {settings['target']}" if settings["target"] and settings["handler"] in ("http", "python") else ""
    return f"{said}{target}"


def _limits(settings: Row) -> list[str]:
    """Every setting in words."""
    backoff, keep = settings["backoff"], settings["keep"]
    limits = [f"{words.count(settings['concurrency'])} at once"]
    if settings["tenant_concurrency"]:
        limits.append(f"{words.count(settings['tenant_concurrency'])} a tenant")
    if settings["rate_per_second"]:
        limits.append(f"at most {settings['rate_per_second']:g}/s")
    limits += [
        words.plural(settings["max_attempts"], "attempt"),
        f"{_seconds(settings['timeout_seconds'])} each",
        f"waits {_seconds(backoff['base'])} ×{backoff['factor']:g} up to {_seconds(backoff['cap'])}",
        f"priority {settings['priority']}",
        f"kept {keep['completed_days']:g}d done, {keep['dead_days']:g}d dead",
    ]
    if not settings["exceptions"]:
        limits.append("opens no exceptions")
    return limits


def _seconds(seconds: float) -> str:
    return f"{seconds:g}s" if seconds < 120 or seconds % 60 else words.span(int(seconds * 1_000))
