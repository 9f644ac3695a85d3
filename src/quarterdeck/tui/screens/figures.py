"""What queues and workers share: a short list that is kept up to date, and charts of what is under the cursor."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual.containers import Container, Vertical
from textual.timer import Timer
from textual.widget import Widget

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Window
from quarterdeck.contract.live import FIGURES_INTERVAL_SECONDS, Message
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens import queues_series as series
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.whole_list import WholeList
from quarterdeck.tui.widgets.chart_board import ChartBoard
from quarterdeck.tui.widgets.lines import LinesView, LineView
from quarterdeck.tui.widgets.rows import Column
from quarterdeck.tui.widgets.table_drawing import HEADER
from quarterdeck.tui.widgets.table_messages import CursorRested, FetchFailed
from quarterdeck.tui.widgets.window_table import WindowTable

Row = Mapping[str, Any]
BESIDE = 160  # cells from which the charts stand at the right of the table
TALL = 32  # lines from which there is room for everything
CHARTS_SECONDS = 5.0  # what they show is counted in minutes
PATIENCE_SECONDS = 0.3
# Figures of the last minutes shrink when nothing happens any more, and nobody says so.
FADE_SECONDS = 60.0


class FiguresScreen(ConsoleScreen):
    """Looks again when the engine says that something is different, at most once a second; silent otherwise."""

    DEFAULT_CSS = """
    FiguresScreen #split { layout: vertical; height: 1fr; }
    FiguresScreen.-beside #split { layout: horizontal; }
    FiguresScreen WindowTable { width: 1fr; height: 1fr; min-height: 3; }
    FiguresScreen #below { display: none; height: 1fr; border-top: solid $line; padding: 0 1; }
    FiguresScreen.-detail #below { display: block; }
    FiguresScreen.-beside #below { width: 46%; height: 1fr; border-top: none; border-left: solid $line; }
    FiguresScreen #facts { height: auto; max-height: 45%; }
    """
    LABELS: ClassVar[Mapping[str, str]] = {"open": "Charts"}

    # What a subclass says

    COLUMNS: ClassVar[Sequence[Column]] = ()
    NOUN: ClassVar[str] = "rows"
    EMPTY: ClassVar[str] = ""
    NEWS: ClassVar[Message]
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    """The members that name a row."""

    async def read(self) -> Sequence[Row]:
        """Every row, from the engine. Raises Problem and Unreachable."""
        raise NotImplementedError

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        raise NotImplementedError

    def say_of(self, row: Row) -> Line:
        """What is wrong with a row, in the line above the table; the detail pane says it too, where it is open."""
        raise NotImplementedError

    def charted_queue(self) -> str | None:
        """Whose charts are shown; None for all queues together."""
        return None

    def fades(self, row: Row) -> bool:
        """Whether figures of this row shrink with the time alone."""
        raise NotImplementedError

    def refreshed(self) -> None:
        """The rows are newer."""

    # What it is made of

    def __init__(self, session: Session, name: str | None = None) -> None:
        """`name`: the row to begin with."""
        super().__init__()
        self.source = WholeList(self._read, lambda row: tuple(row[each] for each in self.KEY))
        self.table = WindowTable(
            self.COLUMNS,
            empty=self.EMPTY,
            noun=self.NOUN,
            rest_ms=session.settings.console.detail_delay_ms,
            clock=session.now,
            id="rows",
        )
        self.facts_view = LinesView(id="facts")
        self.board = ChartBoard(id="charts")
        self.window = Window.HOUR
        self.is_detailed = False
        self._wanted = name
        self._charted: tuple[str | None, Window] | None = None
        self._charts_at = self._refreshed_at = float("-inf")
        self._timer: Timer | None = None
        self._fade: Timer | None = None

    def above(self) -> Iterable[Widget]:
        """Between the line and the table."""
        return ()

    def body(self) -> Iterable[Widget]:
        yield LineView(id="line")
        yield from self.above()
        yield Container(self.table, Vertical(self.facts_view, self.board, id="below"), id="split")

    def handlers(self) -> Mapping[str, Handler]:
        table = self.table
        return {
            "down": table.action_down,
            "up": table.action_up,
            "top": table.action_top,
            "bottom": table.action_bottom,
            "page-down": table.action_page_down,
            "page-up": table.action_page_up,
            "open": self.toggle_detail,
            "clear": self.clear,
            "copy": self.copy,
            "reload": self.reload,
            "detail-down": lambda: self._scroll(1),
            "detail-up": lambda: self._scroll(-1),
            "window": self.next_window,
            "chart-next": lambda: self._turn(1),
            "chart-previous": lambda: self._turn(-1),
        }

    def current_row(self) -> Row | None:
        return self.table.cursor_row

    @property
    def is_looking(self) -> bool:
        """Whether the engine is being asked, or will be in a moment."""
        return self._timer is not None or any(each.node is self and not each.is_finished for each in self.workers)

    @property
    def is_fading(self) -> bool:
        """Whether figures of the last minutes are looked at again, though nobody says that they are different."""
        return self._fade is not None

    # Showing

    def on_mount(self) -> None:
        self.table.retry_hint = f"{self.key('reload')} tries again"
        self.board.turn_hint = f"{self.key('chart-next')} next"
        # A short list leaves a tall terminal empty, unless the charts are there.
        self.is_detailed = self.console.session.state.detail or self.size.height >= TALL
        self.set_class(self.is_detailed, "-detail")
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.tell_line()
        if self.console.session.client is not None:
            self.show_rows()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.call_after_refresh(self._share)
        self.paint_facts()

    def show_rows(self) -> None:
        cursor = self.table.cursor_id
        if self._wanted is not None and len(self.KEY) == 1:
            cursor, self._wanted = self.source.number((self._wanted,)), None
        self.table.show(self.source, cursor_id=cursor, keep=True)

    def go_to_name(self, name: str) -> None:
        """The cursor on a row that is shown already."""
        if not self.table.go_to(self.source.number((name,))):
            self.notice(f"There is no {name} here.", "warning")

    async def _read(self) -> Sequence[Row]:
        rows = await self.read()
        self._refreshed_at = time.monotonic()
        return rows

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.reload()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] in (self.NEWS, Message.RESYNC):
            self.soon()

    def soon(self) -> None:
        """Look again, but not more often than once a second."""
        if self._timer is None:
            wait = self._refreshed_at + FIGURES_INTERVAL_SECONDS - time.monotonic()
            self._timer = self.set_timer(max(wait, 0.05), self._look_again)

    async def _look_again(self) -> None:
        self._timer = None
        if self.console.session.client is None or self.console.session.lost:
            return
        try:
            moved = await self.source.refresh()
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        if moved:
            self.show_rows()
        else:
            await self.table.patch(self.source.rows)
        self._say_all()
        if time.monotonic() - self._charts_at >= CHARTS_SECONDS:
            self._chart()

    def _fade_later(self) -> None:
        """What is shown of the last minutes is looked at again, until there is nothing left of it."""
        seconds = 0.0
        if any(self.fades(row) for row in self.source.rows):
            seconds = FADE_SECONDS
        elif self.is_detailed and self.board.has_lines:
            seconds = max(FADE_SECONDS, self.board.step / SECOND)
        if self._fade is not None and not seconds:
            self._fade.stop()
            self._fade = None
        elif self._fade is None and seconds:
            self._fade = self.set_timer(seconds, self._faded)

    def _faded(self) -> None:
        self._fade = None
        self.soon()

    def _share(self) -> None:
        """A short list leaves its room to the charts; a long one has a little less than half."""
        if not self.is_mounted:
            return
        styles = self.table.styles
        if not self.is_detailed or self.has_class("-beside") or not self.source.rows:
            styles.height = "1fr"
            return
        room = self.query_one("#split").size.height
        styles.height = min(len(self.source.rows) + HEADER + 1, max(4, room * 9 // 20))

    def _say_all(self) -> None:
        self._share()
        self.refreshed()
        self.chrome()
        self.tell_line()
        self.paint_facts()
        self._fade_later()

    def tell_line(self) -> None:
        if self.is_mounted:
            row = self.current_row()
            said = self.window_words() if self.is_detailed else self.say_of(row) if row is not None else []
            self.query_one("#line", LineView).show(said)

    # What is under the cursor

    def on_window_table_count_known(self) -> None:
        self._say_all()

    def on_window_table_cursor_rested(self, _event: CursorRested) -> None:
        self._say_all()
        if self._charted != (self.charted_queue(), self.window):
            self._chart()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_opened(self) -> None:
        self.toggle_detail()

    def paint_facts(self) -> None:
        """Also after a resize: the words are wrapped to the pane."""
        if not self.is_mounted or not self.is_detailed:
            return
        row = self.current_row()
        cells = self.facts_view.content_size.width or self.size.width - 2
        lines = self.facts(row, cells, brief=self.size.height < TALL) if row is not None else []
        self.facts_view.show(lines, keep=True)

    def _chart(self) -> None:
        if self.is_detailed and self.is_mounted:
            self.run_worker(self._fetch_charts(), group="charts", exclusive=True)

    async def _fetch_charts(self) -> None:
        session, wanted = self.console.session, (self.charted_queue(), self.window)
        if session.client is None:
            return
        late = self.set_timer(0.01 if self.board.is_empty else PATIENCE_SECONDS, self._say_loading)
        try:
            plots = await series.fetch(session.client, self.window, wanted[0], session.now())
        except FAILURES as error:
            self.board.say(sentence(error))
            return
        finally:
            late.stop()
        self._charted, self._charts_at = wanted, time.monotonic()
        self.board.show_plots(plots)
        self._fade_later()

    def _say_loading(self) -> None:
        if self._charted != (self.charted_queue(), self.window):
            self.board.say("Loading the charts…")

    # Commands

    def toggle_detail(self) -> None:
        self.is_detailed = self.console.session.state.detail = not self.is_detailed
        self.set_class(self.is_detailed, "-detail")
        self._say_all()
        self.call_after_refresh(self.paint_facts)
        self._chart()

    def clear(self) -> None:
        if self.is_detailed:
            self.toggle_detail()
        else:
            self.console.show_queue()

    def reload(self) -> None:
        self.source.forget()
        self.show_rows()
        self._chart()

    def next_window(self) -> None:
        if not self.is_detailed:
            self.toggle_detail()
            return
        self.window = series.after(self.window)
        self.tell_line()
        self._chart()

    def window_words(self) -> Line:
        """Which time the charts show, and how to change it."""
        return [
            ("   charts of the last ", "muted"),
            (series.said(self.window), "title"),
            ("   ", ""),
            (self.key("window"), "key"),
            (f" {series.said(series.after(self.window))} ", "muted"),
        ]

    def _turn(self, by: int) -> None:
        if not self.is_detailed:
            self.notice(f"There are no charts; {self.key('open')} opens them.")
        elif not self.board.turn(by):
            self.notice("All charts are on the screen.")

    def _scroll(self, direction: int) -> None:
        if self.is_detailed:
            self.facts_view.scroll_lines(direction * max(1, self.facts_view.size.height - 1))
        else:
            self.notice(f"There is no detail pane; {self.key('open')} opens it.")

    def copy(self) -> None:
        row = self.current_row()
        if row is None:
            self.notice("Nothing to copy: no row under the cursor.")
        else:
            self.console.copy_text(str(row["name"]), str(row["name"]))

    def carry_out(self, work: Coroutine[Any, Any, None]) -> None:
        """Something the engine may refuse; its sentence is shown."""
        self.run_worker(self._told(work), group="acting")

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except FAILURES as error:
            self.notice(sentence(error), "error")
