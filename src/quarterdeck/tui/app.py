"""The console: it holds the session, the link and the look, and moves between screens. No rules here."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from textual import events
from textual.app import App
from textual.driver import Driver

from quarterdeck.client.local import OnWait
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.principal import Principal
from quarterdeck.tui import link, state
from quarterdeck.tui.clipboard import osc52, through
from quarterdeck.tui.endings import ending
from quarterdeck.tui.everywhere import Everywhere
from quarterdeck.tui.keygate import KeyGate
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.screens.items.screen import QueueScreen
from quarterdeck.tui.screens.listing import ListScreen
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.thrift import thrifty_driver
from quarterdeck.tui.wardrobe import Wardrobe
from quarterdeck.tui.widgets.table_messages import CountKnown

if TYPE_CHECKING:
    from quarterdeck.client.first_look import FirstLook
    from quarterdeck.tui.alarm import Alarm
    from quarterdeck.tui.screens.home.doors import Place

Brought = TypeVar("Brought", bound=ConsoleScreen)
_DEEPEST = 12  # screens upon each other: from a run to its dead letter to a run …
_CONTEXT_CELLS = 20  # the end of a path says more than its beginning


class Console(App[None]):
    """`session` outlives every screen. Screens reach each other only through here."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        session: Session,
        *,
        theme: str | None = None,
        notice: str = "",
        act_as: Principal | None = None,
        go_to: str = "",
        first_look: FirstLook | None = None,
    ) -> None:
        """Raises ThemeError."""
        wanted = theme or session.state.theme or session.settings.console.theme
        self.session = session
        self.wardrobe = Wardrobe(self, wanted)
        self.look = self.wardrobe.look
        # Without colour: nothing but the terminal's own, where Textual would send greys.
        super().__init__(ansi_color=True if self.look.plain else None)
        self.act_as = act_as
        self.first_rows = asyncio.Event()
        self.everywhere = Everywhere(self)
        self.alarm: Alarm | None = None  # when there are rows: alerts can wait for them
        self.gate = KeyGate(self, super().on_event)
        self._first_notice, self._first_place = notice, go_to
        self._left_by: Place | None = None  # the door of home that led to the queue
        self._worked = False
        self._first_look = first_look
        self.wardrobe.dress()
        self.queue = QueueScreen(session)

    def get_driver_class(self) -> type[Driver]:
        return thrifty_driver(super().get_driver_class())

    # Screens

    def get_default_screen(self) -> QueueScreen:
        return self.queue

    @property
    def front(self) -> ConsoleScreen:
        """The screen that is seen, beneath any dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, ConsoleScreen))

    def handlers(self) -> Mapping[str, Handler]:
        return self.everywhere.handlers()

    @property
    def context(self) -> str:
        """Which instance this is, short enough for a breadcrumb."""
        path, home = str(self.session.home.path), os.path.expanduser("~")
        text = safe("~" + path[len(home) :] if path.startswith(home + os.sep) else path)
        return text if len(text) <= _CONTEXT_CELLS else "…" + text[1 - _CONTEXT_CELLS :]

    def place_line(self, place: str, sort: str = "") -> Line:
        """instance › place › order, and whether anything can be changed."""
        separator = (f" {self.look.glyphs.separator} ", "faint")
        line: Line = [(" ", "")]
        if self.session.read_only:
            line.append(("read-only ", "warning"))
        line += [(self.context, "muted"), separator, (place, "title")]
        if sort:
            line += [separator, (f"by {sort}", "muted")]
        return line

    def show_queue(self, resource: Resource | None = None, filter_: str | None = None) -> None:
        self._left_by = None
        self._pop_to(self.queue)
        if resource is not None:
            self.queue.go(resource, filter_)
        self.remember()

    def show_operations(self, number: int | None = None) -> None:
        from quarterdeck.tui.screens.bulk.operations import OperationsScreen

        if isinstance(self.front, OperationsScreen) and number is None:
            self.notice("These are the operations already.")
        elif number is None:
            self.bring(OperationsScreen, lambda: OperationsScreen(self.session))
        else:
            self.lay(OperationsScreen(self.session, number))

    def bring(self, kind: type[Brought], make: Callable[[], Brought]) -> Brought:
        """The screen of a kind: where it is open already, what lies upon it goes; else upon the one that is seen."""
        for screen in self.screen_stack:
            if type(screen) is kind and screen.is_kept:
                self._pop_to(screen)
                return screen
        self._left_by = None
        made = make()
        self.lay(made)
        self.remember()
        return made

    def lay(self, screen: ConsoleScreen) -> None:
        """A screen upon the one that is seen; back leads there again."""
        if len(self.screen_stack) > _DEEPEST:
            self._pop_to(self.queue)
        self.push_screen(screen)

    def _pop_to(self, screen: ConsoleScreen) -> None:
        while self.screen is not screen:
            self.pop_screen()

    def back(self) -> None:
        if self.front is not self.queue:
            self.pop_screen()
            self.remember()
        elif self._left_by is not None:
            self.everywhere.home(self._left_by)
        else:
            self.leave()

    def left_home(self, by: Place) -> None:
        """A door of home was gone through. The queue lies beneath home, so back has to be told."""
        if self.front is self.queue:
            self._left_by = by

    def leave(self) -> None:
        self.remember()
        self.exit()

    def remember(self) -> None:
        """Write down where we are, for the next start."""
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.remember()
        failed = state.save(self.session.home.console_state, self.session.state)
        if failed:
            self.notice(failed, "error")

    def notice(self, sentence: str, style: str = "") -> None:
        self.front.notice(sentence, style)

    # Life

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self.leave)
        self.run_worker(link.hold(self), name="link", group="link")
        self.run_worker(self._after_first_rows(), group="link")

    def on_ready(self) -> None:
        chosen = self.session.settings.console.first_screen
        first = self._first_place or (self.session.state.screen if chosen == "last" else chosen)
        if first != "queue":
            self.everywhere.go(first)
        if self._first_notice:
            self.front.notice(self._first_notice, "warning", lasting=True)

    async def _after_first_rows(self) -> None:
        await self.first_rows.wait()
        gc.enable()
        gc.freeze()
        self.set_interval(self.session.claim_minutes * 60 / link.RENEWALS_PER_CLAIM, self._renew)
        self.wardrobe.watch()

    async def _renew(self) -> None:
        if self._worked:  # a claim is kept for somebody who works, not for an open window
            self._worked = False
            await link.renew_claims(self)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._worked = True
            if self.gate.holds(event):
                return
        await super().on_event(event)

    def action_help_quit(self) -> None:
        self.notice(f"{self.session.keymap.key('back')} leaves the console; the engine goes on.")

    async def action_quit(self) -> None:
        self.leave()

    # The engine

    async def connect(self, home: Home, *, on_wait: OnWait) -> Any:
        from quarterdeck.client.local import connect

        await asyncio.to_thread(import_module, "quarterdeck.client.client")  # 70 ms, beside the screen
        return await connect(home, act_as=self.act_as, on_wait=on_wait)

    async def look_first(self) -> Any:
        """What can be seen before the link is up; None leaves everything to the link."""
        from quarterdeck.client.first_look import meet

        return await meet(self._first_look) if self._first_look is not None else None

    def waiting(self, for_what: str) -> None:
        """The engine is on its way."""
        if self.session.starting and self.session.lost != f"{for_what}…":
            self.session.lost = f"{for_what}…"
            self.front.chrome()

    def lost(self, reason: str) -> None:
        self.session.lost, self.session.starting = reason, False
        self._link_changed()

    def linked(self) -> None:
        """The engine answers."""
        self._link_changed()

    def _link_changed(self) -> None:
        for screen in self._standing():
            screen.on_link()
            screen.chrome()

    def _standing(self) -> list[ConsoleScreen]:
        """One that is still on its way asks by itself when it is there."""
        return [each for each in self.screen_stack if isinstance(each, ConsoleScreen) and each.stands]

    def look_for_alerts(self) -> None:
        """From now on whatever is critical is said on every screen."""
        if self.alarm is None:
            from quarterdeck.tui.alarm import Alarm

            self.alarm = Alarm(self)
        self.alarm.soon()

    def banner_line(self, cells: int, *, leads: bool = True) -> tuple[Line, Line]:
        return self.alarm.line(cells, leads=leads) if self.alarm is not None else ([], [])

    def warn(self) -> None:
        """Critical alerts have come or gone."""
        for screen in self.screen_stack:
            if (tell := getattr(screen, "show_banner", None)) is not None:  # dialogs are not known here
                tell()

    async def news(self, message: Mapping[str, Any]) -> None:
        if self.alarm is not None:
            self.alarm.heard(message)
        for screen in self._standing():
            await screen.on_news(message)

    def follow(self, number: int) -> None:
        """Watch an operation closely."""
        self.run_worker(link.follow(self, number), group="follow")

    def operation_changed(self, operation: dict[str, Any]) -> None:
        """The newest state of an operation: tray, and a word when it has ended."""
        ended = self.session.seen(operation)
        self.front.chrome()
        if not ended:
            return
        mine = operation["id"] in self.session.mine
        self.notice(*ending(operation, self.session.keymap, mine))
        if operation["failed"] and mine:
            for screen in self.screen_stack:
                if isinstance(screen, ListScreen):
                    screen.marks.keep_failures(operation)

    def copy_text(self, text: str, what: str) -> None:
        """To the clipboard of the operator's own machine, through the terminal."""
        self.send(osc52(text, os.environ))
        self.notice(f"Copied {what}.", "success")

    def send(self, text: str) -> None:
        """To the terminal, beside what is drawn."""
        if self._driver is not None:
            self._driver.write(text)
            self._driver.flush()

    def send_through(self, sequence: str) -> None:
        """To the terminal that is looked at, whatever lies between."""
        self.send(through(sequence, os.environ))

    def on_window_table_count_known(self, _event: CountKnown) -> None:
        self.call_after_refresh(self.first_rows.set)
