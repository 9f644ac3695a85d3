"""A dialog for what the engine finds out when it is asked: a sentence while it works, then a chart and lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from textual.app import ComposeResult

from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.dialog import Dialog, Middle
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.widgets.chart_board import ChartBoard
from quarterdeck.tui.widgets.chart_data import Plot
from quarterdeck.tui.widgets.lines import LinesView

_KEYS = {"j": "down", "k": "up", "space": "pagedown"}


class Found(NamedTuple):
    lines: Sequence[Line]
    plot: Plot | None = None


class AnswerDialog(Dialog[None]):
    """`ask` is given how many cells a line has. It may raise Problem and Unreachable."""

    SCROLLS = True
    IS_QUESTION = False
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    AnswerDialog ChartBoard { height: 9; margin-bottom: 1; display: none; }
    AnswerDialog.-chart ChartBoard { display: block; }
    """

    def __init__(self, title: Line, waiting: str, ask: Callable[[int], Awaitable[Found]]) -> None:
        super().__init__()
        self._title, self._waiting, self._ask = title, waiting, ask
        self._board, self._lines = ChartBoard(), LinesView()

    def body(self) -> ComposeResult:
        yield self._board
        yield self._lines

    def on_mount(self) -> None:
        self.say_title(self._title)
        self._lines.show([[(self._waiting, "muted")]])
        self.say_keys([("esc", "key"), (" closes", "muted")])
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self._find_out(), group="asking")

    async def _find_out(self) -> None:
        cells = max(self._lines.content_size.width - 1, 20)
        try:
            found = await self._ask(cells)
        except FAILURES as error:
            self._lines.show(wrap(sentence(error), cells, "error"))
            return
        if found.plot is not None:
            self.add_class("-chart")
            self._board.show_plots([found.plot])
        self._lines.show(list(found.lines))
        self.call_after_refresh(self._say_keys)

    def _say_keys(self) -> None:
        scrolls = self.query_one(Middle).max_scroll_y
        keys: Line = [("j k", "key"), (" scroll · ", "muted")] if scrolls else []
        self.say_keys([*keys, ("esc", "key"), (" closes", "muted")])

    def press(self, key: str) -> bool:
        if key in ("enter", "q"):
            self.dismiss(None)
            return True
        return super().press(_KEYS.get(key, key))
