"""What a payload and a log share: words to look for, and the field to type them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.text_input import TextInput


class _Box(TextInput):
    """Enter and esc count at once, so that keys behind them are not part of the words."""

    async def _on_key(self, event: events.Key) -> None:
        bar = self.parent
        assert isinstance(bar, SearchBar)
        if bar.is_done:
            bar.screen.console.gate.take_back(event)  # type: ignore[attr-defined]
        elif event.key in ("enter", "escape"):
            bar.end(self.value if event.key == "enter" else None)
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()


class SearchBar(Horizontal):
    DEFAULT_CSS = """
    SearchBar { height: 1; layer: over; dock: top; margin-top: 1; background: $background; }
    SearchBar LineView { width: 3; }
    """

    class Ended(Message):
        """`words` None: nothing is to be looked for."""

        def __init__(self, words: str | None) -> None:
            super().__init__()
            self.words = words

    def __init__(self, words: str) -> None:
        super().__init__()
        self._box = _Box(words, "words to look for; enter finds, esc leaves")
        self.is_done = False

    def compose(self) -> ComposeResult:
        yield LineView()
        yield self._box

    def on_mount(self) -> None:
        self.query_one(LineView).show([(" / ", "accent")])
        self._box.focus()
        self._box.cursor_position = len(self._box.value)

    def end(self, words: str | None) -> None:
        self.is_done = True
        self.screen.console.gate.close()  # type: ignore[attr-defined]
        self.post_message(self.Ended(words))


class ReadingScreen(ConsoleScreen):
    """One thing, read from above; laid over the list it belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = ""

    # What a subclass says

    def about(self) -> tuple[Line, Line]:
        """The line under the breadcrumb: its left and its right."""
        raise NotImplementedError

    def text(self) -> Widget:
        """What is read; it has the focus."""
        raise NotImplementedError

    def around(self) -> Iterable[Widget]:
        """What stands on the screen under the line."""
        raise NotImplementedError

    async def find(self, direction: int) -> None:
        """Look for `words`, onwards or back."""
        raise NotImplementedError

    # The frame

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield from self.around()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "search": self.search,
            "next-match": lambda: self._again(1),
            "previous-match": lambda: self._again(-1),
            "clear": self.console.back,
        }

    @property
    def is_opening(self) -> bool:
        return not self.is_mounted or any(bar.is_done or not bar.has_focus_within for bar in self.query(SearchBar))

    def tell(self) -> None:
        if self.is_mounted:
            self.query_one("#line", LineView).show(*self.about())

    def search(self) -> None:
        if not self.query(SearchBar):
            self.mount(SearchBar(self.wanted))

    def on_search_bar_ended(self, event: SearchBar.Ended) -> None:
        self.query(SearchBar).remove()
        self.text().focus()
        if event.words:
            self.wanted = event.words
            self._again(1)

    def _again(self, direction: int) -> None:
        if not self.wanted:
            self.notice(f"Nothing is looked for; {self.key('search')} says what.")
        else:
            self.run_worker(self.find(direction), group="find", exclusive=True)

    def told(self, found: bool | None) -> None:
        """What a search came to, as `find` of a tree or a log says it."""
        if found is False:
            self.notice(f"“{self.wanted}” stands nowhere here.", "warning")
        elif found:
            self.notice(f"“{self.wanted}”: gone round to the other end.")

    def current_row(self) -> Any:
        return None
