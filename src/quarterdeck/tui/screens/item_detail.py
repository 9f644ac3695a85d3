"""The detail pane of the queue: it follows what is under the cursor, and fetches the rest of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.operations import items
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.detail_pane import DetailPane

if TYPE_CHECKING:
    from quarterdeck.tui.screens.queue import QueueScreen

Row = Mapping[str, Any]
_EVENTS = 100


class ItemDetail:
    """What the list knows of an item shows at once; body, fields and timeline when they arrive."""

    def __init__(self, screen: QueueScreen) -> None:
        self._screen = screen
        self.pane = DetailPane(id="detail")
        self._shown: tuple[Row, list[Row] | None] | None = None
        self._painted: int | None = None

    @property
    def is_open(self) -> bool:
        return self._screen.console.session.state.detail

    def toggle(self) -> None:
        self.open(not self.is_open)

    def open(self, wanted: bool = True) -> None:
        self._screen.console.session.state.detail = wanted
        self._screen.set_class(wanted, "-detail")
        self._screen.chrome()
        self.refresh()

    def scroll(self, direction: int) -> None:
        if self.is_open:
            self.pane.scroll_lines(direction * max(1, self.pane.size.height - 2))
        else:
            self._screen.notice(f"There is no detail pane; {self._screen.key('open')} opens it.")

    def forget(self) -> None:
        self._shown = None
        self.pane.show([])

    def refresh(self) -> None:
        """Show what is under the cursor now."""
        if not self.is_open:
            return
        row = self._screen.current_row()
        if row is None:
            self._shown = None
            self.pane.show([[("Nothing under the cursor.", "muted")]])
            return
        if self._shown is None or self._shown[0]["id"] != row["id"]:
            self._shown = (row, None)
            self.paint()
        self._screen.run_worker(self._fetch(int(row["id"])), group="detail", exclusive=True)

    async def _fetch(self, item_id: int) -> None:
        client, resource = self._screen.console.session.client, self._screen.resource
        if client is None:
            return
        try:
            item, page = await asyncio.gather(
                client.call(items.SHOW, resource=resource, id=item_id),
                client.call(items.EVENTS, query={"limit": _EVENTS}, resource=resource, id=item_id),
            )
        except FAILURES as error:
            self._screen.notice(sentence(error), "error")
            return
        row = self._screen.current_row()
        if row is not None and row["id"] == item_id:
            self._shown = (item, page["items"])
            self.paint()

    def paint(self) -> None:
        """Also after a resize: the words are wrapped to the pane."""
        if self._shown is None or not self._screen.is_mounted:
            return
        from quarterdeck.tui.detail import item_lines

        item, events = self._shown
        known, self._painted = self._painted == item["id"], item["id"]
        session = self._screen.console.session
        lines = item_lines(
            item,
            events,
            cells=self.pane.content_size.width or 40,
            now=session.now(),
            glyphs=look_of(self._screen.app).glyphs,
            mine=session.actor,
            more_events=events is not None and len(events) >= _EVENTS,
        )
        self.pane.show(lines, keep=known)
