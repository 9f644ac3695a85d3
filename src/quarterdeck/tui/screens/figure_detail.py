"""The pane of queues and workers: what there is to say of the row under the cursor, and charts of its work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widget import Widget

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Window
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.queues import series
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.chart_board import ChartBoard
from quarterdeck.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from quarterdeck.tui.screens.figures import FiguresScreen

TALL = 32  # lines of a terminal in which there is room for everything
CHARTS_SECONDS = 5.0  # what they show is counted in minutes
PATIENCE_SECONDS = 0.3


class FigureDetail:
    """Charts stay while the engine cannot be asked, and give way to a word when they are of something else."""

    def __init__(self, screen: FiguresScreen) -> None:
        self.screen = screen
        self.facts = LinesView(id="facts")
        self.board = ChartBoard(id="charts")
        self.window = Window.HOUR
        self.is_open = False
        self._shown: tuple[str | None, Window] | None = None  # what the charts are of
        self._fetched_at = float("-inf")

    def pane(self) -> Widget:
        return Vertical(self.facts, self.board, id="below")

    def begin(self) -> None:
        """A short list leaves a tall terminal empty, unless the charts are there."""
        self.board.turn_hint = f"{self.screen.key('chart-next')} next"
        self.is_open = self.screen.console.session.state.detail or self.screen.size.height >= TALL
        self.screen.set_class(self.is_open, "-detail")

    @property
    def fades_after(self) -> float:
        """Seconds after which the charts are out of date though nothing new happens; 0 where they are empty."""
        return self.board.step / SECOND if self.is_open and self.board.has_lines else 0.0

    # Facts

    def paint(self) -> None:
        """Also after a resize: the words are wrapped to the pane."""
        screen = self.screen
        if not screen.is_mounted or not self.is_open:
            return
        row = screen.current_row()
        cells = self.facts.content_size.width or screen.size.width - 2
        lines = screen.facts(row, cells, brief=screen.size.height < TALL) if row is not None else []
        self.facts.show(lines, keep=True)

    # Charts

    @property
    def _wanted(self) -> tuple[str | None, Window]:
        return self.screen.charted_queue(), self.window

    def follow(self) -> None:
        """The cursor may be on another row."""
        if self._shown != self._wanted:
            self.refresh()

    def keep_up(self) -> None:
        """Something has happened; charts are looked at now and then."""
        if time.monotonic() - self._fetched_at >= CHARTS_SECONDS:
            self.refresh()

    def refresh(self) -> None:
        if self.is_open and self.screen.is_mounted:
            self.screen.run_worker(self._fetch(), group="charts", exclusive=True)

    async def _fetch(self) -> None:
        session, wanted = self.screen.console.session, self._wanted
        if session.client is None:
            return
        late = self.screen.set_timer(0.01 if self.board.is_empty else PATIENCE_SECONDS, self._say_loading)
        try:
            plots = await series.fetch(session.client, self.window, wanted[0], session.now())
        except FAILURES as error:
            if self._shown != wanted:
                self.board.say(sentence(error))
            return
        finally:
            late.stop()
        self._shown, self._fetched_at = wanted, time.monotonic()
        self.board.show_plots(plots)
        self.screen.fade_later()

    def _say_loading(self) -> None:
        if self._shown != self._wanted:
            self.board.say("Loading the charts…")

    # Commands

    def toggle(self) -> None:
        self.is_open = self.screen.console.session.state.detail = not self.is_open
        self.screen.set_class(self.is_open, "-detail")
        self.screen.say_all()
        self.screen.call_after_refresh(self.paint)
        self.refresh()

    def next_window(self) -> None:
        if self.is_open:
            self.window = series.after(self.window)
            self.screen.tell_line()
            self.refresh()
        else:
            self.toggle()

    def window_words(self) -> Line:
        """Which time the charts show, and how to change it."""
        return [
            ("   charts of the last ", "muted"),
            (series.said(self.window), "title"),
            ("   ", ""),
            (self.screen.key("window"), "key"),
            (f" {series.said(series.after(self.window))} ", "muted"),
        ]

    def turn(self, by: int) -> None:
        if not self.is_open:
            self.screen.notice(f"There are no charts; {self.screen.key('open')} opens them.")
        elif not self.board.turn(by):
            self.screen.notice("All charts are on the screen.")

    def scroll(self, direction: int) -> None:
        if self.is_open:
            self.facts.scroll_lines(direction * max(1, self.facts.size.height - 1))
        else:
            self.screen.notice(f"There is no detail pane; {self.screen.key('open')} opens it.")
