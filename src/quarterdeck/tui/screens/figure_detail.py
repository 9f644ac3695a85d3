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
from quarterdeck.tui.screens.short_detail import TALL, ShortDetail
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.chart_board import ChartBoard

if TYPE_CHECKING:
    from quarterdeck.tui.screens.figures import FiguresScreen

__all__ = ["TALL", "FigureDetail"]
CHARTS_SECONDS = 5.0  # what they show is counted in minutes
PATIENCE_SECONDS = 0.3


class FigureDetail(ShortDetail):
    """Charts stay while the engine cannot be asked, and give way to a word when they are of something else."""

    screen: FiguresScreen

    def __init__(self, screen: FiguresScreen) -> None:
        super().__init__(screen)
        self.board = ChartBoard(id="charts")
        self.window = Window.HOUR
        self._shown: tuple[str | None, Window] | None = None  # what the charts are of
        self._fetched_at = float("-inf")

    def pane(self) -> Widget:
        return Vertical(self.facts, self.board, id="below")

    def begin(self) -> None:
        self.board.turn_hint = f"{self.screen.key('chart-next')} next"
        super().begin()

    @property
    def fades_after(self) -> float:
        """Seconds after which the charts are out of date though nothing new happens; 0 where they are empty."""
        return self.board.step / SECOND if self.is_open and self.board.has_lines else 0.0

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
