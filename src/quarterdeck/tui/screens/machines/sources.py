"""Where lists of runs and dead letters get their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import Operation, dead_letters, items, runs
from quarterdeck.tui.sources import FilteredSource
from quarterdeck.tui.widgets.rows import Page

_LISTS: dict[MachineResource, Operation] = {
    MachineResource.RUNS: runs.LIST,
    MachineResource.DEAD_LETTERS: dead_letters.LIST,
}


class MachineSource(FilteredSource):
    """Runs or dead letters that match a filter.

    A search in texts answers in parts, each within its time: `searched` is how much of the rows has been read, from
    0 to 1, and the table asks for the next part as long as it has room. `heard` is called when that has changed.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        resource: MachineResource,
        filter_: str,
        sort: str,
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, filter_, sort)
        self.LIST, self._resource, self._heard = _LISTS[resource], resource, heard
        self.searched = 1.0
        self.counted_in_part = False  # the last count is only what there is at the least
        self.exact: int | None = None  # what reading from the beginning to the end has shown
        self._read = 0  # rows from the beginning on
        self._reached: str | None = None  # the cursor behind them

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        found = await self._ask(cursor=cursor, direction=direction, limit=limit, skip=skip)
        page = Page(found["items"], found["next"], found["previous"])
        if direction == "next" and not skip and (cursor is None or cursor == self._reached):
            self._read = len(page.rows) + (self._read if cursor is not None else 0)
            self._reached = page.next
            if page.next is None and self.counted_in_part:
                self.exact, self.counted_in_part = self._read, False
        over = (page.next if direction == "next" else page.previous) is None
        self._has_searched(1.0 if over else float(found.get("searched", 1.0)))
        return page

    async def count(self) -> int:
        query = {"filter": self.filter} if self.filter else {}
        found = await self._client().call(items.COUNT, query=query, resource=self._resource)
        self.exact = None
        self.counted_in_part = found.get("searched", 1.0) < 1
        if self.counted_in_part and self._read and self._reached is None:
            self.counted_in_part = False
            return self._read
        return int(found["count"])

    def _has_searched(self, part: float) -> None:
        if part != self.searched:
            self.searched = part
            self._heard()
