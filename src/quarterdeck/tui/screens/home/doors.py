"""Lines with doors in them: what is under the cursor leads somewhere. Nothing moves but by a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.tui.spans import Line, width
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import strip_of


class Door(NamedTuple):
    """`key` names it from one look to the next; `to` is what `:` would take; `part` is what it belongs to."""

    key: str
    to: str
    part: str


class Place(NamedTuple):
    """Where the cursor is: on which door, and the how manieth that is."""

    at: int = 0
    key: str = ""


class Piece(NamedTuple):
    """A part of a line; neighbours with the same door are one."""

    spans: Line
    door: Door | None = None


Row = Sequence[Piece]


class Doors(Widget, can_focus=True):
    """The cursor stays on its door while what stands around it changes; where the door has gone, on its neighbour."""

    DEFAULT_CSS = "Doors { height: 1fr; width: 1fr; background: $background; }"

    class Opened(Message):
        def __init__(self, door: Door) -> None:
            super().__init__()
            self.door = door

    def __init__(self, place: Place | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._doors: list[tuple[int, Door]] = []  # (line, door), in reading order
        self._at, self._key = place or Place()
        self.top = 0
        self._drawn: list[Strip] = []

    @property
    def door(self) -> Door | None:
        """The one under the cursor."""
        return self._doors[self._at][1] if self._doors else None

    @property
    def place(self) -> Place:
        """Also while nothing is there."""
        return Place(self._at, self.door.key if self.door is not None else self._key)

    @property
    def words(self) -> str:
        """The line under the cursor."""
        row = self._rows[self._doors[self._at][0]] if self._doors else ()
        return " ".join("".join(text for piece in row for text, _ in piece.spans).split())

    def show(self, rows: Sequence[Row]) -> None:
        self._key = self.place.key
        self._rows = list(rows)
        found: dict[Door, int] = {}
        for line, row in enumerate(self._rows):
            for piece in row:
                if piece.door is not None:
                    found.setdefault(piece.door, line)
        self._doors = [(line, door) for door, line in found.items()]
        keys = [door.key for _, door in self._doors]
        if keys:
            self._at = keys.index(self._key) if self._key in keys else min(self._at, len(keys) - 1)
        self._draw()

    # Moving

    def step(self, by: int) -> None:
        """To the nearest door of another line, as far to the right as this one."""
        if not self._doors:
            return
        here, _ = self._doors[self._at]
        lines = sorted({line for line, _ in self._doors})
        there = lines[max(0, min(lines.index(here) + by, len(lines) - 1))]
        if there != here:
            column = self._column(self._at)
            self._go(min(self._on(there), key=lambda at: abs(self._column(at) - column)))

    def side(self, by: int) -> None:
        """To the neighbour on the same line."""
        if self._doors:
            there = self._at + by
            if 0 <= there < len(self._doors) and self._doors[there][0] == self._doors[self._at][0]:
                self._go(there)

    def end(self, last: bool) -> None:
        if self._doors:
            self._go(len(self._doors) - 1 if last else 0)

    def part(self, by: int) -> None:
        """To the first door of the next part, and around."""
        if not self._doors:
            return
        parts = list(dict.fromkeys(door.part for _, door in self._doors))
        wanted = parts[(parts.index(self._doors[self._at][1].part) + by) % len(parts)]
        self._go(next(at for at, (_, door) in enumerate(self._doors) if door.part == wanted))

    def open(self) -> None:
        if self.door is not None:
            self.post_message(self.Opened(self.door))

    def _go(self, at: int) -> None:
        self._at = at
        self._draw()

    def _on(self, line: int) -> list[int]:
        return [at for at, (where, _) in enumerate(self._doors) if where == line]

    def _column(self, at: int) -> int:
        line, wanted = self._doors[at]
        cells = 0
        for piece in self._rows[line]:
            if piece.door == wanted:
                return cells
            cells += width(piece.spans)
        return cells

    # Drawing

    def on_resize(self) -> None:
        self._draw()

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """Only lines that differ are sent."""
        size = self.size
        if not size.height:
            return
        line = self._doors[self._at][0] if self._doors else 0
        self.top = max(0, min(self.top, len(self._rows) - size.height))
        if line < self.top or line >= self.top + size.height:
            self.top = max(0, line - size.height // 2)
        if line < size.height:
            self.top = 0
        drawn = [self._strip(self.top + y, size.width) for y in range(size.height)]
        for y, strip in enumerate(drawn):
            if y >= len(self._drawn) or strip != self._drawn[y]:
                self.refresh(Region(0, y, size.width, 1))
        self._drawn = drawn

    def _strip(self, line: int, cells: int) -> Strip:
        row = self._rows[line] if line < len(self._rows) else ()
        here = self.door
        spans: Line = []
        for piece in row:
            if piece.door is None or piece.door != here:
                spans += piece.spans
            else:
                style = "cursor" if self.has_focus else "cursor-blurred"
                spans += [(text, style) for text, _ in piece.spans]
        sign = look_of(self.app).glyphs.cursor if here is not None and self._doors[self._at][0] == line else " "
        return strip_of(self, [(f"{sign} ", "key"), *spans], cells)

    def render_line(self, y: int) -> Strip:
        return self._strip(self.top + y, self.size.width)

    # The mouse

    def on_click(self, event: events.Click) -> None:
        line, cells = self.top + event.y, 2
        for piece in self._rows[line] if line < len(self._rows) else ():
            cells += width(piece.spans)
            if event.x < cells:
                if piece.door is not None:
                    at = [door for _, door in self._doors].index(piece.door)
                    if at == self._at:
                        self.open()
                    else:
                        self._go(at)
                return
