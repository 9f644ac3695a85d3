"""The frame of every dialog: a title, a body, a line of keys, and the screen beneath left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from textual import events
from textual._time import get_time
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from quarterdeck.tui.keymap import pressed
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.lines import LineView

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

Result = TypeVar("Result")


class Frame(Vertical):
    """The box. Its height follows what is in it."""

    DEFAULT_CSS = """
    Frame {
        width: 100%; max-width: 86; height: auto; max-height: 100%;
        border: solid $line; background: $background; padding: 0 1;
    }
    Frame > #title { text-style: bold; margin-bottom: 1; }
    Frame > #keys { margin-top: 1; }
    """


class Dialog(ModalScreen[Result]):
    """Esc closes it with None. Keys that mean nothing here do nothing."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; layers: base over; }
    """

    @property
    def console(self) -> Console:
        return cast("Console", self.app)

    is_ready = False
    """Whether the focus is where the dialog wants it; until then keys wait."""
    seen_at = float("inf")
    """When it came: a key from before cannot be an answer to it."""

    def on_mount(self) -> None:
        self.seen_at = get_time()
        self.call_after_refresh(self.app.call_later, self._now_ready)  # after the focus, which is set so too

    def _now_ready(self) -> None:
        self.is_ready = True

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Frame():
            yield LineView(id="title")
            yield from self.body()
            yield LineView(id="keys")

    def say_title(self, left: Line, right: Line | None = None) -> None:
        self.query_one("#title", LineView).show(left, right)

    def say_keys(self, left: Line, right: Line | None = None) -> None:
        self.query_one("#keys", LineView).show(left, right)

    async def on_key(self, event: events.Key) -> None:
        # The only handler of keys: Textual calls those of base classes too, whatever a subclass does.
        if self.press(pressed(event.key, event.character)):
            event.stop()
            event.prevent_default()

    def press(self, key: str) -> bool:
        """A key, unless a field took it. False leaves it to Textual: tab, and what moves in a field."""
        if key == "escape":
            self.dismiss(None)
            return True
        return False
