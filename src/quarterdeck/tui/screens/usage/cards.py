"""A card for each resource type: total, change, limit. One line each where there is little room, else boxes."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.tui.format import count
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.usage.figures import Card, Figures
from quarterdeck.tui.screens.usage.words import a, change, full_bar, limit_line, outlook, whose
from quarterdeck.tui.spans import Line, crop, width
from quarterdeck.tui.text import fit, safe
from quarterdeck.tui.widgets.chart_data import short

_NAME, _TOTAL, _CHANGE, _BAR = 18, 12, 7, 6
_BOX, _BOX_BAR, _GAP = 36, 16, 3
_MOST_ROWS = 2  # of boxes


def card_lines(figures: Figures, cells: int, glyphs: Glyphs, *, boxes: bool) -> list[Line]:
    """`boxes`: there is room for them, unless there are too many."""
    if boxes and -(-len(figures.cards) // _across(cells)) <= _MOST_ROWS:
        return _grid([_box(card, figures, glyphs) for card in figures.cards], cells, glyphs)
    return [_line(card, figures, cells, glyphs) for card in figures.cards]


def _line(card: Card, figures: Figures, cells: int, glyphs: Glyphs) -> Line:
    text, style = change(card.quantity, card.then, glyphs)
    line: Line = [
        (" " + fit(safe(card.kind), _NAME, more=glyphs.ellipsis), ""),
        (fit(_amount(card.quantity), _TOTAL, right=True), "title"),
        ("  " + fit(text, _CHANGE), style or "muted"),
    ]
    if card.limits:
        asked, limit = figures.asked, card.limits[0]
        said = limit_line(limit, asked.time.period, figures.at, _BAR, glyphs)
        owner = whose(limit, asked.tenant)
        if owner and width(line) + width(said) + width([(owner, "")]) + 3 <= cells:
            said.append((f" · {owner}", "muted"))
        line += said
    return crop(line, cells, glyphs.ellipsis)


def _amount(number: int) -> str:
    """Whole as long as there is room for it: half a number is another number."""
    said = count(number)
    return said if len(said) < _TOTAL else short(number)


def _box(card: Card, figures: Figures, glyphs: Glyphs) -> list[Line]:
    """Name; total and change; how full its limit is; what that limit is."""
    time = figures.asked.time
    text, style = change(card.quantity, card.then, glyphs)
    against = f" on {time.said_before}" if text and text not in ("new", "same") else ""
    lines: list[Line] = [
        [(safe(card.kind), "heading")],
        [(count(card.quantity), "title"), (f"  {text}", style), (against, "muted")],
        [("no limit", "faint")],
    ]
    if card.limits:
        limit = card.limits[0]
        size, colour = full_bar(limit, _BOX_BAR, glyphs)
        ahead = outlook(limit, figures.at) if limit["used"] < limit["limit"] else ""
        lines[2:] = [[(size, colour), (f"  {ahead}" if ahead else "", colour or "muted")]]
        owner = whose(limit, figures.asked.tenant)
        of = f"of {count(limit['limit'])} {a(limit['period'])}" + (f" · {owner}" if owner else "")
        more = len(card.limits) - 1
        lines.append([(of, "muted"), (f" +{more}" if more else "", "faint")])
    return lines


def _across(cells: int) -> int:
    """How many boxes stand beside each other."""
    return max(1, (cells + _GAP) // (_BOX + _GAP))


def _grid(boxes: Sequence[list[Line]], cells: int, glyphs: Glyphs) -> list[Line]:
    """As many beside each other as fit, an empty line between the rows."""
    across = min(len(boxes), _across(cells)) or 1
    each = min((cells + _GAP) // across - _GAP, _BOX + 12)
    lines: list[Line] = []
    for first in range(0, len(boxes), across):
        lines += [[]] if lines else []
        row = boxes[first : first + across]
        deep = max(len(box) for box in row)
        for parts in zip(*([*box, *([[]] * (deep - len(box)))] for box in row), strict=True):
            line: Line = [(" ", "")]
            for part in parts:
                part = crop(part, each, glyphs.ellipsis)
                line += [*part, (" " * (each + _GAP - width(part)), "")]
            lines.append(crop(line, cells, ""))
    return lines
