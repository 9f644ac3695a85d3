"""One line of a table: cells into segments. Few segments, since each costs an escape sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from quarterdeck.tui.text import fit, safe
from quarterdeck.tui.theming import Look
from quarterdeck.tui.widgets.columns import GUTTER, Placed
from quarterdeck.tui.widgets.rows import CellContext, Row


class LineState(NamedTuple):
    """What is special about a line."""

    cursor: bool = False
    focused: bool = False
    marked: bool = False
    in_range: bool = False
    stale: bool = False
    thumb: bool = False


class Painter:
    """Paints lines of `width` cells."""

    def __init__(self, look: Look, placed: Sequence[Placed], width: int) -> None:
        self.look, self.placed, self.width = look, placed, width

    def row(self, row: Row, state: LineState, now: int) -> list[Segment]:
        """A row of the list."""
        glyphs = self.look.glyphs
        sign = glyphs.stale if state.stale else glyphs.range if state.in_range else " "
        gutter = f"{glyphs.cursor if state.cursor else ' '}{glyphs.mark if state.marked else sign} "
        whole = self._whole(state)
        plain = "marked" if state.marked else ""
        line: list[tuple[str, str]] = [(gutter, whole or ("range" if state.in_range else plain))]
        for text, style, place in zip(*self.texts(row, now), self.placed, strict=True):
            line.append((text + " " * place.gap, whole or style or plain))
        return self._finish(line, state, whole)

    def texts(self, row: Row, now: int, live_only: bool = False) -> tuple[list[str], list[str]]:
        """The fitted texts and style names of the cells of a row; only of live ones if so wanted."""
        glyphs = self.look.glyphs
        texts, styles = [], []
        for place in self.placed:
            column = place.column
            if live_only and not column.live:
                continue
            text, style = column.cell(row, CellContext(now, place.width, glyphs))
            texts.append(fit(safe(text), place.width, right=column.right, more=glyphs.ellipsis))
            styles.append(style)
        return texts, styles

    def placeholder(self, state: LineState) -> list[Segment]:
        """A row that is on its way."""
        glyphs = self.look.glyphs
        whole = self._whole(state) or "placeholder"
        gutter = f"{glyphs.cursor if state.cursor else ' '}  "
        line = [(gutter, whole)]
        flexible = next((at for at, place in enumerate(self.placed) if place.column.flex), 0)
        for at, place in enumerate(self.placed):
            text = glyphs.placeholder if at == flexible else ""
            line.append((fit(text, place.width, more="") + " " * place.gap, whole))
        return self._finish(line, state, whole)

    def header(self, notice: str = "", sorted_by: str = "", descending: bool = False) -> list[Segment]:
        """The titles; at the right the notice, over the last titles if need be."""
        glyphs = self.look.glyphs
        text = " " * GUTTER
        for place in self.placed:
            title = safe(place.column.title)
            if place.column.key == sorted_by:
                title = f"{title} {glyphs.down if descending else glyphs.up}"
            text += fit(title, place.width, right=place.column.right, more="") + " " * place.gap
        said = f" {safe(notice)} " if notice else ""
        room = min(cell_len(said), self.width)
        said = fit(said, room, more=glyphs.ellipsis)
        return self._segments([(fit(text, self.width - room, more=""), "header"), (said, "notice")])

    def message(self, text: str, style: str) -> list[Segment]:
        """A sentence in place of rows."""
        line = " " * GUTTER + safe(text)
        return self._segments([(fit(line, self.width, more=self.look.glyphs.ellipsis), style)])

    def blank(self) -> list[Segment]:
        """A line behind the last row."""
        return self._segments([(" " * self.width, "")])

    def _whole(self, state: LineState) -> str:
        """The one style of a line that has only one."""
        if state.cursor:
            return "cursor" if state.focused else "cursor-blurred"
        return "stale" if state.stale else ""

    def _finish(self, line: list[tuple[str, str]], state: LineState, whole: str) -> list[Segment]:
        used = GUTTER + sum(place.width + place.gap for place in self.placed)
        line.append((" " * (self.width - 1 - used), whole))
        line.append((self.look.glyphs.thumb, "thumb") if state.thumb else (" ", whole))
        return self._segments(line)

    def _segments(self, line: Sequence[tuple[str, str]]) -> list[Segment]:
        """Neighbours of one style become one; blanks take the style of what stands before them."""
        segments: list[Segment] = []
        held, held_style = "", None
        for text, name in line:
            if not text:
                continue
            style = self.look.style(name)
            if held_style is not None and (style == held_style or (text.isspace() and _same_ground(style, held_style))):
                held += text
                continue
            if held_style is not None:
                segments.append(Segment(held, held_style))
            held, held_style = text, style
        if held_style is not None:
            segments.append(Segment(held, held_style))
        return segments


def _same_ground(one: Style, other: Style) -> bool:
    """Whether a space looks the same in both."""
    drawn = (one.underline, one.reverse, one.strike) == (other.underline, other.reverse, other.strike)
    return drawn and one.bgcolor == other.bgcolor
