"""Rules in columns and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.enums import AlertType
from quarterdeck.tui import format as words
from quarterdeck.tui.format import Cell, plural, severity
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.setup.facts import Fact, ago, fact_lines
from quarterdeck.tui.screens.setup.written import MINUTES, SECONDS, shown
from quarterdeck.tui.screens.setup.written_hours import HOURS
from quarterdeck.tui.screens.setup.written_labels import INHIBITIONS, write_labels, write_matchers
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import CellContext, Column

Row = Mapping[str, Any]
# The unit that is meant where none is named, and the condition in words: (type, unit) -> words.
_CONDITIONS = {
    ("sla_breach", "count"): "{n} or more promises are broken",
    ("sla_breach", "percent"): "{n}% or more of promises are broken in {window}",
    ("sla_imminent", "count"): "{n} or more promises are due soon",
    ("dlq_growth", "count"): "{n} or more dead letters come in {window}",
    ("dlq_growth", "per_minute"): "{n} or more dead letters a minute come in {window}",
    ("worker_unhealthy", "count"): "{n} or more workers are unhealthy",
    ("error_rate_high", "percent"): "{n}% or more of attempts fail in {window}",
    ("throughput_low", "percent"): "under {n}% of what is usual is done in {window}",
    ("queue_stuck", "minutes"): "the oldest run waits {n} min or longer",
    ("queue_stuck", "count"): "{n} or more runs wait",
    ("bulk_failure_rate", "percent"): "{n}% or more of an operation fails in {window}",
}
UNIT_SAID = {"count": "", "percent": "%", "per_minute": "a minute", "minutes": "min"}


def unit_of(kind: str, settings: Row) -> str:
    """The one that counts, whether it was named or not."""
    return str(settings["unit"] or next((unit for each, unit in _CONDITIONS if each == kind), ""))


def condition(row: Row) -> str:
    """When it fires, in words: `20% or more of attempts fail in 15m, for 5m, each queue`. As it came; not safe."""
    settings, kind = row["settings"], str(row["type"])
    if kind == AlertType.EXTERNAL:
        matchers = write_matchers(settings["matchers"])
        return f"alerts from outside with {matchers}" if matchers else "every alert from outside"
    pattern = _CONDITIONS.get((kind, unit_of(kind, settings)), kind.replace("_", " ") + " {n}")
    window = MINUTES.write(settings["window_minutes"])
    said = pattern.format(n=shown(settings["threshold"] or 0), window=window)
    if settings["for_seconds"]:
        said += f", for {SECONDS.write(settings['for_seconds'])}"
    return f"{said}, each {', '.join(settings['by'])}" if settings["by"] else said


def standing(row: Row, glyphs: Glyphs) -> Cell:
    """What it does now. An error says more than what follows from it."""
    if not row["enabled"]:
        return f"{glyphs.ended} off", "badge-ended"
    if row["error"]:
        return f"{glyphs.attention} error", "badge-attention"
    if row["firing"]:
        return f"{glyphs.failed} {words.count(row['firing'])} firing", "badge-failed"
    if row["pending"]:
        return f"{glyphs.waiting} {words.count(row['pending'])} pending", "badge-waiting"
    return f"{glyphs.completed} quiet", "badge-completed"


def _standing(row: Row, context: CellContext) -> Cell:
    return standing(row, context.glyphs)


def _name(row: Row, _context: CellContext) -> Cell:
    return safe(row["name"]), "" if row["enabled"] else "muted"


def _type(row: Row, _context: CellContext) -> Cell:
    return safe(str(row["type"]).replace("_", " ")), "muted"


def _condition(row: Row, _context: CellContext) -> Cell:
    return safe(condition(row)), "muted"


def _severity(row: Row, context: CellContext) -> Cell:
    return severity(row["settings"]["severity"], context.glyphs)


def _tenant(row: Row, _context: CellContext) -> Cell:
    return (safe(row["tenant_id"]), "muted") if row["tenant_id"] else ("every", "faint")


def _channels(row: Row, _context: CellContext) -> Cell:
    names = row["settings"]["channels"]
    return (safe(", ".join(names)), "muted") if names else ("nobody", "faint")


def _error(row: Row, _context: CellContext) -> Cell:
    return safe(row["error"] or ""), "warning"


RULE_COLUMNS: tuple[Column, ...] = (
    Column("state", "now", 11, _standing),
    Column("name", "rule", 20, _name),
    Column("condition", "fires when", 24, _condition, flex=True),
    Column("severity", "severity", 10, _severity),
    Column("type", "type", 17, _type, hide_below=150),
    Column("tenant", "tenant", 12, _tenant, hide_below=112),
    Column("channels", "channels", 14, _channels, hide_below=96),
    Column("error", "last error", 20, _error, flex=True, hide_below=180),
)


def quiet(settings: Row) -> str:
    """`mon-fri 22:00-07:00, Europe/Stockholm time`; empty without quiet hours."""
    hours = settings["quiet_hours"]
    if hours is None:
        return ""
    return f"{'; '.join(HOURS.write(hours['windows']).splitlines())}, {hours['timezone']} time"


def rule_lines(row: Row, *, cells: int, glyphs: Glyphs, now: int) -> list[Line]:
    """Everything that is set, in words; then what came of it last."""
    settings = row["settings"]
    head: Line = [(safe(row["name"]), "title"), ("  ", ""), standing(row, glyphs), ("  ", "")]
    head.append(severity(settings["severity"], glyphs))
    told = ", ".join(settings["channels"]) or "nobody: it names no channel"
    facts: list[Fact] = [
        ("error", row["error"] or "", "warning"),
        ("fires when", condition(row)),
        ("now", f"{plural(row['firing'], 'alert')} firing, {row['pending']:,} pending"),
        ("tells", told),
        (
            "together",
            f"alerts with the same {', '.join(settings['group_by'])}" if settings["group_by"] else "all alerts",
        ),
        ("quiet hours", quiet(settings) or "none"),
        ("tenant", row["tenant_id"] or "every tenant together"),
        ("labels", write_labels(settings["labels"])),
        ("texts", write_labels(settings["annotations"])),
        ("keeps quiet", "; ".join(INHIBITIONS.write(settings["inhibits"]).splitlines())),
        ("at least", _minimum(row)),
        ("looked at", ago(row["evaluated_at"], now) or "not yet"),
        ("changed", f"{ago(row['updated_at'], now)} by {row['updated_by']}"),
        ("type", f"{row['type']}, number {row['number']}"),
    ]
    return [head, *fact_lines(facts, cells)]


def _minimum(row: Row) -> str:
    percent = unit_of(str(row["type"]), row["settings"]) == "percent"
    return f"{row['settings']['minimum']:,} of them, or a percentage says nothing" if percent else ""
