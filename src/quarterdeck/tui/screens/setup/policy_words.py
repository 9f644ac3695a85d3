"""Policies in columns and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.tui.format import Cell, moment
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.setup.facts import Fact, ago, fact_lines
from quarterdeck.tui.screens.setup.written import COUNTED_MINUTES
from quarterdeck.tui.screens.setup.written_hours import HOURS
from quarterdeck.tui.screens.setup.written_steps import write_step
from quarterdeck.tui.spans import Line
from quarterdeck.tui.starting import when
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import CellContext, Column

Row = Mapping[str, Any]


def target(each: Row) -> str:
    """`15m / 2h`: the first response, and the resolution; a dash where nothing is promised."""
    times = (each["first_response_minutes"], each["resolution_minutes"])
    return " / ".join("-" if time is None else COUNTED_MINUTES.write(time) for time in times)


def targets(row: Row) -> str:
    """Of every priority: `urgent 15m / 2h, normal 1h / 8h`."""
    return ", ".join(f"{each['priority']} {target(each)}" for each in row["settings"]["targets"])


def calendar(row: Row) -> str:
    """When time counts, in words."""
    kept = row["settings"]["calendar"]
    if kept is None:
        return "all the time"
    return f"{'; '.join(HOURS.write(kept['windows']).splitlines())}, {kept['timezone']}"


def holidays(row: Row) -> str:
    kept = row["settings"]["calendar"]
    if kept is None:
        return ""
    said = []
    if kept["country"]:
        said.append(f"public holidays of {'-'.join(filter(None, (kept['country'], kept['subdivision'])))}")
    said += kept["holidays"]
    return ", ".join(said) or "none"


def standing(row: Row, glyphs: Glyphs) -> Cell:
    if not row["enabled"]:
        return f"{glyphs.ended} off", "badge-ended"
    if row.get("error"):
        return f"{glyphs.attention} error", "badge-attention"
    return f"{glyphs.completed} on", "badge-completed"


def whom(row: Row) -> str:
    """For which items: `support_tasks of acme, kind refund`."""
    tenant = row["tenant_id"] or "every tenant"
    return f"{row['resource']} of {tenant}, {'kind ' + row['kind'] if row['kind'] else 'of every kind'}"


def _standing(row: Row, context: CellContext) -> Cell:
    return standing(row, context.glyphs)


def _name(row: Row, _context: CellContext) -> Cell:
    return safe(row["name"]), "" if row["enabled"] else "muted"


def _resource(row: Row, _context: CellContext) -> Cell:
    return safe(row["resource"]), "muted"


def _narrow(key: str) -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return (safe(row[key]), "muted") if row[key] else ("every", "faint")

    return cell


def _targets(row: Row, _context: CellContext) -> Cell:
    return safe(targets(row)), "muted"


def _calendar(row: Row, _context: CellContext) -> Cell:
    return safe(calendar(row)), "muted"


def _version(row: Row, _context: CellContext) -> Cell:
    return f"v{row['version']}", "muted"


POLICY_COLUMNS: tuple[Column, ...] = (
    Column("state", "state", 7, _standing),
    Column("name", "policy", 20, _name),
    Column("resource", "queue", 13, _resource),
    Column("tenant", "tenant", 10, _narrow("tenant_id")),
    Column("kind", "kind", 10, _narrow("kind"), hide_below=96),
    Column("targets", "promises", 20, _targets, flex=True),
    Column("calendar", "counts", 20, _calendar, flex=True, hide_below=150),
    Column("version", "version", 7, _version, right=True, hide_below=110),
)


def policy_lines(row: Row, *, cells: int, glyphs: Glyphs, now: int) -> list[Line]:
    settings = row["settings"]
    head: Line = [(safe(row["name"]), "title"), ("  ", ""), standing(row, glyphs)]
    since = moment(row["effective_from"]) or 0
    facts: list[Fact] = [("for", whom(row)), ("error", row.get("error") or "", "warning")]
    for each in settings["targets"]:
        facts.append((each["priority"], _promised(each)))
    facts += [
        ("counts", calendar(row)),
        ("not on", holidays(row)),
        ("pauses in", ", ".join(str(each).replace("_", " ") for each in settings["pauses"]) or "no state"),
        ("due soon", f"after {settings['due_soon_percent']}% of the time"),
    ]
    facts += [("then" if not n else "", write_step(step)) for n, step in enumerate(settings["escalation"])]
    facts += [
        ("version", f"{row['version']}; what it promises holds for items that enter from {when(since)} on"),
        ("changed", f"{ago(row['updated_at'], now)} by {row['updated_by']}"),
    ]
    return [head, *fact_lines(facts, cells)]


def _promised(each: Row) -> str:
    parts = (("first response in", "first_response_minutes"), ("done in", "resolution_minutes"))
    return ", ".join(f"{said} {COUNTED_MINUTES.write(each[name])}" for said, name in parts if each[name] is not None)
