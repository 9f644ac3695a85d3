"""The one table of the console: a window on a list of any length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.text import safe_lines
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.columns import place
from quarterdeck.tui.widgets.feeder import MOST_IN_RANGE, Feeder
from quarterdeck.tui.widgets.marks import Marks
from quarterdeck.tui.widgets.page_index import FAR, Fetch, PageIndex
from quarterdeck.tui.widgets.row_painter import LineState, Painter
from quarterdeck.tui.widgets.rows import Cell, CellContext, Column, Direction, Page, Row, RowSource, SourceFailed
from quarterdeck.tui.widgets.viewport import Viewport

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

# A new list has this long to arrive before the old one gives way to "Loading".
_PATIENCE = 0.12
_MOST_CHECKED = 5_000
_SLACK = 1  # lines of the header


class WindowTable(Widget, can_focus=True):
    """Rows of a RowSource under a line of titles.

    Has no keys of its own: a screen binds the `action_…` methods. Rows are fetched around what is on the
    screen; marks are ids; what changes is patched in place; what no longer belongs is dimmed until the
    next reload; what is new waits until it is brought in.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "WindowTable { width: 1fr; height: 1fr; background: $background; }"

    class CursorRested(Message):
        """The cursor has stayed on a row for a moment, or its row has changed. None: there is no row."""

        def __init__(self, row: Row | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """Enter, or a double click, on a row."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class MarksChanged(Message):
        """What is marked, or how much of it is hidden, is different."""

    class CountKnown(Message):
        """How many rows the list has."""

        def __init__(self, total: int) -> None:
            super().__init__()
            self.total = total

    class FetchFailed(Message):
        """Rows cannot be had; one sentence why."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    class Refused(Message):
        """A key did nothing; one sentence why."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    class NewRows(Message):
        """How many rows wait to be brought in."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

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
        """`empty`: what to say, and what to do next, where there are no rows. `noun`: what the rows are."""
        super().__init__(id=id)
        self.columns, self.empty, self.noun = columns, empty, noun
        self.new_hint, self.retry_hint = "i brings them in", "f5 tries again"
        self.sorted_by, self.descending = "", False
        self.rest_ms, self._clock = rest_ms, clock
        self.marks = Marks()
        self._index = PageIndex(capacity=page_cache)
        self._view = Viewport()
        self._feeder = Feeder(self, self._index, self._landed, self._counted, self._failed)
        self._count: int | None = None
        self._stale: set[int] = set()
        self._hidden: set[int] | None = set()  # marked ids that the list does not hold; None: unknown
        self._range: int | None = None
        self._new = 0
        self._wanted_id: int | None = None
        self._keep: list[tuple[int, int]] | None = None  # (id, line) by which a reload finds its place again
        self._patient = False
        self._painter: Painter | None = None
        self._drawn: list[object] = []  # what each line shows, so that only lines that differ are sent
        self._live: dict[int, list[str]] = {}
        self._rest: asyncio.TimerHandle | None = None
        self._rested: Row | None = None

    # What is shown

    def show(self, source: RowSource, *, cursor_id: int | None = None, keep: bool = False) -> None:
        """Another list: from the top, with the cursor on `cursor_id` if that is on the first page.

        `keep`: the same list from a new source; cursor and screen stay where they are. Marks stay.
        """
        self._feeder.use(source)
        self._new = 0
        if keep and self._index.loaded:
            self.reload()
        else:
            self._index.forget()
            self._count, self._range, self._keep = None, None, None
            self._view.top = self._view.cursor = 0
            self._stale.clear()
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
        first, last = self._view.top, self._view.bottom
        self._keep = [
            (row["id"], position - first)
            for position in sorted(
                range(first, last), key=lambda p: (p < self._view.cursor, abs(p - self._view.cursor))
            )
            if (row := self._index.row(position)) is not None
        ]
        self._feeder.reload(first, last, self._new)
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
        """So many rows have come into the list. They are announced, and nothing moves."""
        self._new += number
        self.post_message(self.NewRows(self._new))
        self._sync()

    def bring_in_new(self) -> None:
        """Show the new rows; the row under the cursor stays there."""
        self.reload()

    async def patch(self, rows: Sequence[Row]) -> None:
        """Rows that have changed and still belong: shown in place."""
        changed = {row["id"]: row for row in rows}
        self._stale.difference_update(changed)
        if self._hidden is not None:
            self._hidden.difference_update(changed)
        self._index.patch(changed)
        self._sync()

    def drop(self, ids: Iterable[int]) -> None:
        """Rows that no longer belong: dimmed until the next reload."""
        gone = set(ids)
        loaded = {row["id"] for _, row in self._index.rows()}
        self._stale |= gone & loaded
        if self._hidden is not None and not self._hidden >= gone & self.marks.ids:
            self._hidden |= gone & self.marks.ids
            self.post_message(self.MarksChanged())
        self._sync()

    def refetch_visible(self) -> None:
        """Something has changed that nobody could name: look again at the rows on the screen."""
        if self._index.loaded:
            self.run_worker(self._recheck(), group="recheck", exclusive=True)

    async def _recheck(self) -> None:
        ids = self.visible_ids()
        found = await self._feeder.matching(ids)
        if found is None:
            self.reload()
            return
        self._index.keep_only(self._view.top, self._view.bottom)  # the rest is fetched again when it is seen
        self.drop(set(ids) - {row["id"] for row in found})
        await self.patch(found)
        self._look()

    # What is known

    @property
    def cursor_row(self) -> Row | None:
        return self._index.row(self._view.cursor)

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
    def new_count(self) -> int:
        return self._new

    @property
    def scope(self) -> str:
        """What the list is, in the words of the operator."""
        return str(getattr(self._feeder.source, "scope", ""))

    @property
    def hidden_marks(self) -> int | None:
        """How many marked rows the list does not hold; None where that is unknown."""
        if self.marks.all_matching:
            return 0 if self.marks.scope == self.scope else None
        return None if self._hidden is None else len(self._hidden & self.marks.ids)

    def visible_ids(self) -> list[int]:
        return self._index.ids(range(self._view.top, self._view.bottom))

    # Moving

    def _limits(self) -> tuple[int, int]:
        return self._index.limits(self._view.cursor)

    def _go(self, position: int) -> None:
        self._view.move_to(position, *self._limits())
        self._moved()

    def _moved(self) -> None:
        self._look()
        self._sync()

    def action_down(self) -> None:
        self._go(self._view.cursor + 1)

    def action_up(self) -> None:
        self._go(self._view.cursor - 1)

    def action_top(self) -> None:
        self._view.cursor = 0
        self._view.top = 0
        self._moved()

    def action_bottom(self) -> None:
        total = self._index.total
        end = FAR if total is None else total
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
            self.post_message(self.Opened(row))

    # Marking

    def action_mark(self) -> None:
        """Mark or unmark the row and go to the next one; or mark the range that was begun."""
        if self._range is not None:
            self._mark_range()
            return
        row = self.cursor_row
        if row is None:
            self.post_message(
                self.Refused("There is no row here to mark yet." if self._count else "There is nothing to mark.")
            )
            return
        if self._marks_are_elsewhere():
            return
        self.marks.toggle(row["id"])
        self.post_message(self.MarksChanged())
        self.action_down()

    def action_range(self) -> None:
        """Begin a range at the cursor; again: mark all from there to the cursor."""
        if self._range is not None:
            self._mark_range()
        elif self.cursor_row is not None and not self._marks_are_elsewhere():
            self._range = self._view.cursor
            self._sync()

    def action_mark_all(self) -> None:
        """Mark all that match, however many they are."""
        if self._count == 0:
            self.post_message(self.Refused("There is nothing to mark."))
            return
        self._range = None
        self.marks.mark_all(self.scope)
        self.post_message(self.MarksChanged())
        self._sync()

    def action_clear(self) -> bool:
        """Give up the range, else the marks. Returns whether there was something to give up."""
        if self._range is not None:
            self._range = None
        elif self.marks:
            self.marks.clear()
            self._hidden = set()
            self.post_message(self.MarksChanged())
        else:
            return False
        self._sync()
        return True

    def marks_changed(self) -> None:
        """Somebody else has changed `marks`: draw them."""
        self._check_hidden()
        self.post_message(self.MarksChanged())
        self._sync()

    def _marks_are_elsewhere(self) -> bool:
        if self.marks.all_matching and self.marks.scope != self.scope:
            what = f"that match {self.marks.scope}" if self.marks.scope else "of the unfiltered list"
            self.post_message(
                self.Refused(f"All rows {what} are marked; clear the marks first, or go back to that filter.")
            )
            return True
        return False

    def _mark_range(self) -> None:
        assert self._range is not None
        first, last = sorted((self._range, self._view.cursor))
        if last - first >= MOST_IN_RANGE:
            self.post_message(
                self.Refused(f"A range holds at most {MOST_IN_RANGE:,} rows; mark all of a narrower filter instead.")
            )
            return
        self._range = None
        ids = self._index.ids(range(first, last + 1))
        if len(ids) == last + 1 - first:
            self._add_marks(ids)
        else:
            self.run_worker(self._mark_far(first, last + 1), group="range", exclusive=True)
        self._sync()

    async def _mark_far(self, first: int, last: int) -> None:
        ids = await self._feeder.ids_between(first, last)
        if ids is not None:
            self._add_marks(ids)

    def _add_marks(self, ids: Sequence[int]) -> None:
        self.marks.add(ids)
        self.post_message(self.MarksChanged())
        self._sync()

    def _check_hidden(self) -> None:
        if self.marks.ids and not self.marks.all_matching:
            self.run_worker(self._find_hidden(), group="hidden", exclusive=True)

    async def _find_hidden(self) -> None:
        ids = sorted(self.marks.ids)
        found = await self._feeder.matching(ids) if len(ids) <= _MOST_CHECKED else None
        self._hidden = None if found is None else set(ids) - {row["id"] for row in found}
        self.post_message(self.MarksChanged())

    # What arrives

    def _look(self) -> None:
        self._feeder.look(self._view.top, self._view.bottom, self._view.height)

    def _landed(self, fetch: Fetch, moved: int) -> None:
        view = self._view
        self._patient = False
        if not self._index.loaded:  # aimed behind the end of a list that has become shorter
            view.cursor, view.top = FAR - 1, FAR - view.height
            self._moved()
            return
        if self._keep is not None and not fetch.joins:
            self._find_place(self._keep)
            self._stale.clear()
            self._keep, self._range = None, None
            if self._new:
                self._new = 0
                self.post_message(self.NewRows(0))
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
        self._index.trim(view.top, view.bottom)
        self._know_count()
        self._moved()

    def _find_place(self, keep: Sequence[tuple[int, int]]) -> None:
        positions = {row["id"]: position for position, row in self._index.rows()}
        for row_id, line in keep:
            if row_id in positions:
                self._view.cursor = positions[row_id]
                self._view.top = max(0, positions[row_id] - line)
                return

    def _counted(self, number: int) -> None:
        moved = self._index.set_total(number)
        view = self._view
        if view.cursor >= FAR // 2:
            moved = (self._index.total or 0) - FAR
            view.shift(moved)
            self._feeder.shifted(moved)
            view.settle(*self._limits())
        self._count = number
        self.post_message(self.CountKnown(number))
        self._moved()

    def _know_count(self) -> None:
        """The whole list is in memory: it has been counted."""
        if self._count is None and self._index.total is not None:
            self._count = self._index.total
            self.post_message(self.CountKnown(self._count))

    def _failed(self, sentence: str) -> None:
        self._patient = False
        self.post_message(self.FetchFailed(sentence))
        self._sync()

    def _lose_patience(self) -> None:
        self._patient = False
        self._sync()

    # Drawing

    def on_mount(self) -> None:
        if any(column.live for column in self.columns):
            self.set_interval(1.0, self._tick)

    def on_resize(self, event: events.Resize) -> None:
        self._view.resize(event.size.height - _SLACK, *self._limits())
        self._drawn, self._live = [], {}
        self._moved()

    def on_focus(self) -> None:
        self._sync()

    def on_blur(self) -> None:
        self._sync()

    def _state(self, line: int, row: Row | None, thumb: int) -> LineState:
        view = self._view
        position = view.top + line
        in_range = False
        if self._range is not None:
            first, last = sorted((self._range, view.cursor))
            in_range = first <= position <= last
        return LineState(
            cursor=position == view.cursor,
            focused=self.has_focus,
            marked=row is not None and self.marks.has(row["id"], self.scope),
            in_range=in_range,
            stale=row is not None and row["id"] in self._stale,
            thumb=line == thumb,
        )

    def _thumb(self) -> int:
        """The line with the sign that says where in the list the screen is; -1 for none."""
        total, view = self._index.total, self._view
        if total is None or total <= view.height:
            return -1
        if view.top == 0 or view.height < 3:
            return 0
        return view.height - 1 if view.bottom >= total else 1 + view.top * (view.height - 2) // total

    def _notice(self) -> str:
        if self._feeder.failure and self._index.loaded:
            return f"rows are missing, {self.retry_hint}"
        return f"{self._new:,} new, {self.new_hint}" if self._new else ""

    def _says(self) -> tuple[str, str] | None:
        """Sentence and style where there are no rows to show."""
        if self._index.loaded:
            return (self.empty, "empty") if self._index.total == 0 else None
        if self._feeder.failure:
            return f"{self._feeder.failure}\n{self.retry_hint}.", "error"
        count = "" if self._count is None else f"{self._count:,} "
        return (f"Loading {count}{self.noun}…", "empty") if self._feeder.source is not None else None

    def _sync(self) -> None:
        """Refresh the lines that no longer show what they should."""
        self._note_rest()
        if self._patient or not self.size.height:
            return
        thumb, says, view = self._thumb(), self._says(), self._view
        lines: list[object] = [(self._notice(), self.sorted_by, self.descending, self.size.width)]
        for line in range(view.height):
            position = view.top + line
            row = self._index.row(position)
            beyond = row is None and position >= self._limits()[1]
            lines.append((says, row, beyond, None if beyond else self._state(line, row, thumb)))
        drawn, self._drawn = self._drawn, lines
        if len(drawn) != len(lines):
            self.refresh()
            return
        width = self.size.width
        different = [
            Region(0, y, width, 1) for y, (old, new) in enumerate(zip(drawn, lines, strict=True)) if old != new
        ]
        if different:
            self.refresh(*different)

    def render_line(self, y: int) -> Strip:
        painter = self._painting()
        if y == 0:
            segments = painter.header(self._notice(), self.sorted_by, self.descending)
            return Strip(segments).crop(0, painter.width)
        line = y - _SLACK
        says = self._says()
        if says is not None:
            text, style = says
            sentences = safe_lines(text)
            return Strip(painter.message(sentences[line - 1] if 0 < line <= len(sentences) else "", style))
        row = self._index.row(self._view.top + line)
        state = self._state(line, row, self._thumb())
        if row is not None:
            now = self._clock()
            self._live[line] = painter.texts(row, now, live_only=True)[0]
            return Strip(painter.row(row, state, now)).crop(0, painter.width)
        if self._view.top + line < self._limits()[1]:
            return Strip(painter.placeholder(state)).crop(0, painter.width)
        return Strip(painter.blank(LineState())).crop(0, painter.width)

    def _painting(self) -> Painter:
        look, width = look_of(self.app), self.size.width
        if self._painter is None or self._painter.look is not look or self._painter.width != width:
            self._painter = Painter(look, place(self.columns, width), width)
        return self._painter

    def _tick(self) -> None:
        """Ages and times to due: send the lines whose words have changed."""
        if self._patient or self._says() is not None:
            return
        painter, now, width = self._painting(), self._clock(), self.size.width
        for line in range(self._view.height):
            row = self._index.row(self._view.top + line)
            if row is not None and painter.texts(row, now, live_only=True)[0] != self._live.get(line):
                self.refresh(Region(0, line + _SLACK, width, 1))

    def _note_rest(self) -> None:
        """Say so when the cursor has rested on a row that was not told before."""
        row = self.cursor_row
        if row is self._rested and self._rest is None:
            return
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(self.rest_ms / 1000, self._tell_rest)

    def _tell_rest(self) -> None:
        self._rest = None
        row = self.cursor_row
        if row is not self._rested and self.is_attached:
            self._rested = row
            self.post_message(self.CursorRested(row))

    # Mouse

    def on_click(self, event: events.Click) -> None:
        if event.y < _SLACK or self._says() is not None:
            return
        self._go(self._view.top + event.y - _SLACK)
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

    def on_unmount(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
