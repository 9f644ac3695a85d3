"""The frame of every dialog: a title, a body, a line of keys, and the screen beneath left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events
from textual._time import get_time
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget

from quarterdeck.tui.keymap import pressed
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.banner import NO_LINE, Banner
from quarterdeck.tui.widgets.lines import LineView

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

Result = TypeVar("Result")
SHORT = 20  # lines; with fewer, no line is left empty
BORDERS = 2
_TABS = ("tab", "shift+tab")


class Frame(Vertical):
    """The box. Its height follows what is in it."""

    DEFAULT_CSS = """
    Frame {
        width: 100%; max-width: 86; height: auto; max-height: 100%;
        border: $stroke $line; background: $background; padding: 0 1;
    }
    Frame > #title { text-style: bold; margin-bottom: 1; }
    Frame > #keys { margin-top: 1; }
    """


class Middle(VerticalScroll, can_focus=False):
    """What gives way where the terminal is short; the title and the keys never do."""

    DEFAULT_CSS = "Middle { height: auto; scrollbar-size-vertical: 1; }"


class Dialog(ModalScreen[Result]):
    """Esc closes it with None. Keys that mean nothing here do nothing."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; layers: base over; }
    Dialog > Banner { dock: top; }
    Dialog.-short Frame > #title, Dialog.-short Frame > #keys { margin: 0; }
    """

    @property
    def console(self) -> Console:
        return cast("Console", self.app)

    SCROLLS = False
    """Whether the body scrolls where the terminal is too short for it."""
    IS_QUESTION = True
    """Whether it asks about something that has to be read first."""
    is_ready = False
    """Whether the focus is where the dialog wants it; until then keys wait."""
    seen_at = float("inf")
    """When it came: a key from before cannot be an answer to it."""

    AT_ONCE: ClassVar[tuple[str, ...]] = ("escape", *_TABS)
    """Keys besides enter that no field has: they count before what is typed behind them."""

    is_done = False
    """Whether it has ended; a key that still comes is for what follows."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        self.is_done = True
        self.console.gate.close()
        return super().dismiss(result)

    def on_mount(self) -> None:
        self.seen_at = get_time()
        self.call_after_refresh(self.app.call_later, self._now_ready)  # after the focus, which is set so too
        self.show_banner()

    def show_banner(self) -> None:
        """The banner is not hidden behind a dialog: it stands here too, and the dialog below it."""
        if not self.is_mounted:
            return
        banner = self.query_one(Banner)
        banner.styles.margin = (self._above, 0, 0, 0)
        if banner.tell(*self.console.banner_line(self.size.width, leads=False)):
            self.fit()

    @property
    def _above(self) -> int:
        """Lines above the banner, as on the screen beneath."""
        return 0 if self.app.size.height < NO_LINE else 1

    @property
    def _height(self) -> int:
        """Lines that the banner leaves."""
        return self.app.size.height - (self._above + 1 if self.query_one(Banner).display else 0)

    def _now_ready(self) -> None:
        self.is_ready = True

    def body(self) -> ComposeResult:
        """What scrolls where the terminal is short."""
        raise NotImplementedError

    def foot(self) -> ComposeResult:
        """What stays above the keys."""
        yield from ()

    def compose(self) -> ComposeResult:
        yield Banner(id="banner")
        with Frame():
            yield LineView(id="title")
            if self.SCROLLS:
                with Middle():
                    yield from self.body()
            else:
                yield from self.body()
            yield from self.foot()
            yield LineView(id="keys")

    def fit(self) -> None:
        """Leave the middle what the title, the foot and the keys, one line each, do not need."""
        for middle in self.query(Middle):
            self.set_class(self._height < SHORT, "-short")
            middle.styles.max_height = max(1, self.room)

    @property
    def room(self) -> int:
        """Lines for the middle; less than one where the terminal is too short for the dialog."""
        height = self._height
        lines = sum(1 for each in self.query_one(Frame).children if each.display and not isinstance(each, Middle))
        return height - BORDERS - lines * (1 if height < SHORT else 2)

    def on_resize(self) -> None:
        self.show_banner()
        self.fit()

    def scroll_middle(self, key: str) -> bool:
        """True if the key is one that scrolls and there is something to scroll."""
        if not self.SCROLLS:
            return False
        middle = self.query_one(Middle)
        step = max(1, middle.size.height - 1)
        by = {"pagedown": step, "pageup": -step, "down": 1, "up": -1}.get(key)
        if by is None or not middle.max_scroll_y:
            return False
        middle.scroll_relative(y=by, animate=False)
        return True

    def say_title(self, left: Line, right: Line | None = None) -> None:
        self.query_one("#title", LineView).show(left, right)

    def say_keys(self, left: Line, right: Line | None = None) -> None:
        self.query_one("#keys", LineView).show(left, right)

    async def on_key(self, event: events.Key) -> None:
        # The only handler of keys: Textual calls those of base classes too, whatever a subclass does.
        if self.is_done:
            self.console.gate.take_back(event)
        elif not self.console.gate.holds(event) and not self.press(pressed(event.key, event.character)):
            return
        event.stop()
        event.prevent_default()

    def press_in_field(self, field: Widget, event: events.Key) -> bool:
        """A key in a field, before the field has it: enter and AT_ONCE count at once, so that what was typed behind
        them does not go into the field. Returns whether the field is to leave it alone."""
        if self.is_done or self.focused is not field:
            self.console.gate.take_back(event)
        elif event.key == "enter":
            self.entered()
            self.console.gate.close()
        elif event.key in self.AT_ONCE:
            return self.press(event.key)
        else:
            return False
        return True

    def entered(self) -> None:
        """Enter in a field."""

    def press(self, key: str) -> bool:
        """A key, unless a field took it. False leaves it to Textual: what moves in a field."""
        if key == "escape":
            self.dismiss(None)
            return True
        if key in _TABS:
            (self.focus_next if key == "tab" else self.focus_previous)()
            self.console.gate.close()  # what was typed behind it is for the next field
            return True
        return self.scroll_middle(key)
