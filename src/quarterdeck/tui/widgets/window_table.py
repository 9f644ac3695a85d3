"""The one table of the console: a window on a list of any length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.widgets import table_messages as messages
from quarterdeck.tui.widgets.marks import Marks
from quarterdeck.tui.widgets.outdated import OutdatedRows
from quarterdeck.tui.widgets.page_index import FAR, Fetch
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Direction, Page, Row, RowSource, SourceFailed
from quarterdeck.tui.widgets.table_drawing import HEADER
from quarterdeck.tui.widgets.table_marking import MarkedTable

__all__ = [
    "Cell",
    "CellContext",
    "Column",
    "Direction",
    "Marks",
    "Page",
    "Row",
    "RowSource",
    "SourceFailed",
    "WindowTable",
]

# A new list has this long (seconds) to arrive before the old one gives way to "Loading".
_PATIENCE = 0.12
_NEVER = object()


class WindowTable(MarkedTable):
    """Rows of a RowSource under a line of titles.

    Has no keys of its own: a screen binds the `action_…` methods. Rows are fetched around what is on the
    screen; marks are ids; what changes is patched in place; what no longer belongs is dimmed until the
    next reload; what is new waits until it is brought in.
    """

    DEFAULT_CSS = "WindowTable { width: 1fr; height: 1fr; background: $background; }"

    CursorRested = messages.CursorRested
    Opened = messages.Opened
    MarksChanged = messages.MarksChanged
    CountKnown = messages.CountKnown
    FetchFailed = messages.FetchFailed
    Refused = messages.Refused
    NewRows = messages.NewRows
    NewsChanged = messages.NewsChanged

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing here.",
        noun: str = "rows",
        page_cache: int = 24,
        rest_ms: int = 120,
        clock: Callable[[], int] = now_ms,
        id: str | None = None,
    ) -> None:
        """`empty`: what to say, and what to do next, where there are no rows. `noun`: what the rows are.
        `rest_ms`: how long the cursor stays before it has rested. `clock`: milliseconds since 1970."""
        super().__init__(columns, empty=empty, noun=noun, page_cache=page_cache, clock=clock, id=id)
        self.rest_ms = rest_ms
        self._wanted_id: int | None = None
        self._keep: list[tuple[int, int]] = []  # (id, line) by which a reload finds its place again
        self._rest: asyncio.TimerHandle | None = None
        self._resting: object = _NEVER
        self._rested: object = _NEVER
        self._outdated = OutdatedRows(self, self._feeder, self._index, self.patch, self.drop, self._look)
        self._said_news = ""
        self._moved_down = 0

    # What is shown

    def show(self, source: RowSource, *, cursor_id: int | None = None, keep: bool = False) -> None:
        """Another list: from the top, with the cursor on `cursor_id` if that is on the first page.

        `keep`: the same list from a new source; cursor and screen stay where they are. Marks stay.
        """
        self._feeder.use(source)
        if keep and self._index.loaded:
            self.reload()
        else:
            self._index.forget()
            self._count, self._range, self._new = None, None, 0
            self._view.top = self._view.cursor = 0
            self._stale.clear()
            self._outdated.forget()
            self._wanted_id = cursor_id
            self._patient = bool(self._drawn)
            self.set_timer(_PATIENCE, self._lose_patience)
            self._look()
            self._feeder.count()
        self._check_hidden()
        self._sync()

    def reload(self) -> None:
        """Look again at everything; cursor and screen stay where they are as far as their rows exist."""
        if self._feeder.source is None:
            return
        view = self._view
        by_distance = sorted(range(view.top, view.bottom), key=lambda p: (p < view.cursor, abs(p - view.cursor)))
        rows = ((position, self._index.row(position)) for position in by_distance)
        self._keep = [(row["id"], position - view.top) for position, row in rows if row is not None]
        self._feeder.reload(view.top, view.bottom, self._new)
        self._feeder.count()

    def recount(self) -> None:
        """The length of the list may be different now; the rows stay as they are."""
        if self._feeder.source is not None:
            self._feeder.count()

    def retry(self) -> None:
        """Try again after a failure."""
        if self._feeder.source is None:
            return
        self._feeder.retry()
        self._look()
        if self._count is None:
            self._feeder.count()
        self._sync()

    def note_new(self, number: int) -> None:
        """So many rows have come into the list. They are announced, and nothing moves; into an empty list they come."""
        self._new += number
        if number and not self.visible_ids():
            self.bring_in_new()
        self.post_message(messages.NewRows(self._new))
        self._sync()

    def bring_in_new(self) -> None:
        """Show the new rows; the row under the cursor stays there."""
        self.reload()

    async def patch(self, rows: Sequence[Row]) -> None:
        """Rows that have changed and still belong: shown in place."""
        changed = {row["id"]: row for row in rows}
        self._stale.difference_update(changed)
        self._outdated.shown(changed)
        if self._hidden is not None:
            self._hidden.difference_update(changed)
        self._index.patch(changed)
        self._sync()

    def drop(self, ids: Iterable[int]) -> None:
        """Rows that no longer belong: dimmed until the next reload."""
        gone = set(ids)
        self._stale |= {row["id"] for _, row in self._index.rows()} & gone
        hidden = gone & self.marks.ids
        if self._hidden is not None and not self._hidden >= hidden:
            self._hidden |= hidden
            self.post_message(messages.MarksChanged())
        self._sync()

    def refetch_visible(self) -> None:
        """Something has changed that nobody could name: look again at the rows on the screen, and at the
        others when they are seen."""
        if self._index.loaded and not self._feeder.is_flying:
            self._index.keep_only(self._view.top, self._view.bottom)  # the rest is fetched again when it is seen
        self.outdate(None)

    def outdate(self, ids: Iterable[int] | None) -> None:
        """Rows that may be different now (None: all). Those on the screen are looked at again at once, the
        others when they are seen."""
        self._outdated.add(ids)
        self._look()

    # What is known

    @property
    def cursor_id(self) -> int | None:
        row = self.cursor_row
        return None if row is None else int(row["id"])

    @property
    def position(self) -> tuple[int, int | None]:
        """Where the cursor stands (from 0; from the end below 0 while the length is unknown), and the length."""
        cursor = self._view.cursor
        return (cursor - FAR if cursor >= FAR // 2 else cursor), self._count

    @property
    def at_least(self) -> int:
        """How many rows there are at the least: "100+" until the count is known."""
        return self._index.at_least()

    @property
    def is_filling(self) -> bool:
        """Whether the first rows are on their way."""
        return self._feeder.is_flying and not self._index.loaded

    @property
    def new_count(self) -> int:
        return self._new

    def visible_ids(self) -> list[int]:
        return self._index.ids(range(self._view.top, self._view.bottom))

    # What arrives

    def _look(self) -> None:
        self._feeder.look(self._view.top, self._view.bottom, self._view.height)
        if not self._outdated.check(self.visible_ids):
            self.reload()

    def _landed(self, fetch: Fetch, page: Page, moved: int) -> None:
        view = self._view
        self._patient = False
        if not self._index.loaded:  # aimed behind the end of a list that has become shorter
            self.action_bottom()
            return
        arrived = {row["id"] for row in page.rows}
        self._stale -= arrived
        self._outdated.arrived(arrived)
        if fetch.reload:
            self._find_place()
        elif moved:
            view.shift(moved)
            if self._range is not None:
                self._range += moved
        if self._wanted_id is not None:
            found = self._index.position_of(self._wanted_id)
            self._wanted_id = None
            if found is not None:
                view.move_to(found, *self._limits())
        view.settle(*self._limits())
        self._index.trim(view.top - view.height, view.bottom + view.height)  # what a look wants stays
        exact = getattr(self._feeder.source, "exact", None)
        if exact is not None and exact != self._count:
            self._counted(exact)
        elif self._count is None and self._index.total is not None:
            self._count_is(self._index.total)  # all of the list is in memory
        self._moved()

    def _find_place(self) -> None:
        """After a reload: the row under the cursor on the line where it was, or else its nearest neighbour."""
        positions = {row["id"]: position for position, row in self._index.rows()}
        place = next(((positions[row_id], line) for row_id, line in self._keep if row_id in positions), None)
        if place is not None:
            self._view.cursor = place[0]
            self._view.top = max(0, place[0] - place[1])
        self._stale.clear()
        self._range = None
        if self._new:
            self._new = 0
            self.post_message(messages.NewRows(0))

    def _counted(self, number: int) -> None:
        self._index.set_total(number)
        view = self._view
        if view.cursor >= FAR // 2 and self._index.total is not None:
            by = self._index.total - FAR
            view.shift(by)
            self._feeder.shifted(by)
            if self._range is not None and self._range >= FAR // 2:
                self._range += by
            view.settle(*self._limits())
        self._count_is(number)
        self._moved()

    def _count_is(self, number: int) -> None:
        if self._count is not None:
            self._check_hidden()
        self._count = number
        self.post_message(messages.CountKnown(number))

    def _failed(self, sentence: str) -> None:
        self._patient = False
        self.post_message(messages.FetchFailed(sentence))
        self._sync()

    def _lose_patience(self) -> None:
        self._patient = False
        self._sync()

    # The cursor at rest

    def _sync(self) -> None:
        super()._sync()
        if self.news != self._said_news:
            self._said_news = self.news
            self.post_message(messages.NewsChanged())
        row = self.cursor_row
        if row is self._resting or (row is None and self._index.total != 0):
            return
        self._resting = row
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(self.rest_ms / 1000, self._tell_rest)

    def _tell_rest(self) -> None:
        row = self.cursor_row
        if row is self._resting and row is not self._rested and self.is_attached:
            self._rested = row
            self.post_message(messages.CursorRested(row))

    def on_unmount(self) -> None:
        if self._rest is not None:
            self._rest.cancel()

    # Terminal

    def make_room(self, lines: int) -> None:
        """The table is about to begin so many lines further down: its rows stay where they are on the screen."""
        self._moved_down = lines

    def on_resize(self) -> None:
        # Not the size that the event names: that counts a border too.
        height, down = self.size.height - HEADER, self._moved_down
        if down and height == self._view.height - down:
            self._view.top += down
        self._moved_down = 0
        self._view.resize(height, *self._limits())
        self._drawn, self._live = [], {}
        self._moved()
