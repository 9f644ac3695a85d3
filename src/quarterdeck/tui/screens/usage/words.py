"""Usage in words: how it changed, how full a limit is, and when it will be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.contract.enums import Period
from quarterdeck.tui.format import Cell, bar, per_cent, span
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.usage.figures import NEAR, Asked, full_at
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.chart_data import short

Row = Mapping[str, Any]
HALF, FULL = 50, 100  # per cent
_ADVERBS = {Period.DAY: "a day", Period.WEEK: "a week", Period.MONTH: "a month"}


def a(period: str) -> str:
    return _ADVERBS[Period(period)]


def change(quantity: int, then: float | None, glyphs: Glyphs) -> Cell:
    """Against the period before, up to the same point: `▲ 12%`, `▼ 3%`, `new`."""
    if then is None or (not then and not quantity):
        return "", ""
    if not then:
        return "new", "muted"
    ratio = quantity / then - 1
    if abs(ratio) < 0.005:
        return "same", "muted"
    size = per_cent(abs(ratio) * 100)
    if ratio > 9:
        size = f"{short(ratio + 1)}×"
    return f"{glyphs.up if ratio > 0 else glyphs.down} {size}", ""


def full_style(share: float) -> str:
    return "error" if share >= FULL else "warning" if share >= NEAR else ""


def full_bar(limit: Row, cells: int, glyphs: Glyphs) -> Cell:
    """How full, as a bar and in per cent, with a sign where it presses."""
    style = full_style(limit["percent"])
    sign = {"error": f"{glyphs.failed} ", "warning": f"{glyphs.attention} "}.get(style, "")
    return f"{bar(limit['used'], limit['limit'], cells, glyphs)} {sign}{per_cent(limit['percent'])}", style


def outlook(limit: Row, now: int) -> str:
    """`full in 6d`, `lasts the month`, `12% over`; nothing below half of it."""
    if limit["used"] >= limit["limit"]:
        over = (limit["used"] - limit["limit"]) * 100 // limit["limit"]
        return f"{over:,}% over" if over else "used up"
    if limit["percent"] < HALF:
        return ""
    at = full_at(limit, now)
    if at is not None:
        return f"full in {span(max(at - now, 0))}"
    return f"lasts the {limit['period']}"


def whose(limit: Row, tenant: str) -> str:
    """Whose limit it is, where that is not plain."""
    return "" if tenant else safe(limit["tenant_id"])


def limit_line(limit: Row, period: Period, now: int, cells: int, glyphs: Glyphs) -> Line:
    """`██████░░ ! 82% of 500k · full in 6d`; a period that is not the one shown is named. `cells`: of the bar."""
    size, style = full_bar(limit, cells, glyphs)
    of = f" of {short(limit['limit'])}" + ("" if limit["period"] == period else f" {a(limit['period'])}")
    ahead = outlook(limit, now)
    return [(size, style), (of, ""), (f" · {ahead}" if ahead.startswith("full") else "", "muted")]


def asked_line(asked: Asked, whose: Line, key: Callable[[str], str]) -> Line:
    """Which time, whose, of what, and the keys for another."""
    time = asked.time
    line: Line = [("  ", ""), (time.said, "title")]
    line += [(f" {time.dates}" if time.dates else "", "muted"), (" UTC ", "muted"), (key("window"), "key")]
    line += [("   ", ""), *whose]
    return [*line, ("   ", ""), (safe(asked.kind) or "everything", "title"), (f" {key('usage-type')}", "key")]
