"""Where alerts come from: what fires, the worst first and in groups, then what waits, then what is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from quarterdeck.contract.enums import AlertState, Severity, Watched
from quarterdeck.contract.filters import parse
from quarterdeck.contract.operations import alerts
from quarterdeck.tui.sections import Section, fixed, page_of
from quarterdeck.tui.sources import FilteredSource, Row
from quarterdeck.tui.widgets.rows import Direction, Page

# Places in the list: groups of a severity before those that are alone in it.
_PENDING, _RESOLVED = len(Severity), len(Severity) + 1
_GROUPS, _ALONE = 0, 1
# The board is not asked again before so many times as long as it took have passed.
_PATIENCE = 4
NEWEST_FIRST = "-created"


def is_group(row: Row) -> bool:
    """Whether a row stands for a group of alerts; its id is that of the group below zero."""
    return int(row["id"]) < 0


def size(group: Row) -> int:
    return sum(group["firing"].values())


def with_terms(filter_: str, *terms: str) -> str:
    return " ".join(part for part in (filter_, *terms) if part)


class AlertSource(FilteredSource):
    """`together`: what fires in a group is one row. `heard` is told each board: what matches, in numbers."""

    LIST = alerts.HISTORY

    def __init__(
        self, client: Callable[[], Any], filter_: str, *, together: bool, heard: Callable[[Row], None]
    ) -> None:
        super().__init__(client, filter_, NEWEST_FIRST)
        asked = {term.key for term in parse(filter_, Watched.ALERTS).terms}
        # Alerts of one group, or some that are named, are looked at one by one.
        self.together, self._heard = together and not asked & {"group", "id"}, heard
        self._board: Row | None = None
        self._sections: list[Section] = []
        self._asking = asyncio.Lock()
        self._old = True  # something has changed since it was asked
        self._asked_at, self._took = 0.0, 0.0  # seconds

    # What there is

    def changed(self) -> None:
        """Alerts came, went, or were acted on."""
        self._old = True

    async def board(self) -> Row:
        """In numbers, as it is now."""
        async with self._asking:
            if self._board is None or self._old:
                await asyncio.sleep(max(self._asked_at + self._took * _PATIENCE - time.monotonic(), 0))
                began, self._old = time.monotonic(), False
                query = {"filter": self.filter} if self.filter else {}
                self._board = await self._client().call(alerts.BOARD, query=query)
                self._asked_at = time.monotonic()
                self._took = self._asked_at - began
                self._sections = list(self._parts(self._board))
                self._heard(self._board)
        return self._board

    def _groups(self, board: Row) -> list[dict[str, Any]]:
        return [{**each, "id": -int(each["id"])} for each in board["groups"]] if self.together else []

    def _parts(self, board: Row) -> list[Section]:
        groups, found = self._groups(board), list[Section]()
        grouped = ",".join(str(-each["id"]) for each in groups)
        firing = f"state:{AlertState.FIRING}"
        for each in Severity:
            own = [group for group in groups if group["severity"] == each]
            own.sort(key=lambda group: str(group["since"]), reverse=True)
            if own:
                found.append(fixed((each.rank, _GROUPS), own))
            alone = board["firing"][each] - sum(group["firing"][each] for group in groups)
            terms = (firing, f"severity:{each}", f"-group:{grouped}" if grouped else "")
            found.append(self._part((each.rank, _ALONE), alone, *terms))
        found.append(self._part((_PENDING, 0), board["pending"], f"state:{AlertState.PENDING}"))
        found.append(self._part((_RESOLVED, 0), board["resolved"], f"state:{AlertState.RESOLVED}"))
        return [section for section in found if section.count > 0]

    def _part(self, place: tuple[int, ...], count: int, *terms: str) -> Section:
        return Section(place, count, partial(self._read, with_terms(self.filter, *terms)))

    async def _read(self, filter_: str, cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        query: dict[str, object] = {"filter": filter_, "direction": direction, "limit": limit}
        if cursor is not None:
            query["cursor"] = cursor
        if skip:
            query["skip"] = skip
        found = await self._client().call(alerts.HISTORY, query=query)
        return Page(found["items"], found["next"], found["previous"])

    # As a RowSource

    async def page(self, *, cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        if self._board is None:
            await self.board()
        return await page_of(self._sections, cursor, direction, limit, skip)

    async def count(self) -> int:
        await self.board()
        return sum(section.count for section in self._sections)

    async def matching(self, ids: Sequence[int]) -> list[Row]:
        return [*await self._among_groups(ids), *await self._named([each for each in ids if each > 0], self.filter)]

    async def named(self, ids: Sequence[int]) -> list[Row]:
        return await self._named([each for each in ids if each > 0], "")

    async def _among_groups(self, ids: Sequence[int]) -> list[Row]:
        wanted = {each for each in ids if each < 0}
        return [each for each in self._groups(await self.board()) if each["id"] in wanted] if wanted else []


async def gather(client: Any, filter_: str, most: int) -> list[Row]:
    """At most `most` alerts that match, newest first. Raises Problem and Unreachable."""
    found: list[Row] = []
    cursor: str | None = None
    while len(found) < most:
        query: dict[str, object] = {"filter": filter_, "limit": min(500, most - len(found))}
        if cursor is not None:
            query["cursor"] = cursor
        page: Mapping[str, Any] = await client.call(alerts.HISTORY, query=query)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return found
