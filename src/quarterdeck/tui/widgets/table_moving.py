"""The cursor of a table: where keys and the mouse put it."""

from __future__ import annotations

from textual import events

from quarterdeck.tui.widgets import table_messages as messages
from quarterdeck.tui.widgets.page_index import FAR
from quarterdeck.tui.widgets.rows import Row
from quarterdeck.tui.widgets.table_drawing import HEADER, DrawnTable


class MovingTable(DrawnTable):
    """Has no keys of its own: a screen binds the `action_…` methods."""

    # What the layer above does

    def _look(self) -> None:
        """Fetch what is missing around what is on the screen."""
        raise NotImplementedError

    @property
    def cursor_row(self) -> Row | None:
        return self._index.row(self._view.cursor)

    # Keys

    def _limits(self) -> tuple[int, int]:
        return self._index.limits(self._view.cursor)

    def _go(self, position: int) -> None:
        self._view.move_to(position, *self._limits())
        self._moved()

    def _moved(self) -> None:
        self._look()
        self._sync()

    def go_to(self, row_id: int) -> bool:
        """The cursor on a row, if it is one of those in memory. Returns whether it is."""
        found = self._index.position_of(row_id)
        if found is not None:
            self._go(found)
        return found is not None

    def action_down(self) -> None:
        self._go(self._view.cursor + 1)

    def action_up(self) -> None:
        self._go(self._view.cursor - 1)

    def action_top(self) -> None:
        self._view.cursor = self._view.top = 0
        self._moved()

    def action_bottom(self) -> None:
        end = FAR if self._index.total is None else self._index.total
        self._view.cursor, self._view.top = max(0, end - 1), max(0, end - self._view.height)
        self._moved()

    def action_page_down(self) -> None:
        self._view.page(1, *self._limits())
        self._moved()

    def action_page_up(self) -> None:
        self._view.page(-1, *self._limits())
        self._moved()

    def action_open(self) -> None:
        if (row := self.cursor_row) is not None:
            self.post_message(messages.Opened(row))

    # Mouse

    def on_click(self, event: events.Click) -> None:
        if event.y < HEADER or self._says() is not None:
            return
        self._go(self._view.top + event.y - HEADER)
        if event.chain == 2:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._wheel(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._wheel(-3)

    def _wheel(self, lines: int) -> None:
        self._view.scroll(lines, *self._limits())
        self._moved()
