"""What queues and workers share: a short list that is kept up to date, and charts of what is under the cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.timer import Timer

from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.figure_detail import FigureDetail
from quarterdeck.tui.screens.short_list import ShortListScreen
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line

Row = Mapping[str, Any]
# Figures of the last minutes shrink when nothing happens any more, and nobody says so.
FADE_SECONDS = 60.0


class FiguresScreen(ShortListScreen):
    DEFAULT_CSS = "FiguresScreen #facts { height: auto; max-height: 45%; }"
    LABELS: ClassVar[Mapping[str, str]] = {"open": "Charts"}
    detail: FigureDetail

    # What a subclass says

    def charted_queue(self) -> str | None:
        """Whose charts are shown; None for all queues together."""
        return None

    def fades(self, row: Row) -> bool:
        """Whether figures of this row shrink with the time alone."""
        raise NotImplementedError

    # What it is made of

    def __init__(self, session: Session, name: str | None = None) -> None:
        """`name`: the row to begin with."""
        super().__init__(session, name)
        self._fade: Timer | None = None

    def make_detail(self) -> FigureDetail:
        return FigureDetail(self)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "window": self.detail.next_window,
            "chart-next": lambda: self.detail.turn(1),
            "chart-previous": lambda: self.detail.turn(-1),
        }

    @property
    def is_fading(self) -> bool:
        """Whether figures of the last minutes are looked at again, though nobody says that they are different."""
        return self._fade is not None

    # Showing

    def fade_later(self) -> None:
        """What is shown of the last minutes is looked at again, until there is nothing left of it."""
        seconds = 0.0
        if any(self.fades(row) for row in self.source.rows):
            seconds = FADE_SECONDS
        elif self.detail.fades_after:
            seconds = max(FADE_SECONDS, self.detail.fades_after)
        if self._fade is not None and not seconds:
            self._fade.stop()
            self._fade = None
        elif self._fade is None and seconds:
            self._fade = self.set_timer(seconds, self._faded)

    def _faded(self) -> None:
        self._fade = None
        self.soon()

    def say_all(self) -> None:
        super().say_all()
        self.fade_later()

    def line_words(self, row: Row | None) -> Line:
        return self.detail.window_words() if self.detail.is_open else super().line_words(row)
