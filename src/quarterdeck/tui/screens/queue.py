"""The queue: what is to be done, in the order in which it should be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from textual.containers import Container
from textual.widget import Widget

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import bulk, items
from quarterdeck.tui.columns import ITEM_COLUMNS
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count
from quarterdeck.tui.live_rows import LiveRows
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.session import Session
from quarterdeck.tui.sources import ItemSource
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import SORTS, View
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.detail_pane import DetailPane
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.table_messages import CountKnown, CursorRested, FetchFailed, Refused
from quarterdeck.tui.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from quarterdeck.tui.screens.acting import Acting

Row = Mapping[str, Any]
BESIDE = 120
_SORT_WORDS = {
    "priority": "most pressing first",
    "-priority": "least pressing first",
    "due": "due first",
    "-due": "due last",
    "created": "oldest first",
    "-created": "newest first",
    "updated": "longest untouched first",
    "-updated": "just changed first",
}
_COLUMN_OF_SORT = {"priority": "priority", "due": "due", "created": "age"}


class QueueScreen(ConsoleScreen):
    """One queue. Filter, sort and cursor of each queue are kept in the session's state."""

    DEFAULT_CSS = """
    QueueScreen #split { layout: vertical; height: 1fr; }
    QueueScreen.-beside #split { layout: horizontal; }
    QueueScreen WindowTable { width: 1fr; height: 1fr; }
    """

    LABELS = {"back": "Leave"}

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.resource = session.state.resource
        console = session.settings.console
        self.table = WindowTable(
            ITEM_COLUMNS,
            noun="items",
            page_cache=console.page_cache,
            rest_ms=console.detail_delay_ms,
            clock=session.now,
            id="items",
        )
        self.pane = DetailPane(id="detail")
        self.source: ItemSource | None = None
        self.total: int | None = None
        self.pinned: Row | None = None  # what claim-next gave, until the cursor moves
        self._pinned_at: int | None = None  # where the cursor stood then
        self._shown_item: tuple[Row, list[Row] | None] | None = None
        self._painted: int | None = None
        self._acting: Acting | None = None
        self.live = LiveRows(self)

    # What it is made of

    @property
    def place(self) -> Resource:
        return self.resource

    @property
    def view(self) -> View:
        return self.console.session.state.view(self.resource)

    def body(self) -> Iterable[Widget]:
        yield LineView(id="filter")
        yield Container(self.table, self.pane, id="split")

    def breadcrumb(self) -> tuple[Line, Line]:
        return self.console.place_line(str(self.resource), self.view.sort), self._counts()

    def handlers(self) -> Mapping[str, Handler]:
        table = self.table
        return {
            "down": table.action_down,
            "up": table.action_up,
            "top": table.action_top,
            "bottom": table.action_bottom,
            "page-down": table.action_page_down,
            "page-up": table.action_page_up,
            "mark": table.action_mark,
            "range": table.action_range,
            "mark-all": table.action_mark_all,
            "clear": self.clear,
            "open": self.toggle_detail,
            "detail-down": lambda: self._scroll_detail(1),
            "detail-up": lambda: self._scroll_detail(-1),
            "copy": self.copy,
            "reload": self.reload,
            "filter": self.edit_filter,
            "sort": self.choose_sort,
            "bring-in": table.bring_in_new,
            "claim-next": lambda: self.acting.claim_next(),
            "skip": lambda: self.acting.skip(),
            "undo": lambda: self.acting.undo(),
        }

    @property
    def acting(self) -> Acting:
        """Dialogs and forms are imported when something is done: none is needed for the first rows."""
        if self._acting is None:
            from quarterdeck.tui.screens.acting import Acting

            self._acting = Acting(self)
        return self._acting

    def current_row(self) -> Row | None:
        return self.pinned or self.table.cursor_row

    def marked(self) -> int:
        marks = self.table.marks
        known = marks.count(self.total)
        return known if known is not None else int(bool(marks))

    async def act(self, action: Action, opened_with: str) -> None:
        self.acting.start(action, opened_with)

    # Showing

    def on_mount(self) -> None:
        session = self.console.session
        self.table.new_hint = f"{session.keymap.key('bring-in')} brings them in"
        self.table.retry_hint = f"{session.keymap.key('reload')} tries again"
        self.set_class(session.state.detail, "-detail")
        self.set_class(self.size.width >= BESIDE, "-beside")
        self._filter_line()
        if self.console.session.client is not None:
            self.show_rows(cursor_id=self.view.cursor)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self._paint_detail()

    def show_rows(self, *, cursor_id: int | None = None, keep: bool = False) -> None:
        """Ask the engine for what filter and sort say."""
        view, session = self.view, self.console.session
        self.source = ItemSource(lambda: session.client, self.resource, view.filter, view.sort)
        self.total = None
        self.pinned = None
        self.table.empty = self._empty()
        self.table.sorted_by = _COLUMN_OF_SORT.get(view.sort.lstrip("-"), "")
        self.table.descending = view.sort.startswith("-")
        self.set_class(self.console.session.state.detail, "-detail")
        self.table.show(self.source, cursor_id=cursor_id, keep=keep)
        self._filter_line()
        self.chrome()

    def go(self, resource: Resource, filter_: str | None) -> None:
        """Another queue, or another filter on this one."""
        self.remember()
        self.resource = resource
        self.console.session.state.resource = resource
        if filter_ is not None:
            self.view.filter = filter_
        self.table.marks.clear()
        self.table.marks_changed()
        self._shown_item = None
        self.pane.show([])
        if self.console.session.client is not None:
            self.show_rows(cursor_id=self.view.cursor)

    def remember(self) -> None:
        """Put where we are into the state."""
        self.view.cursor = self.table.cursor_id
        self.console.session.state.screen = "queue"

    def on_link(self) -> None:
        self.chrome()
        if self.console.session.lost:
            return
        if self.source is None:
            self.show_rows(cursor_id=self.view.cursor)
        else:
            self.table.refetch_visible()
            self.table.retry()
            self.live.recount()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] == Message.RESYNC or (
            message["type"] == Message.ITEMS_CHANGED and message["resource"] == self.resource
        ):
            self.live.heard(message)

    def _empty(self) -> str:
        if self.view.filter:
            return "Nothing matches this filter. Press / to change it, or esc to clear it."
        return f"The queue {self.resource} is empty. Fill it with: qd import {self.resource} FILE --mapping MAP.toml"

    def _filter_line(self) -> None:
        text = self.view.filter
        hint = f"{self.console.session.keymap.key('filter')} filters, for example status:open assignee:me"
        self.query_one("#filter", LineView).show(
            [(" / ", "accent"), (safe(text), "")] if text else [(f" {hint}", "faint")]
        )

    def _counts(self) -> Line:
        line: Line = []
        marks = self.marked()
        if marks:
            hidden = self.table.hidden_marks
            line.append((f"{count(marks)} marked", "accent"))
            if hidden:
                line.append((f" ({count(hidden)} hidden)", "warning"))
            line.append(("  ", ""))
        if self.total is not None:
            line.append((f"{count(self.total)} matching ", "muted"))
        return line

    # Items that changed by our own hand

    def item_changed(self, item: Row) -> None:
        """What an action answered: at once, without waiting for the news of it."""
        if self.pinned is not None and self.pinned["id"] == item["id"]:
            self.pinned = item
        self.run_worker(self.table.patch([item]), group="patch")
        self.live.recount()
        self.chrome()
        self.refresh_detail()

    def pin(self, item: Row) -> None:
        """Show an item that the table may not: what claim-next gave. It stays until the cursor moves."""
        if not self.table.go_to(int(item["id"])):
            self.pinned, self._pinned_at = item, self.table.cursor_id
        self.console.session.state.detail = True
        self.set_class(True, "-detail")
        self.chrome()
        self.refresh_detail()

    def mark_failures(self, operation: Mapping[str, Any]) -> None:
        """Rows that failed keep their mark."""
        if operation["resource"] == self.resource and not self.table.marks:
            self.run_worker(self._mark_failures(int(operation["id"])), group="failures", exclusive=True)

    async def _mark_failures(self, number: int) -> None:
        query = {"outcome": "failed", "limit": 1_000}
        try:
            found = await self.console.session.client.call(bulk.ITEMS, query=query, id=number)
        except FAILURES:
            return  # the operations screen lists them
        if not self.table.marks:
            self.table.marks.add(row["item_id"] for row in found["items"])
            self.table.marks_changed()

    # What the table says

    def on_window_table_count_known(self, event: CountKnown) -> None:
        self.live.counted(self.total, event.total)
        self.total = event.total
        self.chrome()

    def on_window_table_marks_changed(self) -> None:
        self.chrome()

    def on_window_table_refused(self, event: Refused) -> None:
        self.notice(event.sentence, "warning")

    def on_window_table_opened(self) -> None:
        self.toggle_detail()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_cursor_rested(self, event: CursorRested) -> None:
        if self.pinned is not None and event.row is not None and event.row["id"] != self._pinned_at:
            self.pinned = None
        self.chrome()
        self.refresh_detail()

    # Detail

    def toggle_detail(self) -> None:
        state = self.console.session.state
        state.detail = not state.detail
        self.set_class(state.detail, "-detail")
        if state.detail:
            self.refresh_detail()
        self.chrome()

    def _scroll_detail(self, direction: int) -> None:
        if not self.console.session.state.detail:
            self.notice(f"There is no detail pane; {self.console.session.keymap.key('open')} opens it.")
            return
        self.pane.scroll_lines(direction * max(1, self.pane.size.height - 2))

    def refresh_detail(self) -> None:
        """Show what is under the cursor, and fetch the rest of it."""
        row = self.current_row()
        if not self.console.session.state.detail:
            return
        if row is None:
            self._shown_item = None
            self.pane.show([[("Nothing under the cursor.", "muted")]])
            return
        known = self._shown_item
        if known is None or known[0]["id"] != row["id"]:
            self._shown_item = (row, None)
            self._paint_detail()
        self.run_worker(self._fetch_detail(int(row["id"])), group="detail", exclusive=True)

    async def _fetch_detail(self, item_id: int) -> None:
        client = self.console.session.client
        if client is None:
            return
        try:
            item, page = await asyncio.gather(
                client.call(items.SHOW, resource=self.resource, id=item_id),
                client.call(items.EVENTS, query={"limit": 100}, resource=self.resource, id=item_id),
            )
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        row = self.current_row()
        if row is not None and row["id"] == item_id:
            self._shown_item = (item, page["items"])
            self._paint_detail()

    def _paint_detail(self) -> None:
        if self._shown_item is None or not self.is_mounted:
            return
        from quarterdeck.tui.detail import item_lines

        item, events = self._shown_item
        cells = self.pane.content_size.width or 40
        known, self._painted = self._painted == item["id"], item["id"]
        self.pane.show(
            item_lines(
                item,
                events,
                cells=cells,
                now=self.console.session.now(),
                glyphs=look_of(self.app).glyphs,
                mine=self.console.session.actor,
                more_events=bool(events) and len(events or ()) >= 100,
            ),
            keep=known,
        )

    # Commands

    def clear(self) -> None:
        """Esc: the range, then the marks, then the filter, one at a time."""
        if self.table.action_clear():
            self.chrome()
        elif self.view.filter:
            self.view.filter = ""
            self.show_rows(cursor_id=self.table.cursor_id)
        else:
            self.notice("Nothing to clear: no range, no marks, no filter.")

    def reload(self) -> None:
        self.show_rows(cursor_id=self.table.cursor_id, keep=True)

    def copy(self) -> None:
        marks = self.table.marks
        if marks.all_matching:
            self.notice("Copying all that match is a job for: qd export. Here, esc clears the marks.", "warning")
            return
        row = self.current_row()
        if marks.ids:
            self.console.copy_text("\n".join(map(str, sorted(marks.ids))), f"{count(len(marks.ids))} ids")
        elif row is not None:
            text = str(row.get("external_id") or row["id"])
            self.console.copy_text(text, text)
        else:
            self.notice("Nothing to copy: no row under the cursor.")

    @property
    def is_opening(self) -> bool:
        return any(not editor.has_focus_within for editor in self.query("FilterEditor"))

    def edit_filter(self) -> None:
        from quarterdeck.tui.widgets.filter_editor import FilterEditor

        if self.query(FilterEditor):
            return
        editor = FilterEditor(self.view.filter, self.resource, self.console.session.known_values(self.resource))
        self.mount(editor)
        self.run_worker(self._learn_values(editor), group="values", exclusive=True)

    async def _learn_values(self, editor: Any) -> None:
        try:
            known = await self.console.session.learn_values(self.resource)
        except FAILURES:
            return  # completion goes on with the words of the grammar; the tray says what is wrong
        if editor.is_attached:
            editor.knows(known)

    def on_filter_editor_applied(self, event: Any) -> None:
        self._close_editor()
        if event.text != self.view.filter:
            self.view.filter = event.text
            self.show_rows()
            self.console.remember()

    def on_filter_editor_left(self) -> None:
        self._close_editor()

    def _close_editor(self) -> None:
        self.query("FilterEditor").remove()
        self.table.focus()

    def choose_sort(self) -> None:
        from quarterdeck.tui.screens.picker import Option, Picker

        def chosen(sort: str | None) -> None:
            if sort and sort != self.view.sort:
                self.view.sort = sort
                self.show_rows(cursor_id=None)
                self.console.remember()

        options = [Option(key, key, _SORT_WORDS[key]) for key in SORTS]
        self.app.push_screen(Picker("Sort by", options, chosen=self.view.sort), chosen)
