"""Where tables get their rows: the engine, a page at a time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from quarterdeck.contract.enums import AnyResource
from quarterdeck.contract.operations import Operation, bulk, items
from quarterdeck.tui.widgets.rows import Page

Row = Mapping[str, Any]
# What is held in memory of a list that can only be read forwards.
MOST_LISTED = 5_000
ROWS_A_PAGE = 100  # what a table asks for at once


def first_page(filter_: str, sort: str, limit: int = ROWS_A_PAGE) -> dict[str, object]:
    """What a table asks for first."""
    query: dict[str, object] = {"sort": sort, "direction": "next", "limit": limit}
    if filter_:
        query["filter"] = filter_
    return query


class FilteredSource(ABC):
    """What matches a filter, in the order of a sort key, as an operation lists it by keyset.

    A subclass names the operation, and counts.
    """

    LIST: Operation

    def __init__(self, client: Callable[[], Any], filter_: str, sort: str, **path: object) -> None:
        """`client` is asked at each call, so that a source outlives a reconnect. `path`: parts of the URL."""
        self._client, self.filter, self.sort, self._path = client, filter_, sort, path
        self.scope = filter_

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        found = await self._ask(cursor=cursor, direction=direction, limit=limit, skip=skip)
        return Page(found["items"], found["next"], found["previous"])

    @abstractmethod
    async def count(self) -> int: ...

    async def _ask(
        self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int
    ) -> Mapping[str, Any]:
        """A page as the engine gives it."""
        query = first_page(self.filter, self.sort, limit)
        query["direction"] = direction
        if cursor is not None:
            query["cursor"] = cursor
        if skip:
            query["skip"] = skip
        found: Mapping[str, Any] = await self._client().call(self.LIST, query=query, **self._path)
        return found

    async def matching(self, ids: Sequence[int]) -> list[Row]:
        """Those of `ids` that match the filter, as they are now."""
        return await self._named(ids, self.filter)

    async def named(self, ids: Sequence[int]) -> list[Row]:
        """`ids` as they are now, whether they match or not."""
        return await self._named(ids, "")

    async def _named(self, ids: Sequence[int], filter_: str) -> list[Row]:
        found: list[Row] = []
        for start in range(0, len(ids), 200):
            part = ids[start : start + 200]
            query: dict[str, object] = {"ids": ",".join(map(str, part)), "limit": len(part)}
            if filter_:
                query["filter"] = filter_
            page = await self._client().call(self.LIST, query=query, **self._path)
            found += page["items"]
        return found


class ItemSource(FilteredSource):
    """Items of one queue."""

    LIST = items.LIST

    def __init__(self, client: Callable[[], Any], resource: AnyResource, filter_: str, sort: str) -> None:
        super().__init__(client, filter_, sort, resource=resource)

    async def count(self) -> int:
        query = {"filter": self.filter} if self.filter else {}
        found = await self._client().call(items.COUNT, query=query, **self._path)
        return int(found["count"])


class ListedSource:
    """A list that the engine gives forwards only: read once, as far as it is looked at, and kept.

    Cursors are positions. `more` says whether the engine has more than `MOST_LISTED`.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        operation: Operation,
        query: Mapping[str, object] | None = None,
        **path: object,
    ) -> None:
        self._client, self._operation, self._query, self._path = client, operation, dict(query or {}), path
        self._rows: list[Row] = []
        self._next: str | None = None
        self._complete = False
        self._reading = asyncio.Lock()  # rows and count are asked for at once
        self.more = False

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        if direction == "previous":
            await self._read_to(MOST_LISTED)
            end = max((int(cursor) if cursor is not None else len(self._rows)) - skip, 0)
            start = max(end - limit, 0)
        else:
            start = (int(cursor) if cursor is not None else 0) + skip
            end = start + limit
            await self._read_to(end + 1)
        end = min(end, len(self._rows))
        return Page(
            list(self._rows[start:end]),
            str(end) if end < len(self._rows) else None,
            str(start) if start > 0 else None,
        )

    async def count(self) -> int:
        await self._read_to(MOST_LISTED)
        return len(self._rows)

    async def _read_to(self, wanted: int) -> None:
        wanted = min(wanted, MOST_LISTED)
        async with self._reading:
            while len(self._rows) < wanted and not self._complete:
                query: dict[str, object] = {**self._query, "limit": 500}
                if self._next is not None:
                    query["cursor"] = self._next
                found = await self._client().call(self._operation, query=query, **self._path)
                self._rows += found["items"]
                self._next = found["next"]
                self._complete = self._next is None
        self.more = not self._complete and len(self._rows) >= MOST_LISTED


def operations_source(client: Callable[[], Any]) -> ListedSource:
    return ListedSource(client, bulk.LIST)


class ResultSource:
    """What became of the items of an operation; `outcome` empty for all of them. Read by keyset, from both ends."""

    def __init__(self, client: Callable[[], Any], operation_id: int, outcome: str) -> None:
        self._client, self._number, self.scope = client, operation_id, outcome

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        query: dict[str, object] = {"direction": direction, "limit": limit}
        if self.scope:
            query["outcome"] = self.scope
        if cursor is not None:
            query["cursor"] = cursor
        if skip:
            query["skip"] = skip
        found = await self._client().call(bulk.ITEMS, query=query, id=self._number)
        rows = [{**row, "id": row["item_id"]} for row in found["items"]]
        return Page(rows, found["next"], found["previous"])

    async def count(self) -> int:
        """As the operation counts: an operation of a million is not read for it."""
        operation = (await self._client().call(bulk.SHOW, id=self._number))["operation"]
        return int(operation[self.scope or "total"])
