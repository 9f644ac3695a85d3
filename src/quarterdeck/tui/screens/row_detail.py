"""The detail pane of a list: it follows what is under the cursor, and fetches the rest of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.detail_pane import DetailPane

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen

Row = Mapping[str, Any]


class RowDetail(ABC):
    """What the list knows of a row shows at once, the rest when it arrives.

    A subclass fetches the rest and says both in lines.
    """

    def __init__(self, screen: ListScreen) -> None:
        self.screen = screen
        self.pane = DetailPane(id="detail")
        self.pane.resized = self.paint
        self._shown: tuple[Row, Any] | None = None
        self._painted: int | None = None
        self._own = True if screen.visit is not None else None

    @abstractmethod
    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Any]:
        """The whole row, with "id", and what belongs to it. Raises Problem and Unreachable."""

    @abstractmethod
    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        """`rest` None: on its way; then `row` is as the list knows it."""

    @property
    def is_open(self) -> bool:
        """Every list has it, or none; a visit has its own, which is open at first."""
        return self._own if self._own is not None else self.screen.console.session.state.detail

    def toggle(self) -> None:
        self.open(not self.is_open)

    def open(self, wanted: bool = True) -> None:
        if self._own is not None:
            self._own = wanted
        else:
            self.screen.console.session.state.detail = wanted
        self.screen.set_class(wanted, "-detail")
        self.screen.chrome()
        self.refresh()

    def scroll(self, direction: int) -> None:
        if self.is_open:
            self.pane.scroll_lines(direction * max(1, self.pane.size.height - 2))
        else:
            self.screen.notice(f"There is no detail pane; {self.screen.key('open')} opens it.")

    def forget(self) -> None:
        self._shown = None
        self.pane.show([])

    def refresh(self) -> None:
        """Show what is under the cursor now."""
        if not self.is_open:
            return
        row = self.screen.current_row()
        if row is None:
            self._shown = None
            self.pane.show([[("Nothing under the cursor.", "muted")]])
            return
        if self._shown is None or self._shown[0]["id"] != row["id"]:
            self._shown = (row, None)
            self.paint()
        number = int(row["id"])

        async def fetch() -> None:
            await self._fetch(number)

        # Not the coroutine itself: a worker that is cancelled before it begins would leave it behind.
        self.screen.run_worker(fetch, group="detail", exclusive=True)  # type: ignore[arg-type]

    async def _fetch(self, row_id: int) -> None:
        client = self.screen.console.session.client
        if client is None:
            return
        try:
            found = await self.fetch(client, row_id)
        except FAILURES as error:
            self.screen.notice(sentence(error), "error")
            return
        row = self.screen.current_row()
        if row is not None and row["id"] == row_id:
            self._shown = found
            self.paint()

    def paint(self) -> None:
        """Also after a resize: the words are wrapped to the pane."""
        if self._shown is None or not self.screen.is_mounted:
            return
        row, rest = self._shown
        known, self._painted = self._painted == row["id"], row["id"]
        self.pane.show(self.lines(row, rest, self.pane.content_size.width or 40), keep=known)
