"""Which rows of a long list are in memory, and which page to ask for next. Pure arithmetic; no I/O.

In memory is one run of consecutive rows around what is on the screen. It grows by pages at both ends, gives
up the pages farthest from the screen, and is replaced when the screen jumps away from it.

Rows have positions from 0. Until the length of the list is known, a run that was read from the end of the
list stands just below FAR; then it moves to its place. A list changes while it is looked at, so positions
are what the pages told so far, and each page that arrives corrects them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from quarterdeck.tui.widgets.rows import Direction, Page, Row

FAR = 1 << 40
MOST_PER_FETCH = 500


class Fetch(NamedTuple):
    """A page to ask for.

    `joins`: its rows go on where the run ends (or begins). Else they make a new run, `skip` rows from
    `anchor`: "beginning", "end", the "run"'s own end on the side of `direction`; or, for a reload, a
    "boundary" inside the run, which stays where it is.
    """

    cursor: str | None
    direction: Direction
    limit: int
    skip: int = 0
    joins: bool = False
    anchor: str = "run"
    run: int = 0  # which run it was planned for
    first: int = 0  # the positions it was planned for
    last: int = 0
    reload: bool = False

    def covers(self, first: int, last: int) -> bool:
        """Whether it brings something of [first, last)."""
        return self.first < last and self.last > first


class _Part:
    """The rows of one page, with the cursors at its ends (None: the list ends there)."""

    __slots__ = ("next", "previous", "rows")

    def __init__(self, rows: list[Row], previous: str | None, following: str | None) -> None:
        self.rows, self.previous, self.next = rows, previous, following


class PageIndex:
    """Positions are ints, lengths are numbers of rows. `total` is None until it is known."""

    def __init__(self, page_size: int = 100, capacity: int = 24, total: int | None = None) -> None:
        """`capacity` in pages."""
        self.page_size, self.capacity, self.total = page_size, capacity, total
        self.start = 0
        self.generation = 0  # of the run
        self._parts: list[_Part] = []
        self._rows: list[Row] = []  # of all parts

    # Looking

    @property
    def end(self) -> int:
        return self.start + len(self._rows)

    @property
    def loaded(self) -> bool:
        return bool(self._parts)

    def row(self, position: int) -> Row | None:
        """The row at a position, if it is in memory."""
        offset = position - self.start
        return self._rows[offset] if 0 <= offset < len(self._rows) else None

    def position_of(self, row_id: int) -> int | None:
        """Where a row stands, if it is in memory."""
        return next((self.start + at for at, row in enumerate(self._rows) if row["id"] == row_id), None)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """(position, row) of everything in memory."""
        return enumerate(self._rows, self.start)

    def limits(self, position: int) -> tuple[int, int]:
        """[low, high): where a cursor that stands at `position` may go, by what is known."""
        if self.total is not None:
            return 0, self.total
        near = self.start < FAR // 2
        if position >= FAR // 2:
            return (FAR // 2 if near or self._parts[0].previous is not None else self.start), FAR
        if not self._parts:
            return 0, 0
        return 0, (self.end if near else 0) + self.page_size  # whether there are more is known only with the total

    def at_least(self) -> int:
        """How many rows the list has at the least."""
        return self.total if self.total is not None else len(self._rows)

    # Asking

    def plan(self, first: int, last: int, margin: int = 0) -> Fetch | None:
        """The page to ask for so that [first, last) is in memory, and then `margin` rows around it.

        None when nothing is missing.
        """
        if not self._parts:
            return self._jump(first, last)
        low, high = self.limits(first)
        first, last = max(first, low), min(last, high)
        if first >= last:
            return None
        if first > self.end + MOST_PER_FETCH or last < self.start - MOST_PER_FETCH:
            return self._jump(first, last)
        below, above = last - self.end, self.start - first
        if below <= 0 and above <= 0:  # the screen is full: look ahead
            below, above = min(last + margin, high) - self.end, self.start - max(first - margin, low)
        if below >= above:
            return self._grow("next", below) or self._grow("previous", above)
        return self._grow("previous", above) or self._grow("next", below)

    def _grow(self, direction: Direction, missing: int) -> Fetch | None:
        cursor = self._parts[-1].next if direction == "next" else self._parts[0].previous
        if missing <= 0 or cursor is None:
            return None
        limit = min(MOST_PER_FETCH, max(self.page_size, missing))
        first = self.end if direction == "next" else self.start - limit
        return Fetch(cursor, direction, limit, joins=True, run=self.generation, first=first, last=first + limit)

    def _jump(self, first: int, last: int) -> Fetch:
        """A new run around [first, last), from where the fewest rows must be left out."""
        last = min(last, first + MOST_PER_FETCH)
        limit = max(self.page_size, last - first)
        spare = limit - (last - first)
        begin = max(0, first - spare // 2)
        stop = begin + limit
        ways: list[tuple[int, Direction, str | None, str]] = []
        if first < FAR // 2:
            ways.append((begin, "next", None, "beginning"))
        top = self.total if self.total is not None else FAR
        if self.total is not None or first >= FAR // 2:
            stop = min(stop, top)
            begin = max(0, stop - limit)
            ways.append((top - stop, "previous", None, "end"))
        if self._parts and begin >= self.end and self._parts[-1].next is not None:
            ways.append((begin - self.end, "next", self._parts[-1].next, "run"))
        if self._parts and stop <= self.start and self._parts[0].previous is not None:
            ways.append((self.start - stop, "previous", self._parts[0].previous, "run"))
        skip, direction, cursor, anchor = min(ways, key=lambda way: way[0])
        return Fetch(cursor, direction, limit, skip, anchor=anchor, run=self.generation, first=begin, last=stop)

    def plan_reload(self, first: int, last: int, more: int = 0) -> Fetch:
        """The page to ask for to see [first, last) afresh, with room for `more` new rows among them.

        Read backwards from behind the last row wanted, so that what has come in above is found.
        """
        end = self.start
        for part in self._parts:
            end += len(part.rows)
            if end > last and part.next is not None:
                return self._reload(part.next, "boundary", first, end, more)
        tail = self._parts[-1].next if self._parts else None
        if tail is not None:
            return self._reload(tail, "boundary", first, end, more)
        if self._parts and self.start > 0:
            return self._reload(None, "end", first, self.end, more)
        limit = min(MOST_PER_FETCH, max(last, self.page_size) + more)
        return Fetch(None, "next", limit, anchor="beginning", run=self.generation, last=limit, reload=True)

    def _reload(self, cursor: str | None, anchor: str, first: int, end: int, more: int) -> Fetch:
        limit = min(MOST_PER_FETCH, max(end - first, 0) + more + self.page_size)
        return Fetch(
            cursor, "previous", limit, anchor=anchor, run=self.generation, first=end - limit, last=end, reload=True
        )

    # Learning

    def land(self, fetch: Fetch, page: Page) -> int:
        """Take in a page. Returns by how much positions have moved: of all that stood where the run is."""
        if fetch.run != self.generation and fetch.anchor in ("run", "boundary"):
            return 0  # planned for a run that is gone
        forward = fetch.direction == "next"
        whole = fetch.cursor is None and fetch.skip == 0
        rows = list(page.rows)[: fetch.limit]
        previous = None if whole and forward else page.previous
        following = None if whole and not forward else page.next
        if fetch.joins:
            return self._join(rows, previous, following, forward)
        if not rows and fetch.skip:  # past the end: shorter than was thought
            self.forget()
            return 0
        return self._replace(fetch, _Part(rows, previous, following))

    def _join(self, rows: list[Row], previous: str | None, following: str | None, forward: bool) -> int:
        known = {row["id"] for row in self._rows}
        rows = [row for row in rows if row["id"] not in known]  # moved here while we looked
        if forward:
            if rows:
                self._parts.append(_Part(rows, previous, following))
                self._rows += rows
            else:
                self._parts[-1].next = following
            return self._settle()
        if rows:
            self._parts.insert(0, _Part(rows, previous, following))
            self._rows[:0] = rows
            self.start -= len(rows)
        else:
            self._parts[0].previous = previous
        return self._settle()

    def _replace(self, fetch: Fetch, part: _Part) -> int:
        count = len(part.rows)
        if fetch.anchor == "beginning":
            start = fetch.skip
        elif fetch.anchor == "end":
            start = (self.total if self.total is not None else FAR) - fetch.skip - count
        elif fetch.anchor == "boundary":
            start = self._aligned(part.rows, fetch.last - count)
        else:
            start = self.end + fetch.skip if fetch.direction == "next" else self.start - fetch.skip - count
        self.start, self._parts, self._rows = start, [part], list(part.rows)
        self.generation += 1
        return self._settle()

    def _aligned(self, rows: list[Row], otherwise: int) -> int:
        """The start of fresh rows that leaves the last one of those that were known where it was."""
        known = {row["id"]: position for position, row in self.rows()}
        for offset in range(len(rows) - 1, -1, -1):
            if rows[offset]["id"] in known:
                return known[rows[offset]["id"]] - offset
        return otherwise

    def _settle(self) -> int:
        """Make positions and total agree with the ends of the run. Returns how far the run has moved."""
        first, last = self._parts[0], self._parts[-1]
        before = self.start
        if first.previous is None:
            self.start = 0
        elif self.start <= 0:
            self.start = self.page_size  # there are rows above; how many shows when they are read
        moved = self.start - before
        if last.next is not None:
            if self.total is not None:
                self.total = max(self.total + moved, self.end + 1)
        elif self.end < FAR // 2:
            self.total = self.end
        return moved

    def set_total(self, number: int) -> int:
        """The length of the list is known; rows in memory are believed over the number.

        Returns how far the run has moved.
        """
        if not self._parts:
            self.total = number
            return 0
        first, last = self._parts[0], self._parts[-1]
        before = self.start
        if self.start >= FAR // 2:
            self.total = max(number, FAR - self.start + (first.previous is not None))
            self.start += self.total - FAR
        elif last.next is None:
            self.total = self.end
        else:
            self.total = max(number, self.end + 1)
        return self.start - before

    def trim(self, first: int, last: int) -> None:
        """Give up the pages farthest from [first, last) until `capacity` are left."""
        while len(self._parts) > self.capacity:
            head, tail = len(self._parts[0].rows), len(self._parts[-1].rows)
            if first - self.start >= self.end - last and self.start + head <= first:
                self._give_up_head()
            elif self.end - tail >= last:
                self._give_up_tail()
            else:
                return

    def keep_only(self, first: int, last: int) -> None:
        """Give up the pages that hold nothing of [first, last)."""
        while len(self._parts) > 1 and self.start + len(self._parts[0].rows) <= first:
            self._give_up_head()
        while len(self._parts) > 1 and self.end - len(self._parts[-1].rows) >= last:
            self._give_up_tail()

    def _give_up_head(self) -> None:
        gone = len(self._parts.pop(0).rows)
        del self._rows[:gone]
        self.start += gone

    def _give_up_tail(self) -> None:
        gone = len(self._parts.pop().rows)
        del self._rows[len(self._rows) - gone :]

    def patch(self, changed: Mapping[int, Row]) -> list[int]:
        """Put changed rows (by id) in their places. Returns the positions that changed."""
        touched: list[int] = []
        for part in self._parts:
            part.rows[:] = [changed.get(row["id"], row) for row in part.rows]
        for at, row in enumerate(self._rows):
            new = changed.get(row["id"])
            if new is not None and new is not row:
                self._rows[at] = new
                touched.append(self.start + at)
        return touched

    def forget(self) -> None:
        """Start afresh: nothing in memory, length unknown."""
        self.total, self.start = None, 0
        self.generation += 1
        self._parts, self._rows = [], []

    def ids(self, positions: Iterable[int]) -> list[int]:
        """The ids of those positions that are in memory."""
        return [row["id"] for row in map(self.row, positions) if row is not None]
