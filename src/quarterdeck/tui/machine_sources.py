"""Where lists of runs and dead letters get their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import Operation, dead_letters, items, runs
from quarterdeck.tui.sources import FilteredSource, Row, first_page
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
        self._list, self._resource, self._heard = _LISTS[resource], resource, heard
        self.searched = 1.0
        self.counted_in_part = False

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        query = first_page(self.filter, self.sort, limit)
        query["direction"] = direction
        if cursor is not None:
            query["cursor"] = cursor
        if skip:
            query["skip"] = skip
        found = await self._client().call(self._list, query=query)
        page = Page(found["items"], found["next"], found["previous"])
        self._has_searched(1.0 if page.next is None else float(found.get("searched", 1.0)))
        return page

    async def count(self) -> int:
        query = {"filter": self.filter} if self.filter else {}
        found = await self._client().call(items.COUNT, query=query, resource=self._resource)
        self.counted_in_part = found.get("searched", 1.0) < 1
        return int(found["count"])

    async def _named(self, ids: Sequence[int], filter_: str) -> list[Row]:
        found: list[Row] = []
        for start in range(0, len(ids), 200):
            part = ids[start : start + 200]
            query: dict[str, object] = {"ids": ",".join(map(str, part)), "limit": len(part)}
            if filter_:
                query["filter"] = filter_
            found += (await self._client().call(self._list, query=query))["items"]
        return found

    def _has_searched(self, part: float) -> None:
        if part != self.searched:
            self.searched = part
            self._heard()
