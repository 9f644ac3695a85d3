"""Two widgets that paint spans: one line, and a stack of lines that scrolls.

They use the Line API and repaint only what differs, so a screen that says the same sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.tui.spans import Line, Span, both_ends, crop, width
from quarterdeck.tui.theming import look_of

_IN_ASCII = str.maketrans("·→…—–×“”", '->~--x""')  # what our own sentences are set with


def strip_of(widget: Widget, line: Sequence[Span], cells: int, base: str = "") -> Strip:
    """The line in exactly `cells` cells; `base` is the style of what says no style."""
    look = look_of(widget.app)
    if look.glyphs.ascii:
        line = [(text.translate(_IN_ASCII), token) for text, token in line]
    fitted = crop(line, cells, look.glyphs.ellipsis)
    segments = [Segment(text, look.style(token or base)) for text, token in fitted]
    left = cells - width(fitted)
    if left > 0:
        segments.append(Segment(" " * left, look.style(base)))
    return Strip(segments, cells)


class LineView(Widget):
    """One line, with something at the left and something at the right."""

    DEFAULT_CSS = "LineView { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: Line = []
        self._right: Line = []
        self._base = ""

    def show(self, left: Line, right: Line | None = None, base: str = "") -> None:
        right = right or []
        if (left, right, base) != (self._left, self._right, self._base):
            self._left, self._right, self._base = left, right, base
            self.refresh()

    @property
    def words(self) -> str:
        """What stands there, without styles."""
        return "".join(text for text, _ in both_ends(self._left, self._right, max(self.size.width, 1)))

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        if y:
            return strip_of(self, [], cells)
        line = both_ends(self._left, self._right, cells) if self._right else self._left
        return strip_of(self, line, cells, self._base)


class LinesView(Widget):
    """Lines under each other; `scroll(by)` moves them, and the last column says that there is more."""

    DEFAULT_CSS = "LinesView { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self.top = 0

    def show(self, lines: list[Line], *, keep: bool = False) -> None:
        """New lines; `keep` leaves them scrolled where they are."""
        if lines == self._lines and keep:
            return
        before, self._lines = self._lines, lines
        old_top, self.top = self.top, min(self.top, self._most()) if keep else 0
        if len(before) != len(lines) and self.styles.height is not None and self.styles.height.is_auto:
            self.refresh(layout=True)
            return
        if old_top != self.top:
            self.refresh()
            return
        # Only the lines that differ: a detail pane over SSH should not cost its whole height.
        size = self.size
        for y in range(size.height):
            at = self.top + y
            if before[at : at + 1] != lines[at : at + 1] or y == size.height - 1:
                self.refresh(Region(0, y, size.width, 1))

    @property
    def words(self) -> str:
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def scroll_lines(self, by: int) -> bool:
        """True if anything moved."""
        top = max(0, min(self.top + by, self._most()))
        if top == self.top:
            return False
        self.top = top
        self.refresh()
        return True

    def _most(self) -> int:
        return max(0, len(self._lines) - self.size.height)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines)

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)

    def render_line(self, y: int) -> Strip:
        cells, at = self.size.width, self.top + y
        line = self._lines[at] if at < len(self._lines) else []
        if y == self.size.height - 1 and at < len(self._lines) - 1:
            hidden = len(self._lines) - 1 - at
            return strip_of(self, both_ends(line, [(f" +{hidden}", "muted")], cells), cells)
        return strip_of(self, line, cells)
