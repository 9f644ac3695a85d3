"""Rows in memory that may be different now: looked at again when they are seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from textual.widget import Widget

from quarterdeck.tui.widgets.feeder import Feeder, in_background
from quarterdeck.tui.widgets.page_index import PageIndex
from quarterdeck.tui.widgets.rows import Row


class OutdatedRows:
    """`patch` shows rows as they are, `drop` dims those that no longer belong, `look` lets the table look further."""

    def __init__(
        self,
        owner: Widget,
        feeder: Feeder,
        index: PageIndex,
        patch: Callable[[Sequence[Row]], Awaitable[None]],
        drop: Callable[[Iterable[int]], None],
        look: Callable[[], None],
    ) -> None:
        self._owner, self._feeder, self._index = owner, feeder, index
        self._patch, self._drop, self._look = patch, drop, look
        self._ids: set[int] = set()
        self._checking: set[int] = set()  # those of them that are being looked at
        self._check_again: set[int] = set()  # those that have changed again since they were asked for
        self._in_flight: set[int] | None = set()  # what changed while rows were on their way; None: anything

    def forget(self) -> None:
        """Another list."""
        self._ids.clear()

    def add(self, ids: Iterable[int] | None) -> None:
        """None: all that are in memory, and all that are on their way."""
        if self._feeder.is_flying and self._in_flight is not None:
            self._in_flight = None if ids is None else self._in_flight | set(ids)
        known = {row["id"] for _, row in self._index.rows()}
        self._ids |= known if ids is None else known.intersection(ids)
        self._check_again |= self._checking & self._ids  # the answer may be older than this change

    def shown(self, ids: Iterable[int]) -> None:
        """These are as they are now."""
        self._ids.difference_update(ids)

    def arrived(self, ids: set[int]) -> None:
        """A page of rows; what changed while it was on its way may be different already."""
        late, self._in_flight = self._in_flight, set()
        self._ids -= ids
        self._ids |= ids if late is None else ids & late

    def check(self, seen: Callable[[], Iterable[int]]) -> bool:
        """Look again at those that are seen. False: this list cannot say what became of a row."""
        if not self._ids or self._checking or self._feeder.is_resting:
            return True
        if not self._feeder.can_match:
            self._ids.clear()
            return False
        if due := self._ids.intersection(seen()):
            self._checking, self._check_again = due, set()
            in_background(self._owner, "recheck", self._recheck, due)
        return True

    async def _recheck(self, ids: set[int]) -> None:
        try:
            found = await self._feeder.matching(sorted(ids))
            if found is None:
                return  # failed: tried again with the next look
            gone = ids - {row["id"] for row in found}
            as_they_are = await self._feeder.named(sorted(gone)) if gone else []
            await self._patch([*found, *as_they_are])
            self._drop(gone)
            self._ids = (self._ids - ids) | self._check_again
        finally:
            self._checking = set()
        self._look()
