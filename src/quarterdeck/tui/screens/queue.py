"""The queue: what is to be done, in the order in which it should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.containers import Container
from textual.widget import Widget

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import bulk
from quarterdeck.tui.columns import ITEM_COLUMNS
from quarterdeck.tui.failures import FAILURES
from quarterdeck.tui.format import count
from quarterdeck.tui.live_rows import LiveRows
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.screens.item_detail import ItemDetail
from quarterdeck.tui.screens.narrowing import Narrowing
from quarterdeck.tui.session import Session
from quarterdeck.tui.sources import ItemSource
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import View
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.table_messages import CountKnown, CursorRested, FetchFailed, Refused
from quarterdeck.tui.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from quarterdeck.tui.screens.acting import Acting

Row = Mapping[str, Any]
BESIDE = 120
_COLUMN_OF_SORT = {"priority": "priority", "due": "due", "created": "age"}


class Visit(NamedTuple):
    """A look at one item: where it leads back to, and the filter of the queue the item is in."""

    resource: Resource
    filter: str
    cursor: int | None
    there: Resource
    filter_there: str


class QueueScreen(ConsoleScreen):
    """One queue. Filter, sort and cursor of each queue are kept in the session's state."""

    DEFAULT_CSS = """
    QueueScreen #split { layout: vertical; height: 1fr; }
    QueueScreen.-beside #split { layout: horizontal; }
    QueueScreen WindowTable { width: 1fr; height: 1fr; min-height: 4; }
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
        self.detail = ItemDetail(self)
        self.narrowing = Narrowing(self)
        self.source: ItemSource | None = None
        self.total: int | None = None
        self._marked_total: int | None = None  # how many matched when all were marked
        self._marks_age = False  # whether the next count is to be that of the marks too
        self.pinned: Row | None = None  # what claim-next gave, until the cursor moves
        self._pinned_at: int | None = None  # where the cursor stood then
        self.visiting: Visit | None = None
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
        yield Container(self.table, self.detail.pane, id="split")

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
            "mark-all": self.mark_all,
            "clear": self.clear,
            "open": self.detail.toggle,
            "detail-down": lambda: self.detail.scroll(1),
            "detail-up": lambda: self.detail.scroll(-1),
            "copy": self.copy,
            "reload": self.reload,
            "filter": self.narrowing.edit,
            "sort": self.narrowing.choose_sort,
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
        """How many items are marked; at least 1 where some are and the number is not known yet."""
        marks = self.table.marks
        known = marks.count(self._marked_total)
        return known if known is not None else int(bool(marks))

    async def act(self, action: Action, opened_with: str) -> None:
        self.acting.start(action, opened_with)

    # Showing

    def on_mount(self) -> None:
        session = self.console.session
        self.table.new_hint = f"{self.key('bring-in')} brings them in"
        self.table.retry_hint = f"{self.key('reload')} tries again"
        self.table.stale_hint = f"{self.key('reload')} refreshes"
        self.set_class(session.state.detail, "-detail")
        self.set_class(self.size.width >= BESIDE, "-beside")
        self._filter_line()
        if self.console.session.client is not None:
            self.show_rows(cursor_id=self.view.cursor)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.detail.paint()

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

    def go(self, resource: Resource, filter_: str | None, cursor: int | None = None) -> None:
        """Another queue, or another filter on this one."""
        self.remember()
        self.end_visit()
        self.resource = resource
        self.console.session.state.resource = resource
        if filter_ is not None:
            self.view.filter = filter_
        self.table.marks.clear()
        self.table.marks_changed()
        self.detail.forget()
        if self.console.session.client is not None:
            self.show_rows(cursor_id=cursor or self.view.cursor)

    def visit(self, resource: Resource, item_id: int) -> None:
        """One item alone; esc or back leads to where we were."""
        here = Visit(self.resource, self.view.filter, self.table.cursor_id, resource, "")
        before = self.visiting or here
        self.end_visit()
        filter_there = self.console.session.state.view(resource).filter
        self.go(resource, f"id:{item_id}")
        self.visiting = before._replace(there=resource, filter_there=filter_there)

    def leave_visit(self) -> bool:
        """Back from an item that was gone to. Returns whether there was one."""
        visit = self.visiting
        if visit is None:
            return False
        self.go(visit.resource, visit.filter, visit.cursor)
        return True

    def end_visit(self) -> None:
        """The queue of the item has its own filter again."""
        if self.visiting is not None:
            self.console.session.state.view(self.visiting.there).filter = self.visiting.filter_there
            self.visiting = None

    def remember(self) -> None:
        """Put where we are into the state."""
        if self.table.cursor_id is not None:  # before the first rows the remembered one still counts
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
            message["type"] == Message.RESOURCE_CHANGED and message["resource"] == self.resource
        ):
            self.live.heard(message)

    def _empty(self) -> str:
        if self.view.filter:
            return "Nothing matches this filter. Press / to change it, or esc to clear it."
        return f"The queue {self.resource} is empty. Fill it with:\nqd import {self.resource} FILE --mapping MAP.toml"

    def _filter_line(self) -> None:
        news = self.table.news
        right: Line = [(f"{news} ", "notice")] if news else []
        self.query_one("#filter", LineView).show(self.narrowing.line(), right)

    def _counts(self) -> Line:
        line: Line = []
        marks = self.marked()
        if marks:
            hidden = self.table.hidden_marks
            line.append((f"{count(marks)} marked", "accent"))
            if self._counted_before:
                line.append((f" as of {self.key('mark-all')}", "warning"))
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
        self.detail.refresh()

    def pin(self, item: Row) -> None:
        """Show an item that the table may not: what claim-next gave. It stays until the cursor moves."""
        if not self.table.go_to(int(item["id"])):
            self.pinned, self._pinned_at = item, self.table.cursor_id
        self.detail.open()

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
        if self._marks_age:
            self._marks_age, self._marked_total = False, None
        self.on_window_table_marks_changed()

    def on_window_table_marks_changed(self) -> None:
        marks = self.table.marks
        if not marks.all_matching:
            self._marked_total = None
        elif self._marked_total is None and marks.scope == self.view.filter:
            self._marked_total = self.total
        self.chrome()

    def on_window_table_news_changed(self) -> None:
        self._filter_line()

    def on_window_table_refused(self, event: Refused) -> None:
        self.notice(event.sentence, "warning")

    def on_window_table_opened(self) -> None:
        self.detail.toggle()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_cursor_rested(self, event: CursorRested) -> None:
        if self.pinned is not None and event.row is not None and event.row["id"] != self._pinned_at:
            self.pinned = None
        self.chrome()
        self.detail.refresh()

    # Commands

    def clear(self) -> None:
        """Esc: the detail pane, then the range, the marks, the filter, one at a time."""
        if self.detail.is_open:
            self.detail.open(False)
        elif self.table.action_clear():
            self.chrome()
        elif self.leave_visit():
            pass
        elif self.view.filter:
            self.console.session.state.remember_filter(self.view.filter)
            self.view.filter = ""
            self.show_rows(cursor_id=self.table.cursor_id)
            self.notice(f"Filter cleared; {self.key('filter')} then up brings it back.")
        else:
            self.notice("Nothing to clear: no detail pane, no range, no marks, no filter.")

    def mark_all(self) -> None:
        """The count stays what it was at this moment, whatever comes in meanwhile."""
        self._marked_total = None
        self.table.action_mark_all()
        self.on_window_table_marks_changed()

    @property
    def _counted_before(self) -> bool:
        """Whether another number matches now than when all were marked."""
        marks = self.table.marks
        here = marks.all_matching and marks.scope == self.view.filter
        return here and None not in (self.total, self._marked_total) and self.total != self._marked_total

    def reload(self) -> None:
        self._marks_age = True
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
        return self.narrowing.is_opening

    def on_filter_editor_applied(self, event: Any) -> None:
        self.narrowing.apply(event.text)

    def on_filter_editor_left(self) -> None:
        self.narrowing.close()
