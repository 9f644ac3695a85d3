"""Workers in columns, cards and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.tui import format as words
from quarterdeck.tui.format import Cell
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line, crop, width, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.chart_data import milliseconds, short
from quarterdeck.tui.widgets.rows import CellContext, Column

Row = Mapping[str, Any]
CARD, WIDEST = 24, 44  # cells
CARD_LINES = 3


def _text(key: str, style: str = "") -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return safe(row[key] or ""), style

    return cell


def _condition(row: Row, context: CellContext) -> Cell:
    return words.badge(row["condition"], context.glyphs)


def _response(row: Row, _context: CellContext) -> Cell:
    return (milliseconds(row["response_ms"]), "muted") if row["response_ms"] is not None else ("-", "faint")


def _since(key: str) -> Any:
    def cell(row: Row, context: CellContext) -> Cell:
        return (words.age(row[key], context.now), "muted") if row[key] else ("-", "faint")

    return cell


def _number(key: str, style: str) -> Any:
    def cell(row: Row, _context: CellContext) -> Cell:
        return (short(row[key]), style) if row[key] else ("-", "faint")

    return cell


WORKER_COLUMNS: tuple[Column, ...] = (
    Column("name", "worker", 16, _text("name"), flex=True),
    Column("condition", "condition", 11, _condition),
    Column("type", "type", 14, _text("type", "muted"), hide_below=100),
    Column("active", "active", 6, _number("active", "badge-active"), right=True),
    Column("completed", "done", 7, _number("completed", "badge-completed"), right=True),
    Column("failed", "failed", 6, _number("failed", "badge-failed"), right=True),
    Column("seen", "seen", 5, _since("last_seen_at"), right=True, live=True),
    Column("checked", "checked", 7, _since("checked_at"), right=True, live=True),
    Column("response", "answer", 7, _response, right=True),
    Column("url", "address", 26, _text("url", "muted"), hide_below=132),
    Column("why", "why", 24, _text("why", "muted"), flex=True, hide_below=140),
)


def card_lines(types: Sequence[Row], *, cells: int, glyphs: Glyphs, rows: int) -> list[Line]:
    """A card a type, next to each other, in at most `rows` rows; the worst first, so that none of them is left out."""
    ranks = {"unhealthy": 0, "degraded": 1, "healthy": 2}
    ordered = sorted(types, key=lambda each: ranks.get(each["condition"], 0))
    across = max(1, min(cells // CARD, len(types)))
    card = min(cells // across, WIDEST)
    shown = ordered[: across * rows]
    if len(ordered) > len(shown):
        shown = shown[:-1]  # its place says how many there are besides
    cards = [_card(kind, card - 2, glyphs) for kind in shown]
    if len(ordered) > len(shown):
        more = ordered[len(shown) :]
        cards.append([[(f"{glyphs.vertical} ", "faint"), (f"and {words.plural(len(more), 'more type')}", "muted")]])
    lines: list[Line] = []
    for start in range(0, len(cards), across):
        if lines:
            lines.append([])
        for y in range(CARD_LINES):
            line: Line = []
            for each in cards[start : start + across]:
                part = crop(each[y] if y < len(each) else [], card - 2, glyphs.ellipsis)
                line += [*part, (" " * (card - width(part)), "")]
            lines.append(line)
    return lines


def _card(each: Row, cells: int, glyphs: Glyphs) -> list[Line]:
    edge = (f"{glyphs.vertical} ", words.badge(each["condition"], glyphs)[1])
    states: Line = []
    for word in ("healthy", "degraded", "unhealthy"):
        if each[word]:
            sign, style = words.badge(word, glyphs)
            said = f" {each[word]} {word}" if not states else f" {each[word]}"
            states += [(sign.partition(" ")[0] + said + "  ", style)]
    return [[edge, (safe(each["type"]), "title")], [edge, *states], [edge, *_work(each, cells - 2, glyphs)]]


def _work(each: Row, cells: int, glyphs: Glyphs) -> Line:
    """What a type does, in as many words as there is room for."""
    active: Line = [(f"{words.count(each['active'])} active", "badge-active" if each["active"] else "muted")]
    apart = (" · ", "muted")
    rate = [apart, (f"{short(each['per_minute'])}/m", "muted")] if each.get("per_minute") is not None else []
    done = [apart, (f"{short(each['completed'])} done", "muted")]
    number = short(each["failed"])
    failed = [apart, (f"{number} failed", "badge-failed")] if each["failed"] else []
    sign = [apart, (f"{glyphs.failed} {number}", "badge-failed")] if each["failed"] else []
    choices = ([*active, *rate, *failed, *done], [*active, *rate, *failed], [*active, *rate, *sign], [*active, *sign])
    return next((line for line in choices if width(line) <= cells), choices[-1])


def worker_lines(row: Row, *, cells: int, now: int, glyphs: Glyphs, brief: bool = False) -> list[Line]:
    """One instance: condition and why, where it is, when it was looked at. `brief`: the most needed lines."""
    head: Line = [(safe(row["name"]), "title"), ("  ", ""), words.badge(row["condition"], glyphs)]
    lines: list[Line] = [[*head, (f"  {safe(row['type'])}", "muted")]]
    if row["why"]:
        style = "error" if row["condition"] == "unhealthy" else "warning"
        lines += wrap(str(row["why"]), cells, style, most=2 if brief else 4)
    place = safe(row["url"]) if row["url"] else "has no address to be checked at"
    queues = ", ".join(safe(queue) for queue in row["queues"]) or "no queue yet"
    lines += wrap(f"{place} · works on {queues}", cells, "muted", most=1 if brief else 4)
    said = []
    if row["checked_at"]:
        answered = f", answered in {milliseconds(row['response_ms'])}" if row["response_ms"] is not None else ""
        said.append(f"checked {_ago(row['checked_at'], now)}{answered}")
    if row["failures"]:
        said.append(f"{words.plural(row['failures'], 'failed check')} in a row")
    if row["last_seen_at"]:
        said.append(f"last seen {_ago(row['last_seen_at'], now)}")
    return [*lines, *wrap(" · ".join(said), cells, "muted", most=1 if brief else 3)] if said else lines


def _ago(at: object, now: int) -> str:
    since = words.age(at, now)
    return "just now" if since == "now" else f"{since} ago"
