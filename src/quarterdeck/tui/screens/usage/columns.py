"""The columns of usage by tenant, by day, and against limits."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.enums import UsageStep
from quarterdeck.tui.format import bar, count, moment, per_cent
from quarterdeck.tui.screens.usage.times import step_of
from quarterdeck.tui.screens.usage.words import a, full_bar, full_style, outlook
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.chart_data import short
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Row

NOBODY = "nobody's"


def _tenant(row: Row, _context: CellContext) -> Cell:
    return (safe(row["tenant_id"]), "") if row["tenant_id"] else (NOBODY, "muted")


def _kind(row: Row, _context: CellContext) -> Cell:
    return safe(row["resource_type"]), ""


def _number(key: str, style: str = "title") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return count(row[key]), style

    return cell


def _when(row: Row, _context: CellContext) -> Cell:
    return step_of(moment(row["start"]) or 0, UsageStep(row["step"])), ""


def _share(row: Row, context: CellContext) -> Cell:
    """Of all that was used of the resource type in this time."""
    cells = max(context.width - 6, 0)
    share = per_cent(100 * row["quantity"] / row["whole"]) if row["whole"] else ""
    return f"{bar(row['quantity'], row['whole'], cells, context.glyphs)} {share:>5}", "muted"


def _height(row: Row, context: CellContext) -> Cell:
    """Beside the highest of its resource type."""
    return bar(row["quantity"], row["highest"], context.width, context.glyphs).rstrip(context.glyphs.bar_empty), "info"


def _limited(row: Row, context: CellContext) -> Cell:
    limit = row["limit"]
    if limit is None:
        return "-", "faint"
    style = full_style(limit["percent"])
    sign = {"error": f"{context.glyphs.failed} ", "warning": f"{context.glyphs.attention} "}.get(style, "")
    return f"{sign}{per_cent(limit['percent'])} of {count(limit['limit'])} {a(limit['period'])}", style


def _full(row: Row, context: CellContext) -> Cell:
    return full_bar(row, max(context.width - 7, 0), context.glyphs)


def _limit(row: Row, _context: CellContext) -> Cell:
    """`25,000 a month`; rounded where it is long."""
    number = row["limit"]
    return f"{count(number) if number < 1_000_000 else short(number)} {a(row['period'])}", ""


def _outlook(row: Row, context: CellContext) -> Cell:
    said = outlook(row, context.now).partition(" the ")[0]
    return (said, full_style(row["percent"])) if said else ("-", "faint")


_KIND = Column("resource", "resource type", 20, _kind, flex=True)
_QUANTITY = Column("quantity", "quantity", 14, _number("quantity"), right=True)
TENANT_COLUMNS: tuple[Column, ...] = (
    Column("tenant", "tenant", 14, _tenant, flex=True),
    _KIND,
    _QUANTITY,
    Column("share", "share", 20, _share),
    Column("limit", "limit", 30, _limited, hide_below=112),
)
STEP_COLUMNS: tuple[Column, ...] = (
    Column("when", "UTC", 16, _when),
    _KIND,
    _QUANTITY,
    Column("height", "", 22, _height),
)
LIMIT_COLUMNS: tuple[Column, ...] = (
    Column("tenant", "tenant", 12, _tenant),
    Column("resource", "resource type", 14, _kind, flex=True),
    Column("used", "used", 12, _number("used"), right=True, hide_below=84),
    Column("limit", "limit", 15, _limit, right=True),
    Column("full", "full", 13, _full),
    Column("outlook", "at this pace", 12, _outlook),
)
