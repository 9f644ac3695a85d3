"""A list of one resource: filter, order, marks, counts, live rows, detail pane; or a visit to one row of it.

A screen of runs or dead letters says which columns, where the rows come from, what stands in the detail
pane, and who carries out actions; everything else is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container
from textual.widget import Widget

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import AnyResource, Listed
from quarterdeck.contract.live import Message
from quarterdeck.tui.format import count
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.live_rows import LiveRows
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.screens.marked import Marked
from quarterdeck.tui.screens.moving import moves
from quarterdeck.tui.screens.narrowing import Narrowing
from quarterdeck.tui.screens.row_detail import RowDetail
from quarterdeck.tui.session import Act, Session
from quarterdeck.tui.sources import FilteredSource
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import SORTS, View
from quarterdeck.tui.widgets.lines import LineView
from quarterdeck.tui.widgets.rows import Column
from quarterdeck.tui.widgets.table_messages import CountKnown, CursorRested, FetchFailed, Refused
from quarterdeck.tui.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from quarterdeck.tui.screens.acting import Acting

Row = Mapping[str, Any]
BESIDE = 120


class ListScreen(ConsoleScreen):
    """Filter, sort and cursor of each list are kept in the session's state.

    A visit to one row, or to a part of the list, has its own, and changes nothing of what is kept.
    """

    DEFAULT_CSS = """
    ListScreen #split { layout: vertical; height: 1fr; }
    ListScreen.-beside #split { layout: horizontal; }
    ListScreen WindowTable { width: 1fr; height: 1fr; min-height: 4; }
    ListScreen.-visit.-detail WindowTable { height: 2; min-height: 2; }
    ListScreen.-visit.-detail DetailPane { height: 1fr; }
    ListScreen.-visit.-detail.-beside WindowTable { height: 1fr; }
    """

    # What a subclass says

    NOUN: ClassVar[str] = "rows"
    """What the rows are, many of them."""
    PLACE_WORDS: ClassVar[str] = ""
    """What the breadcrumb calls the list, where it is not the name of the resource."""
    ONE: str = "row"
    """What one row is called."""
    COLUMNS: ClassVar[Sequence[Column]] = ()
    COLUMN_OF_SORT: ClassVar[Mapping[str, str]] = {"due": "due", "created": "age"}
    """Which column shows what the rows are sorted by."""
    EXAMPLE: ClassVar[str] = "status:failed"
    """A filter, for those who have not written one yet."""

    OF_ROWS: ClassVar[Sequence[str]] = ("open", "mark", "range", "mark-all", "copy")
    """Commands that do nothing where there are no rows."""

    OF_MARKED: ClassVar[Sequence[str]] = ("copy",)
    """Commands that are about what is marked, besides actions."""

    def source_of(self, view: View) -> FilteredSource:
        """Where the rows that filter and sort name come from."""
        raise NotImplementedError

    def make_detail(self) -> RowDetail:
        raise NotImplementedError

    def make_acting(self) -> Acting:
        """Who carries out actions; imported when something is done, for the first rows need none of it."""
        raise NotImplementedError

    def empty_words(self) -> str:
        """What an unfiltered list without rows says, and what to do next."""
        raise NotImplementedError

    def gone_words(self) -> str:
        """What a visit says whose row is not there any more."""
        one = f"{self.ONE[:1].upper()}{self.ONE[1:]}"
        return f"{one} #{self.visit} is not there any more. {self.key('clear')} goes back."

    async def learn_values(self) -> Mapping[str, Sequence[str]]:
        """Values that complete a filter or a form. Raises Problem and Unreachable."""
        return {}

    def own_handlers(self) -> Mapping[str, Handler]:
        """Of the commands that only this list has."""
        return {}

    # What it is made of

    def __init__(
        self, session: Session, resource: Listed, *, visit: int | None = None, only: str | None = None
    ) -> None:
        """`visit` shows one row alone, with its detail pane; `only` a part of the list."""
        super().__init__()
        self.resource: Listed = resource
        self.visit = visit
        if visit is not None:
            only = f"id:{visit}"
        self._own = View(only, SORTS[resource][0], visit) if only is not None else None
        console = session.settings.console
        self.table = WindowTable(
            self.COLUMNS,
            noun=self.NOUN,
            page_cache=console.page_cache,
            rest_ms=console.detail_delay_ms,
            clock=session.now,
            id="rows",
        )
        self.detail = self.make_detail()
        self.narrowing = Narrowing(self)
        self.marks = Marked(self)
        self.live = LiveRows(self)
        self.source: FilteredSource | None = None
        self.total: int | None = None
        self._acting: Acting | None = None

    @property
    def place(self) -> Listed:
        return self.resource

    @property
    def view(self) -> View:
        return self._own or self.console.session.state.view(self.resource)

    @property
    def is_kept(self) -> bool:
        """Whether this is the list itself, which the next start comes back to."""
        return self._own is None

    @property
    def is_visit(self) -> bool:
        """Whether one row is shown alone; another filter makes a list of it again."""
        return self.visit is not None and self.view.filter == f"id:{self.visit}"

    def body(self) -> Iterable[Widget]:
        yield LineView(id="filter")
        yield Container(self.table, self.detail.pane, id="split")

    def breadcrumb(self) -> tuple[Line, Line]:
        right = self.marks.line()
        if self.is_visit:
            return self.console.place_line(f"{self.ONE} #{self.visit}"), right
        right += self.searched()
        if self.total is not None:
            right.append((f"{count(self.total, more=self.counted_in_part)} matching ", "muted"))
        return self.console.place_line(self.PLACE_WORDS or str(self.resource), self.view.sort), right

    def searched(self) -> Line:
        """How far a search has come that goes on."""
        return []

    @property
    def counted_in_part(self) -> bool:
        """Whether there may be more than `total`."""
        return False

    def handlers(self) -> Mapping[str, Handler]:
        table = self.table
        return {
            **moves(lambda: self.table),
            "mark": table.action_mark,
            "range": table.action_range,
            "mark-all": self.marks.mark_all,
            "clear": self.clear,
            "open": self.detail.toggle,
            "detail-down": lambda: self.detail.scroll(1),
            "detail-up": lambda: self.detail.scroll(-1),
            "copy": self.copy,
            "reload": self.reload,
            "filter": self.narrowing.edit,
            "sort": self.narrowing.choose_sort,
            "bring-in": table.bring_in_new,
            "templates": lambda: self.acting.from_template(),
            **self.own_handlers(),
        }

    @property
    def acting(self) -> Acting:
        if self._acting is None:
            self._acting = self.make_acting()
        return self._acting

    def current_row(self) -> Row | None:
        return self.table.cursor_row

    def marked(self) -> int:
        return self.marks.number

    def why_not(self, bound: Bound) -> str | None:
        if bound.name in self.OF_ROWS and self.total == 0 and self.current_row() is None and not self.detail.is_open:
            return f"{self.label(bound)} needs {self.NOUN}; there are none here."
        return super().why_not(bound)

    async def do(self, bound: Bound, key: str = "") -> None:
        if (bound.action is None and bound.name not in self.OF_MARKED) or self.table.close_range():
            await super().do(bound, key)

    async def act(self, action: Action, opened_with: str) -> None:
        self.acting.start(action, opened_with)

    # Showing

    def on_mount(self) -> None:
        self.table.new_hint = f"{self.key('bring-in')} brings them in"
        self.table.retry_hint = f"{self.key('reload')} tries again"
        self.table.stale_hint = f"{self.key('reload')} refreshes"
        self.set_class(self.detail.is_open, "-detail")
        self.set_class(self.size.width >= BESIDE, "-beside")
        self._filter_line()
        if self.console.session.client is not None:
            self.show_rows(cursor_id=self.view.cursor)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.detail.paint()

    def show_rows(self, *, cursor_id: int | None = None, keep: bool = False) -> None:
        """Ask the engine for what filter and sort say."""
        view = self.view
        self.source = self.source_of(view)
        self.total = None
        self.table.empty = (
            "Nothing matches this filter. Press / to change it, or esc to clear it."
            if view.filter
            else self.empty_words()
        )
        self.remove_class("-visit")
        if self.is_visit:
            self.table.empty = self.gone_words()
        self.table.sorted_by = self.COLUMN_OF_SORT.get(view.sort.lstrip("-"), "")
        self.table.descending = view.sort.startswith("-")
        self.set_class(self.detail.is_open, "-detail")
        self.table.show(self.source, cursor_id=cursor_id, keep=keep)
        self._filter_line()
        self.chrome()

    def go(self, resource: AnyResource, filter_: str | None, cursor: int | None = None) -> None:
        """Another list, or another filter on this one."""
        self.remember()
        self.resource = resource
        if filter_ is not None:
            self.view.filter = filter_
        self.table.marks.clear()
        self.table.marks_changed()
        self.detail.forget()
        if self.console.session.client is not None:
            self.show_rows(cursor_id=cursor or self.view.cursor)

    def narrow(self, filter_: str) -> None:
        """Another filter on this list."""
        self.console.session.state.remember_filter(filter_)
        self.view.filter = filter_
        self.table.marks.clear()
        self.table.marks_changed()
        self.show_rows()
        self.console.remember()

    def remember(self) -> None:
        if self.table.cursor_id is not None:  # before the first rows the remembered one still counts
            self.view.cursor = self.table.cursor_id

    def on_screen_resume(self) -> None:
        """What was laid over this is gone; meanwhile the pane may have been opened or closed there."""
        if self.is_mounted:
            if self.detail.is_open is not self.has_class("-detail"):
                self.detail.open(self.detail.is_open)
            self.live.catch_up()

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

    def _filter_line(self) -> None:
        news = self.table.news
        right: Line = [(f"{news} ", "notice")] if news else []
        self.query_one("#filter", LineView).show(self.narrowing.line(), right)

    # Rows that changed

    def row_changed(self, row: Row) -> None:
        """What an action answered: at once, without waiting for the news of it."""
        self.run_worker(self.table.patch([row]), group="patch")
        self.live.recount()
        self.chrome()
        self.detail.refresh()

    def taken_back(self, act: Act, row: Row | None) -> None:
        if row is None:
            self.live.look_again()
        elif act.resource == self.resource:
            self.row_changed(row)

    async def current_changed(self) -> None:
        """The row under the cursor is different from what the detail pane says."""
        self.detail.refresh()

    # What the table says

    def on_window_table_count_known(self, event: CountKnown) -> None:
        self.live.counted(self.total, event.total)
        self.total = event.total
        self.set_class(self.is_visit and event.total > 0, "-visit")  # one row; the room is for the pane
        self.marks.changed()

    def on_window_table_marks_changed(self) -> None:
        self.marks.changed()

    def on_window_table_news_changed(self) -> None:
        self._filter_line()

    def on_window_table_refused(self, event: Refused) -> None:
        self.notice(event.sentence, "warning")

    def on_window_table_opened(self) -> None:
        self.detail.toggle()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_cursor_rested(self, event: CursorRested) -> None:
        self.cursor_rested(event.row)
        self.chrome()
        self.detail.refresh()

    def cursor_rested(self, row: Row | None) -> None:
        """The cursor has come to rest on a row."""

    # Commands

    def clear(self) -> None:
        """Esc: the detail pane, then the range, the marks, the filter, one at a time; from a visit, back."""
        if self.is_visit and not self.table.marks:
            self.console.back()
        elif self.detail.is_open:
            self.detail.open(False)
        elif self.table.action_clear():
            self.chrome()
        elif self.view.filter:
            self.console.session.state.remember_filter(self.view.filter)
            self.view.filter = ""
            self.show_rows(cursor_id=self.table.cursor_id)
            self.notice(f"Filter cleared; {self.key('filter')} then up brings it back.")
        else:
            self.notice("Nothing to clear: no detail pane, no range, no marks, no filter.")

    def reload(self) -> None:
        self.marks.recount()
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
        return not self.is_mounted or self.narrowing.is_opening

    @property
    def is_filling(self) -> bool:
        return self.table.is_filling and not self.query("FilterEditor")

    def on_filter_editor_applied(self, event: Any) -> None:
        self.narrowing.apply(event.text)

    def on_filter_editor_left(self) -> None:
        self.narrowing.close()
