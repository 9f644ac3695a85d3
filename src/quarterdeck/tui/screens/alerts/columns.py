"""The columns of alerts and their groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.tui import format as times
from quarterdeck.tui.format import severity
from quarterdeck.tui.screens.alerts import words
from quarterdeck.tui.screens.alerts.source import is_group
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Row


def _over(row: Row) -> bool:
    return not is_group(row) and row["state"] == "resolved"


def _severity(row: Row, context: CellContext) -> Cell:
    text, style = severity(row["severity"], context.glyphs)
    return text, "muted" if _over(row) else style


def _age(row: Row, context: CellContext) -> Cell:
    return times.age(words.began(row), context.now), "muted"


def _name(row: Row, _context: CellContext) -> Cell:
    return safe(words.name_said(row)), "muted" if _over(row) else "title" if is_group(row) else ""


def _value(row: Row, _context: CellContext) -> Cell:
    return ("", "") if is_group(row) else (words.value_cell(row), "muted" if _over(row) else "")


def _tenant(row: Row, _context: CellContext) -> Cell:
    return safe(row["tenant_id"] or ""), "muted"


def _of(key: str) -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return ("", "") if is_group(row) else (safe(str(row[key]).replace("_", " ")), "muted")

    return cell


def alert_columns(mine: Callable[[], str], common: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """`mine`: who looks at it. `common`: labels of a group; with its name they would be the same in every line."""

    def standing(row: Row, context: CellContext) -> Cell:
        return words.standing(row, context.glyphs, mine())

    def member(row: Row, _context: CellContext) -> Cell:
        own = {name: value for name, value in row["labels"].items() if (common or {}).get(name) != value}
        return safe(words.labels_said(own) or row["name"]), "muted" if _over(row) else ""

    return (
        Column("severity", "severity", 10, _severity),
        Column("age", "age", 5, _age, right=True, live=True),
        Column("name", "alert", 20, _name if common is None else member, flex=True),
        Column("value", "value (limit)", 13, _value, right=True, hide_below=72),
        Column("state", "state", 12, standing),
        Column("tenant", "tenant", 12, _tenant, hide_below=100),
        Column("type", "type", 17, _of("type"), hide_below=140),
        Column("id", "id", 9, _of("id"), right=True, hide_below=112),
    )
