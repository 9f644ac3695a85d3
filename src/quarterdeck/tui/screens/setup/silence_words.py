"""Silences in columns and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.tui import format as words
from quarterdeck.tui.format import Cell, moment, plural
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.setup.facts import Fact, ago, fact_lines
from quarterdeck.tui.screens.setup.written_labels import write_matchers
from quarterdeck.tui.spans import Line
from quarterdeck.tui.starting import when
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import CellContext, Column

Row = Mapping[str, Any]


def matched(row: Row) -> str:
    """`host=~"web.*" team=mail`; not safe."""
    return write_matchers(row["matchers"])


def standing(row: Row, now: int, glyphs: Glyphs) -> Cell:
    """Whether it keeps anything quiet, and until when, counting down. An error says more than that."""
    starts, ends = moment(row["starts_at"]) or 0, moment(row["ends_at"]) or 0
    if ends <= now:
        return f"{glyphs.ended} over {words.age(ends, now)}", "badge-ended"
    if row.get("error"):
        return f"{glyphs.attention} error", "badge-attention"
    if starts > now:
        return f"{glyphs.waiting} in {words.span(starts - now)}", "badge-waiting"
    return f"{glyphs.active} {words.left_of(ends - now)} left", "badge-active"


def _standing(row: Row, context: CellContext) -> Cell:
    return standing(row, context.now, context.glyphs)


def _matched(row: Row, context: CellContext) -> Cell:
    return safe(matched(row)), "muted" if (moment(row["ends_at"]) or 0) <= context.now else ""


def _why(row: Row, _context: CellContext) -> Cell:
    return safe(row["comment"]), "muted"


def _alerts(row: Row, _context: CellContext) -> Cell:
    return (words.count(row["alerts"]), "") if row["alerts"] else ("-", "faint")


def _by(row: Row, _context: CellContext) -> Cell:
    return safe(row["created_by"]), "muted"


def _tenant(row: Row, _context: CellContext) -> Cell:
    return (safe(row["tenant_id"]), "muted") if row["tenant_id"] else ("every", "faint")


SILENCE_COLUMNS: tuple[Column, ...] = (
    Column("state", "for", 15, _standing, live=True),
    Column("alerts", "alerts", 6, _alerts, right=True),
    Column("matched", "keeps quiet", 20, _matched, flex=True),
    Column("why", "why", 20, _why, flex=True),
    Column("by", "by", 10, _by),
    Column("tenant", "tenant", 12, _tenant, hide_below=100),
)


def silence_lines(row: Row, *, cells: int, glyphs: Glyphs, now: int) -> list[Line]:
    starts, ends = moment(row["starts_at"]) or 0, moment(row["ends_at"]) or 0
    head: Line = [(f"Silence {row['number']}", "title"), ("  ", ""), standing(row, now, glyphs)]
    facts: list[Fact] = [
        ("keeps quiet", matched(row)),
        ("error", row.get("error") or "", "warning"),
        ("why", row["comment"]),
        ("alerts", f"{plural(row['alerts'], 'alert')} that would be sent otherwise"),
        ("from", f"{when(starts)}  {ago(starts, now) if starts <= now else f'in {words.left_of(starts - now)}'}"),
        ("until", f"{when(ends)}  {ago(ends, now) if ends <= now else f'in {words.left_of(ends - now)}'}"),
        ("by", row["created_by"]),
        ("tenant", row["tenant_id"] or "every tenant"),
    ]
    return [head, *fact_lines(facts, cells)]
