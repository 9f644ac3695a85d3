"""Where the screen stands in a long list, and where the cursor stands on the screen. Pure arithmetic."""

from __future__ import annotations


class Viewport:
    """`height` lines from position `top` on, with the cursor on one of them.

    When the cursor leaves the screen, the screen flips by half its height: a repaint of everything costs
    far more bytes than a move of the cursor, so it is done seldom.
    """

    __slots__ = ("cursor", "height", "top")

    def __init__(self, height: int = 1, top: int = 0, cursor: int = 0) -> None:
        self.height, self.top, self.cursor = height, top, cursor

    @property
    def bottom(self) -> int:
        """One behind the last position on the screen."""
        return self.top + self.height

    def line_of(self, position: int) -> int | None:
        """The line (0 is the first row) on which a position is seen."""
        line = position - self.top
        return line if 0 <= line < self.height else None

    def move_to(self, position: int, low: int, high: int) -> bool:
        """Set the cursor, within [low, high). Returns whether the screen flipped."""
        self.cursor = max(low, min(position, high - 1))
        before = self.top
        if self.cursor >= self.bottom:
            self.top = self.cursor - self.height // 2
        elif self.cursor < self.top:
            self.top = self.cursor - (self.height - 1) // 2
        self._clamp(low, high)
        return self.top != before

    def page(self, direction: int, low: int, high: int) -> bool:
        """A screen on (1) or back (-1); the cursor stays on its line. Returns whether the screen flipped."""
        before = self.top
        step = direction * max(1, self.height - 1)
        target = max(low, min(self.cursor + step, high - 1))
        self.top += step
        self.cursor = target
        self._clamp(low, high)
        return self.top != before

    def scroll(self, lines: int, low: int, high: int) -> None:
        """Move the screen; the cursor comes along only when it would be left behind."""
        self.top = max(low, min(self.top + lines, high - self.height))
        self.cursor = max(self.top, min(self.cursor, self.bottom - 1))
        self._clamp(low, high)

    def resize(self, height: int, low: int, high: int) -> None:
        """Another height; the cursor stays on the screen, on its line if there is one."""
        self.height = max(1, height)
        if self.cursor >= self.bottom:
            self.top = self.cursor - self.height + 1
        self._clamp(low, high)

    def shift(self, by: int) -> None:
        """All positions have moved by `by`."""
        self.top += by
        self.cursor += by

    def settle(self, low: int, high: int) -> None:
        """The limits have changed: keep cursor and screen inside."""
        self.move_to(self.cursor, low, high)

    def _clamp(self, low: int, high: int) -> None:
        """No empty lines below the last row while there are rows above the screen; the cursor is seen."""
        self.cursor = max(low, min(self.cursor, high - 1))
        self.top = max(low, min(self.top, high - self.height))
        self.top = max(self.cursor - self.height + 1, min(self.top, self.cursor))
