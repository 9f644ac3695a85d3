"""Charts above tables: what happened over time, of one tenant or of all that one sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.looking import LookingScreen
from quarterdeck.tui.screens.moving import moves
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.chart_board import ChartBoard
from quarterdeck.tui.widgets.table_messages import FetchFailed, Refused
from quarterdeck.tui.widgets.window_table import WindowTable

SHORT, TALL, BESIDE = 18, 36, 160  # lines, lines, cells


class ChartedScreen(LookingScreen):
    """Charts stay as they are while the engine cannot be asked; what it says stands in their place where there are
    none yet. Where the terminal is short they give way: keys are for rows, and rows are to be seen."""

    DEFAULT_CSS = "ChartedScreen.-short ChartBoard { display: none; }"

    # What a subclass says

    NAME: ClassVar[str]
    """The command that leads here, and the word that `:` takes."""
    HERE: ClassVar[str]
    """What is said to that command when one is here."""

    @property
    def table(self) -> WindowTable:
        """The one that has the keys."""
        raise NotImplementedError

    def ask(self, *, keep: bool) -> None:
        """Everything of the engine, the figures with `ask_for_figures`."""
        raise NotImplementedError

    async def fetch(self) -> Any:
        """The figures that are asked for. Raises Problem and Unreachable."""
        raise NotImplementedError

    async def show_figures(self, *, keep: bool) -> None:
        """There are new `figures`."""
        raise NotImplementedError

    def widen(self) -> None:
        """One step back from what was narrowed; then from the screen."""
        raise NotImplementedError

    def copy(self) -> None:
        raise NotImplementedError

    # What it is made of

    def __init__(self) -> None:
        super().__init__()
        self.board = ChartBoard(id="charts")
        self.figures: Any = None

    def current_row(self) -> Mapping[str, Any] | None:
        return self.table.cursor_row

    @property
    def is_filling(self) -> bool:
        return self.table.is_filling

    def remember(self) -> None:
        self.console.session.state.screen = self.NAME

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **moves(lambda: self.table),
            "copy": self.copy,
            "clear": self.widen,
            "reload": self.look,
            "chart-next": lambda: self.turn(1),
            "chart-previous": lambda: self.turn(-1),
        }

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == self.NAME:
            return self.HERE
        if bound.name in ("open", "copy") and self.current_row() is None:
            return f"{self.label(bound)} needs a row; there is none under the cursor."
        return super().why_not(bound)

    # Looking

    def fit(self) -> None:
        """What there is room for."""
        self.set_class(self.size.height < SHORT, "-short")
        self.set_class(self.size.height >= TALL, "-tall")
        self.set_class(self.size.width >= BESIDE, "-beside")

    def on_resize(self) -> None:
        self.fit()

    def on_mount(self) -> None:
        self.fit()
        self.board.turn_hint = self.key("chart-next")
        self.board.say("Loading the charts…")
        self.look(keep=False)

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.look()

    def on_screen_resume(self) -> None:
        """From another screen, where something may have been done."""
        self.table.focus()
        if self.figures is not None:
            self.soon()

    def look(self, *, keep: bool = True) -> None:
        self.no_more_waiting()
        session = self.console.session
        if session.client is not None and not session.lost:
            self.ask(keep=keep)

    def ask_for_figures(self, *, keep: bool) -> None:
        self.run_worker(self._fetch(keep), group="figures", exclusive=True)

    async def _fetch(self, keep: bool) -> None:
        try:
            with self.timed():
                figures = await self.fetch()
        except FAILURES as error:
            self.notice(sentence(error), "error")
            if self.board.is_empty:
                self.board.say(sentence(error))
            return
        if self.stands:
            self.figures = figures
            await self.show_figures(keep=keep)
            self.chrome()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_refused(self, event: Refused) -> None:
        self.notice(event.sentence, "warning")

    def turn(self, by: int) -> None:
        if not self.board.display:
            self.notice("There is no room for charts; a taller terminal shows them.")
        elif not self.board.turn(by):
            self.notice("All charts stand here already.")

    # Whose they are

    def whose(self, tenant: str, command: str) -> Line:
        """Whose figures they are, and the key for those of another; empty: of all that one sees."""
        own = self.console.session.own_tenants
        if own is None:
            line: Line = [("tenant ", "muted"), (safe(tenant) or "every", "title")]
        else:
            line = [("only your own: ", "muted"), (safe(tenant) or safe(", ".join(own)) or "nothing", "title")]
        return line if own is not None and len(own) < 2 else [*line, (f" {self.key(command)}", "key")]

    def why_one_tenant(self) -> str | None:
        """Why another tenant cannot be chosen."""
        own = self.console.session.own_tenants
        return "You see only what is your own." if own is not None and len(own) < 2 else None

    def ask_for_tenant(self, title: str, tenant: str, chosen: Callable[[str], None], also: Iterable[str] = ()) -> None:
        """One of those that are known, or all (empty); `chosen` is told of another one than `tenant`. `also`: further
        tenants that were seen."""
        from quarterdeck.tui.screens.picker import Option, Picker

        tenants = sorted({*self.console.session.tenants, *also})
        options = [Option("*", "every tenant"), *(Option(f"={each}", each) for each in tenants)]

        def answered(value: str | None) -> None:
            if value is not None and value[1:] != tenant:
                chosen(value[1:])

        self.console.push_screen(Picker(title, options, chosen=f"={tenant}" if tenant else "*"), answered)
