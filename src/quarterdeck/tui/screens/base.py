"""What every screen has: breadcrumb, tray, footer, and one place where keys become commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from quarterdeck.contract.actions import Action
from quarterdeck.tui.actions import why_not_action, why_not_command
from quarterdeck.tui.commands import Place
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.keymap import Bound, pressed, shown
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.banner import NO_LINE, Banner
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.tray import Tray
from quarterdeck.tui.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console
    from quarterdeck.tui.session import Act

Handler = Callable[[], Awaitable[None] | None]

_PASSING = ("", "warning")  # styles of notices that nothing came of


class ConsoleScreen(Screen[None]):
    """A whole screen. Subclasses give the body, the place in the keymap, and a handler for each command."""

    DEFAULT_CSS = """
    ConsoleScreen { layers: base over; overflow: hidden; background: $background; color: $foreground; }
    ConsoleScreen #crumb { color: $foreground; }
    ConsoleScreen.-warned FilterEditor, ConsoleScreen.-warned SearchBar { margin-top: 2; }
    """
    AUTO_FOCUS = "WindowTable"
    LABELS: ClassVar[Mapping[str, str]] = {}  # what a command is called here
    SUMMARIES: ClassVar[Mapping[str, str]] = {}  # what it does here, where that is something else than elsewhere
    _handlers: Mapping[str, Handler] = {}

    @property
    def console(self) -> Console:
        return cast("Console", self.app)

    # What a subclass says

    @property
    def place(self) -> Place:
        """Where in the keymap this screen looks its keys up."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    def breadcrumb(self) -> tuple[Line, Line]:
        raise NotImplementedError

    def handlers(self) -> Mapping[str, Handler]:
        """Command name to what carries it out. Commands of the app itself are not here."""
        raise NotImplementedError

    def current_row(self) -> Mapping[str, Any] | None:
        return None

    def marked(self) -> int:
        return 0

    @property
    def is_kept(self) -> bool:
        """Whether this is the screen of its kind, and no visit to a part of what it shows."""
        return True

    @property
    def is_opening(self) -> bool:
        """Whether something on this screen is about to take the keys."""
        return not self.is_mounted

    @property
    def is_filling(self) -> bool:
        """Whether the rows that keys are for are on their way, and none of them is there."""
        return False

    async def act(self, action: Action, opened_with: str) -> None:
        """Carry out an action of the resource that is shown; only lists have any."""

    def taken_back(self, act: Act, row: Mapping[str, Any] | None) -> None:
        """What I did last was taken back, and this is the row; None where it was not, or is no row."""

    def remember(self) -> None:
        """Put where we are into the session's state."""

    def on_link(self) -> None:
        """The engine became reachable, or stopped being so."""

    async def on_news(self, message: Mapping[str, Any]) -> None:
        """A live message from the engine."""

    def key(self, name: str) -> str:
        """The key of a command, as people write it."""
        return self.console.session.keymap.key(name)

    # The frame

    def compose(self) -> ComposeResult:
        yield LineView(id="crumb")
        yield Banner(id="banner")
        yield from self.body()
        yield Tray(id="tray")
        yield LineView(id="footer")

    # Textual calls the handlers of base classes after those of a subclass: none calls super().

    def on_mount(self) -> None:
        self.chrome()

    def on_screen_resume(self) -> None:
        self.chrome()

    def on_resize(self) -> None:
        self.chrome()

    @property
    def stands(self) -> bool:
        """Whether its frame is there: what was asked of the engine may come when the screen is on its way out."""
        return self.is_mounted and {"crumb", "tray", "footer"} <= {child.id for child in self.children}

    def chrome(self) -> None:
        """Say again where we are and what the keys do. Cheap, and sends nothing when nothing differs."""
        if not self.stands:
            return
        self.query_one("#crumb", LineView).show(*self.breadcrumb())
        self.show_banner()
        tray = self.query_one(Tray)
        tray.tell(self.console.session)
        self._foot(tray)

    def show_banner(self) -> None:
        """What the banner says. Rows stay where they are on the screen as far as that can be; where the terminal is
        short, the banner takes the place of the breadcrumb."""
        if not self.stands:
            return
        banner, crumb = self.query_one(Banner), self.query_one("#crumb")
        lines = bool(banner.display) + bool(crumb.display)
        banner.tell(*self.console.banner_line(self.size.width))
        crumb.display = not (banner.display and self.size.height < NO_LINE)
        down = bool(banner.display) + bool(crumb.display) - lines
        if down:
            self.set_class(down > 0, "-warned")
            for table in self.query(WindowTable):
                table.make_room(down)

    def notice(self, sentence: str, style: str = "", *, lasting: bool = False) -> None:
        """Say something in the tray for a while; what nothing came of, no longer than until the next key, unless it
        is `lasting`."""
        if not self.is_mounted:
            self.call_later(self.notice, sentence, style, lasting=lasting)
            return
        if not self.stands:
            return
        tray = self.query_one(Tray)
        tray.notice(sentence, style, lasting=lasting or style not in _PASSING)
        self._foot(tray)

    def carry_out(self, work: Coroutine[Any, Any, None]) -> None:
        """Something the engine may refuse; its sentence is shown."""
        self.run_worker(self._told(work), group="acting")

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except FAILURES as error:
            self.notice(sentence(error), "error")

    def on_tray_forgot(self) -> None:
        self._foot(self.query_one(Tray))

    def _foot(self, tray: Tray) -> None:
        """The keys, or the end of a sentence that is longer than the tray."""
        base = "lost" if tray.rest and tray.rest[0][1] == "lost" else ""
        self.query_one("#footer", LineView).show(tray.rest or self._footer(), base=base)

    def _footer(self) -> Line:
        line: Line = [(" ", "")]
        room, untold = self.size.width - 1, self.untold
        for bound in sorted(self.console.session.keymap.bound(self.place), key=lambda b: -b.command.weight):
            if not bound.command.weight or self.why_not(bound) is not None:
                continue
            label = self.label(bound)
            needed = len(bound.key) + len(label) + 3
            if room < needed or bound.name in untold:
                continue
            room -= needed
            line += [(bound.key, "key"), (f" {label}  ", "muted")]
        return line

    @property
    def untold(self) -> tuple[str, ...]:
        """Commands that the key bar leaves out, since another key on it does the same now."""
        return ()

    # Keys

    def label(self, bound: Bound) -> str:
        """What a command is called here."""
        return self.LABELS.get(bound.name, bound.command.label)

    def bound(self) -> list[Bound]:
        """What the keys do here, in the words of this screen."""
        return [
            replace(
                each,
                command=replace(
                    each.command,
                    label=self.label(each),
                    summary=self.SUMMARIES.get(each.name, each.command.summary),
                ),
            )
            for each in self.console.session.keymap.bound(self.place)
        ]

    def why_not(self, bound: Bound) -> str | None:
        """Why a command does nothing now: one sentence, or None if it works."""
        standing = self.console.session.standing
        if bound.action is not None:
            return why_not_action(bound.action, standing, self.current_row(), self.marked())
        reason = why_not_command(bound.command, standing)
        if reason is None and bound.name == "undo" and not self.console.session.acts:
            return f"Nothing of yours to take back here; {self.key('operations')} lists bulk operations."
        return reason

    async def on_key(self, event: events.Key) -> None:
        key = pressed(event.key, event.character)
        if key in ("ctrl+q", "ctrl+c", "ctrl+z"):
            return
        gone = self.console.front is not self
        if gone or self.console.gate.holds(event):
            event.stop()
            event.prevent_default()
            if gone:
                self.console.gate.take_back(event)
            return
        if key in ("tab", "shift+tab"):
            return
        event.stop()
        event.prevent_default()
        await self.press(key)

    async def press(self, key: str) -> None:
        """Do what a key stands for, or say why it does nothing."""
        keymap = self.console.session.keymap
        bound = keymap.lookup(self.place, key)
        if bound is not None:
            await self.do(bound, key)
            return
        elsewhere = keymap.elsewhere(key)
        if elsewhere:
            label, where = elsewhere
            self.notice(f"{shown(key)} does nothing here; it is {label} in {where}.")
        else:
            self.notice(f"{shown(key)} does nothing here; {keymap.key('help')} shows the keys.")

    async def do(self, bound: Bound, key: str = "") -> None:
        for tray in self.query(Tray):
            if tray.pass_on():
                self._foot(tray)
        reason = self.why_not(bound)
        if reason is not None:
            self.notice(reason, "warning")
            return
        if bound.action is not None:
            await self.act(bound.action, key)
            self.console.gate.close_if_opening()
            return
        if not self._handlers:
            self._handlers = {**self.console.handlers(), **self.handlers()}
        handler = self._handlers.get(bound.name)
        if handler is None:
            self.notice(f"{bound.command.label} does nothing on this screen.")
            return
        result = handler()
        if isawaitable(result):
            await result
        self.console.gate.close_if_opening()
