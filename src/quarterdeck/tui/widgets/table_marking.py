"""Marking in a table: one row, a range, all that match; and how much of what is marked is not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quarterdeck.tui.widgets.feeder import MOST_IN_RANGE, Feeder, in_background
from quarterdeck.tui.widgets.page_index import Fetch
from quarterdeck.tui.widgets.rows import Column, Page, Row
from quarterdeck.tui.widgets.table_messages import MarksChanged, Refused
from quarterdeck.tui.widgets.table_moving import MovingTable

MOST_CHECKED = 5_000  # marks that are looked for in another list


class MarkedTable(MovingTable):
    """Marks are ids: they survive other filters and reloads."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str,
        noun: str,
        page_cache: int,
        clock: Callable[[], int],
        id: str | None,
    ) -> None:
        super().__init__(columns, empty=empty, noun=noun, page_cache=page_cache, clock=clock, id=id)
        self._feeder = Feeder(self, self._index, self._landed, self._counted, self._failed)
        self._far = False  # whether the range that was marked last is not all in memory
        self._hidden: set[int] | None = set()  # marked ids that the list does not hold; None: unknown

    # What the layer above does

    def _landed(self, fetch: Fetch, page: Page, moved: int) -> None:
        raise NotImplementedError

    def _counted(self, number: int) -> None:
        raise NotImplementedError

    def _failed(self, sentence: str) -> None:
        raise NotImplementedError

    # What is known

    def _failure(self) -> str:
        return self._feeder.failure

    def _waiting(self) -> bool:
        return self._feeder.source is not None

    @property
    def scope(self) -> str:
        return str(getattr(self._feeder.source, "scope", ""))

    @property
    def hidden_marks(self) -> int | None:
        """How many marked rows the list does not hold; None where that is unknown."""
        if self.marks.all_matching:
            return 0 if self.marks.scope == self.scope else None
        if self._count == 0:
            return len(self.marks.ids)
        return None if self._hidden is None else len(self._hidden & self.marks.ids)

    # Marking

    def action_mark(self) -> None:
        """Mark or unmark the row and go to the next one; or mark the range that was begun."""
        if self._range is not None:
            self._mark_range()
            return
        row = self._markable()
        if row is not None:
            self.marks.toggle(row["id"])
            self.post_message(MarksChanged())
            self.action_down()
            self._sync()

    def action_range(self) -> None:
        """Begin a range at the cursor; again: mark all from there to the cursor."""
        if self._range is not None:
            self._mark_range()
        elif self._markable() is not None:
            self._range = self._view.cursor
            self._sync()

    def close_range(self) -> bool:
        """What is in a range counts as marked when something is done. Returns whether it can be done now; where not,
        says why."""
        if self._range is None:
            return True
        self._mark_range()
        if self._range is not None:
            return False
        if self._far:
            self.post_message(Refused("What is in the range is being marked; do it when its marks stand there."))
        return not self._far

    def action_mark_all(self) -> bool:
        """Mark all that match, however many they are. Returns whether there is anything to mark."""
        if self._count == 0:
            self.post_message(Refused("There is nothing to mark."))
            return False
        self._range = None
        self.marks.mark_all(self.scope)
        self.post_message(MarksChanged())
        self._sync()
        return True

    def action_clear(self) -> bool:
        """Give up the range, else the marks. Returns whether there was something to give up."""
        if self._range is not None:
            self._range = None
        elif self.marks:
            self.marks.clear()
            self._hidden = set()
            self.post_message(MarksChanged())
        else:
            return False
        self._sync()
        return True

    def marks_changed(self) -> None:
        """Somebody else has changed `marks`: draw them."""
        self._check_hidden()
        self.post_message(MarksChanged())
        self._sync()

    def _markable(self) -> Row | None:
        """The row under the cursor, if it can be marked; else says why not."""
        row = self.cursor_row
        if row is None:
            on_its_way = self._index.loaded and self._index.total != 0
            self.post_message(Refused("This row is still on its way." if on_its_way else "There is nothing to mark."))
            return None
        if self.marks.all_matching and self.marks.scope != self.scope:
            what = f"that match {self.marks.scope}" if self.marks.scope else "of the unfiltered list"
            self.post_message(Refused(f"All rows {what} are marked; clear the marks, or go back to that filter."))
            return None
        if self.marks.all_matching and row["id"] in self._stale:
            self.post_message(Refused(f"This row no longer matches, so it is not one of all; {self.stale_hint}."))
            return None
        if self.marks.all_matching and (why := self.not_of_all(row)):
            self.post_message(Refused(why))
            return None
        return row

    def _mark_range(self) -> None:
        assert self._range is not None
        first, last = sorted((self._range, self._view.cursor))
        if last - first >= MOST_IN_RANGE:
            self.post_message(Refused(f"A range holds at most {MOST_IN_RANGE:,} rows; mark all of a narrower filter."))
            return
        self._range = None
        ids = self._index.ids(range(first, last + 1))
        self._far = len(ids) < last + 1 - first
        if not self._far:
            self._add_marks(ids)
        else:
            in_background(self, "range", self._mark_far, first, last + 1)
            self._sync()

    async def _mark_far(self, first: int, last: int) -> None:
        ids = await self._feeder.ids_between(first, last)
        if ids is not None:
            self._add_marks(ids)

    def _add_marks(self, ids: Sequence[int]) -> None:
        self.marks.add(ids)
        self.post_message(MarksChanged())
        self._sync()

    def _check_hidden(self) -> None:
        """Find out which marked rows the list holds."""
        if self.marks.ids and not self.marks.all_matching:
            in_background(self, "hidden", self._find_hidden)

    async def _find_hidden(self) -> None:
        ids = sorted(self.marks.ids)
        found = await self._feeder.matching(ids) if len(ids) <= MOST_CHECKED else None
        self._hidden = None if found is None else set(ids) - {row["id"] for row in found}
        self.post_message(MarksChanged())
