"""Home: everything in short, what needs somebody first; each line is the door to its screen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual import events
from textual.containers import Container
from textual.widget import Widget

from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import overview
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import moment, plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.home.doors import Doors, Piece, Place
from quarterdeck.tui.screens.home.plots import plots
from quarterdeck.tui.screens.home.rows import Board
from quarterdeck.tui.screens.looking import LookingScreen
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.chart_board import ChartBoard

BESIDE = 120  # cells from which charts stand at the right
CHARTS = 13  # lines that they need below
# Time alone brings items near their end, and nobody says so.
EACH_SECONDS = 60.0
_NEWS = frozenset(
    {
        Message.RESOURCE_CHANGED,
        Message.OPERATION_CHANGED,
        Message.QUEUES_CHANGED,
        Message.WORKERS_CHANGED,
        Message.ALERTS_CHANGED,
        Message.RESYNC,
    }
)


class HomeScreen(LookingScreen):
    """Looks again when something has happened, in its pace, and only while somebody sees it."""

    DEFAULT_CSS = """
    HomeScreen #home { layout: vertical; height: 1fr; }
    HomeScreen Doors { padding: 0; }
    HomeScreen ChartBoard { display: none; padding: 0 1; }
    HomeScreen.-below Doors { height: auto; }
    HomeScreen.-below ChartBoard { display: block; height: 1fr; border-top: $stroke $line; }
    HomeScreen.-beside #home { layout: horizontal; }
    HomeScreen.-beside ChartBoard { display: block; width: 44%; border-top: none; border-left: $stroke $line; }
    """
    AUTO_FOCUS = "Doors"
    LABELS: ClassVar[Mapping[str, str]] = {"clear": "Back", "open": "Go there"}
    SUMMARIES: ClassVar[Mapping[str, str]] = {
        "open": "To what the line is about.",
        "clear": "To where you came from.",
        "copy": "The line, for a message to somebody.",
        "page-down": "The next part; so does tab.",
        "page-up": "The part before; so does shift+tab.",
    }

    def __init__(self, session: Session, at: Place | None = None) -> None:
        """`at`: where the cursor was when it was left."""
        super().__init__()
        self.doors = Doors(at, id="doors")
        self.charts = ChartBoard(id="charts")
        self.overview: Mapping[str, Any] | None = None
        self.pace = session.settings.console.home_refresh_seconds
        self._says = "Looking…"
        self._needs = 0
        self._heard_at = float("-inf")  # seconds; when something happened last
        self._fetching = False

    @property
    def place(self) -> Scope:
        return Scope.HOME

    def body(self) -> Iterable[Widget]:
        yield Container(self.doors, self.charts, id="home")

    def breadcrumb(self) -> tuple[Line, Line]:
        right: Line = []
        if self.overview is not None and self._needs:
            right = [(f"{plural(self._needs, 'thing')} to see to ", "badge-attention")]
        return self.console.place_line("home"), right

    def remember(self) -> None:
        self.console.session.state.screen = "home"

    @property
    def is_filling(self) -> bool:
        return self.overview is None and any(each.node is self and not each.is_finished for each in self.workers)

    def handlers(self) -> Mapping[str, Handler]:
        doors = self.doors
        return {
            "down": lambda: doors.step(1),
            "up": lambda: doors.step(-1),
            "home-right": lambda: doors.side(1),
            "home-left": lambda: doors.side(-1),
            "top": lambda: doors.end(False),
            "bottom": lambda: doors.end(True),
            "page-down": lambda: doors.part(1),
            "page-up": lambda: doors.part(-1),
            "open": doors.open,
            "copy": self.copy,
            "clear": self.console.back,
            "reload": self.look,
        }

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == "home":
            return "This is home already."
        if bound.name in ("detail-down", "detail-up"):
            return f"There is no detail pane here; {self.key('open')} goes to what is under the cursor."
        if bound.name in ("open", "copy") and self.doors.door is None:
            return f"{self.label(bound)} needs something under the cursor; there is nothing yet."
        return super().why_not(bound)

    async def on_key(self, event: events.Key) -> None:
        """Tab goes from part to part: there is nothing else here that could have the focus."""
        if event.key in ("tab", "shift+tab") and self.console.front is self:
            event.stop()
            event.prevent_default()
            self.doors.part(1 if event.key == "tab" else -1)

    # Showing

    def on_mount(self) -> None:
        self.charts.turn_hint = ""
        self.set_interval(EACH_SECONDS, self.soon)
        self._paint()
        self.look()

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    def on_screen_resume(self) -> None:
        self.doors.focus()
        if self.overview is not None:
            self.soon()

    def _paint(self) -> None:
        """Also after a resize: what is named follows the room there is."""
        if not self.stands:
            return
        size = self.query_one("#home").size
        beside = size.width >= BESIDE
        if self.overview is None:
            self.set_class(beside, "-beside")
            self.doors.show([[Piece([(self._says, "muted")])]])
            return
        cells = size.width * 56 // 100 if beside else size.width
        glyphs, now = look_of(self.app).glyphs, self.console.session.now()
        below = not beside and size.height >= 24 + CHARTS
        board = Board(self.overview, cells, size.height - (CHARTS if below else 0), now, glyphs)
        self._needs = board.needs
        self.set_class(beside, "-beside")
        self.set_class(below, "-below")
        if below:
            self.doors.styles.height = len(board.rows)
        else:
            self.doors.styles.height = "1fr"
        self.doors.show(board.rows)
        if beside or below:
            self.charts.show_plots(plots(self.overview, moment(self.overview["at"]) or now))
        self.chrome()

    # Looking

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.look()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] in _NEWS:
            self._heard_at = time.monotonic()
            self.soon()

    def soon(self) -> None:
        if self._fetching:
            self._heard_at = time.monotonic()  # the answer that is on its way is looked at, and then again
        else:
            super().soon()

    def look(self, *, keep: bool = True) -> None:
        self.no_more_waiting()
        session = self.console.session
        if session.client is None or session.lost:
            self._says = "Waiting for the engine…"
            self._paint()
        else:
            self.run_worker(self._fetch(), group="overview", exclusive=True)

    async def _fetch(self) -> None:
        began = time.monotonic()
        self._fetching = True
        try:
            with self.timed():
                found = await self.console.session.client.call(overview.SHOW)
        except FAILURES as error:
            self._says = sentence(error)
            self.notice(self._says, "error")
            self._paint()
            return
        finally:
            self._fetching = False
        self.overview = found
        self._paint()
        counting = any(each["open"] is None or each["due_soon"] is None for each in found["items"] or ())
        counting = counting or (found["promises"] or {}).get("week", 0) is None
        if counting or began - found["age_seconds"] < self._heard_at:
            self.soon()  # something in it was counted before what has happened last

    # Commands

    def on_doors_opened(self, event: Doors.Opened) -> None:
        place = self.doors.place
        self.console.everywhere.go(event.door.to)
        self.console.left_home(place)

    def copy(self) -> None:
        """What the line says, for a message to somebody."""
        said = self.doors.words
        self.console.copy_text(said, "the line")
