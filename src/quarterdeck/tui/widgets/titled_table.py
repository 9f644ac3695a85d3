"""A table under a line that says what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.containers import Vertical
from textual.widget import Widget

from quarterdeck.tui.format import count
from quarterdeck.tui.session import Session
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.rows import Column
from quarterdeck.tui.widgets.window_table import WindowTable


class TitledTable(Vertical):
    """`noun`: what its rows are, after their number; `one`: after a 1, where that is another word."""

    DEFAULT_CSS = "TitledTable { width: 1fr; height: 1fr; }"

    def __init__(
        self, session: Session, columns: Sequence[Column], empty: str, noun: str, id: str, one: str = ""
    ) -> None:
        super().__init__(id=id)
        self.heading = LineView()
        self.noun, self.one = noun, one
        self.table = WindowTable(
            columns, empty=empty, noun=noun, page_cache=session.settings.console.page_cache, clock=session.now
        )

    def compose(self) -> Iterable[Widget]:
        yield self.heading
        yield self.table

    def counted(self, *, more: bool = False) -> str:
        """`38 at risk`; the noun alone where the number is not known."""
        number = self.table.position[1]
        noun = self.one if number == 1 and self.one else self.noun
        return noun if number is None else f"{count(number, more=more)} {noun}"
