"""Log lines as they come: the newest stay in sight while it follows, and words can be looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.contract.clock import to_datetime
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import strip_of

MOST_KEPT = 50_000  # lines; when there are more, the oldest tenth is let go
_MOST_LINES = 400  # of one entry on the screen
_PREFIX = 15  # time and level
_LEVELS = {"debug": ("debug", "faint"), "info": ("info", "muted"), "warning": ("warn", "warning")}


class Entry(NamedTuple):
    """`at` in ms."""

    id: int
    attempt: int
    at: int
    level: str
    text: str


class LogView(Widget, can_focus=True):
    """Draws what is on the screen and nothing else. Has no keys of its own."""

    DEFAULT_CSS = "LogView { width: 1fr; height: 1fr; background: $background; }"
    ALLOW_SELECT = False

    class Changed(Message):
        """It follows, or no longer; or it stands elsewhere."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.entries: list[Entry] = []
        self.forgotten = 0  # entries that were let go
        self.follows = True
        self.says = ""  # where there are no entries
        self.wanted = ""  # what is looked for, in lower case
        self.found: int | None = None  # the entry it was found in last
        self._top = (0, 0)  # entry, and line of that entry
        self._wrapped: dict[int, list[Line]] = {}
        self._width = 0

    def say(self, sentence: str) -> None:
        self.says = sentence
        if not self.entries:
            self.refresh()

    def add(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.entries.extend(entries)
        if len(self.entries) > MOST_KEPT:
            self._let_go(MOST_KEPT // 10 + len(self.entries) - MOST_KEPT)
        if self.follows:
            self._to_the_end()
        self.refresh()
        self.post_message(self.Changed())

    def _let_go(self, number: int) -> None:
        del self.entries[:number]
        self.forgotten += number
        self._wrapped.clear()
        self._top = (max(0, self._top[0] - number), 0)
        if self.found is not None:
            self.found = self.found - number if self.found >= number else None

    def clear(self) -> None:
        self.entries, self.forgotten, self.follows, self.found, self._top = [], 0, True, None, (0, 0)
        self._wrapped.clear()
        self.refresh()

    # Moving

    def scroll_lines(self, by: int) -> None:
        """Further down (by > 0) or up; following ends where it moves away from the end, and begins there again."""
        top = self._moved(self._top, by)
        end = self._end()
        self._top = min(top, end)
        self.follows = self._top == end
        self.refresh()
        self.post_message(self.Changed())

    def page(self, direction: int) -> None:
        self.scroll_lines(direction * max(1, self.size.height - 1))

    def to_the_top(self) -> None:
        self._top = (0, 0)
        self.follows = self._end() == (0, 0)
        self.refresh()
        self.post_message(self.Changed())

    def follow(self, wanted: bool = True) -> None:
        self.follows = wanted
        if wanted:
            self._to_the_end()
        self.refresh()
        self.post_message(self.Changed())

    def _to_the_end(self) -> None:
        self._top = self._end()

    def _end(self) -> tuple[int, int]:
        """Where the screen begins when its last line is the last line of all."""
        return self._moved((len(self.entries), 0), -max(self.size.height, 1)) if self.entries else (0, 0)

    def _moved(self, top: tuple[int, int], by: int) -> tuple[int, int]:
        entry, line = top[0], top[1] + by
        while line < 0 and entry > 0:
            entry -= 1
            line += len(self._lines(entry))
        while entry < len(self.entries) and line >= len(self._lines(entry)):
            line -= len(self._lines(entry))
            entry += 1
        return (entry, max(line, 0))

    @property
    def part(self) -> tuple[int, int]:
        """The number of the last entry on the screen, and how many there are, those let go included."""
        last, _ = self._moved(self._top, max(self.size.height, 1) - 1)
        return min(last + 1, len(self.entries)) + self.forgotten, len(self.entries) + self.forgotten

    def seen(self) -> str:
        """What stands on the screen, as it was written."""
        last = min(self._moved(self._top, max(self.size.height, 1) - 1)[0] + 1, len(self.entries))
        return "\n".join(entry.text for entry in self.entries[self._top[0] : last])

    # Search

    def find(self, wanted: str, direction: int) -> bool | None:
        """The next entry with these words, or the one before. False: none; True: found past the end; None: found."""
        self.wanted = wanted.lower()
        self._wrapped.clear()
        number = len(self.entries)
        start = self.found if self.found is not None else (self._top[0] - 1 if direction > 0 else self._top[0])
        for step in range(1, number + 1):
            at = (start + direction * step) % number
            if self.wanted in self.entries[at].text.lower():
                self.found = at
                self.follows = False
                self._show(at)
                passed = at <= start if direction > 0 else at >= start
                return True if passed and step > 1 else None
        self.found = None
        self.refresh()
        return False

    def _show(self, entry: int) -> None:
        """The entry in the upper third, unless it is on the screen already."""
        height = max(self.size.height, 1)
        bottom = self._moved(self._top, height)
        if not self._top <= (entry, 0) < bottom:
            self._top = min(self._moved((entry, 0), -(height // 3)), self._end())
        self.refresh()
        self.post_message(self.Changed())

    # Drawing

    def _lines(self, at: int) -> list[Line]:
        found = self._wrapped.get(at)
        if found is None:
            if len(self._wrapped) > 1_000:
                self._wrapped.clear()
            found = self._wrapped[at] = self._worded(at)
        return found

    def _worded(self, at: int) -> list[Line]:
        entry = self.entries[at]
        word, style = _LEVELS.get(entry.level, ("error", "error"))
        stamp = to_datetime(entry.at).astimezone().strftime("%H:%M:%S")
        lines: list[Line] = []
        if at == 0 or self.entries[at - 1].attempt != entry.attempt:
            lines.append([(f"attempt {entry.attempt}", "heading")])
        text_style = {"error": "error", "warning": "warning", "debug": "muted"}.get(entry.level, "")
        cells = max(self.size.width - _PREFIX - 2, 10)
        for n, rest in enumerate(wrap(entry.text[: cells * _MOST_LINES], cells, text_style, most=_MOST_LINES)):
            head: Line = [(f"{stamp} ", "faint"), (f"{word:<6}", style)] if n == 0 else [(" " * _PREFIX, "")]
            lines.append([*head, *_lit(rest, self.wanted)])
        return lines

    def on_resize(self) -> None:
        if self._width != self.size.width:
            self._width = self.size.width
            self._wrapped.clear()
        self._top = self._end() if self.follows else min(self._moved((self._top[0], 0), 0), self._end())
        self.refresh()

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        if not self.entries:
            return strip_of(self, [(f"  {safe(self.says)}", "empty")] if y == 0 else [], cells)
        entry, line = self._moved(self._top, y)
        if entry >= len(self.entries):
            return strip_of(self, [], cells)
        words = self._lines(entry)[line]
        here = entry == self.found and words[0][1] != "heading"
        sign = look_of(self.app).glyphs.cursor if here else " "
        return strip_of(self, [(f"{sign} ", "accent"), *words], cells)

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)


def _lit(line: Line, wanted: str) -> Line:
    """What is looked for, made to stand out."""
    if not wanted:
        return line
    lit: Line = []
    for text, style in line:
        lowered, start = text.lower(), 0
        while len(lowered) == len(text) and (at := lowered.find(wanted, start)) >= 0:
            lit += [(text[start:at], style), (text[at : at + len(wanted)], "cursor")]
            start = at + len(wanted)
        lit.append((text[start:], style))
    return lit
