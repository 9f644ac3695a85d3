"""Keeps the rows around the screen in memory: one fetch at a time, cancelled when the screen has moved on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from quarterdeck.tui.failures import FAILURES
from quarterdeck.tui.widgets.page_index import Fetch, PageIndex
from quarterdeck.tui.widgets.rows import Page, Row, RowSource, SourceFailed

if TYPE_CHECKING:
    from textual.widget import Widget

_FAILURES = (*FAILURES, SourceFailed, OSError)
_TRY_AGAIN_SECONDS = 2.0
MOST_IN_RANGE = 10_000


def in_background(widget: Widget, group: str, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
    """Do some work of a widget; what was under way in the same group is cancelled."""
    # Not a coroutine object: one that is cancelled before it begins would be warned about.
    begin = cast("Callable[[], Awaitable[None]]", partial(work, *arguments))
    widget.run_worker(begin, group=group, exclusive=True)


class Feeder:
    """Fetches for one widget. Its workers end with the widget.

    `landed(fetch, page, moved)`: a page has come and positions have moved. `failed(sentence)`: one has not.
    `counted(number)`: the length of the list is known.
    """

    def __init__(
        self,
        widget: Widget,
        index: PageIndex,
        landed: Callable[[Fetch, Page, int], None],
        counted: Callable[[int], None],
        failed: Callable[[str], None],
    ) -> None:
        self._widget, self.index = widget, index
        self._landed, self._counted, self._failed = landed, counted, failed
        self.source: RowSource | None = None
        self.failure = ""
        self._failed_at = 0.0
        self._flying: Fetch | None = None
        self._span = (0, 0)  # the positions the flying fetch is for

    def use(self, source: RowSource) -> None:
        """Another list, or the same one afresh."""
        self.source, self.failure, self._flying = source, "", None

    @property
    def is_flying(self) -> bool:
        """Whether rows are on their way."""
        return self._flying is not None

    @property
    def is_resting(self) -> bool:
        """Whether something has failed just now; asking again can wait."""
        return bool(self.failure) and time.monotonic() - self._failed_at < _TRY_AGAIN_SECONDS

    def look(self, first: int, last: int, margin: int) -> None:
        """[first, last) is on the screen: fetch what is missing of it, then `margin` rows around it."""
        if self.source is None or self.is_resting:
            return
        fetch = self.index.plan(first, last, margin)
        if fetch is None:
            return
        if self._flying is not None:
            seen = self._span[0] < last and self._span[1] > first
            ahead = not fetch.covers(first, last)
            if seen or ahead:
                return  # what is on its way is wanted, or nothing on the screen is missing
        self._start(fetch)

    def reload(self, first: int, last: int, more: int) -> None:
        """See [first, last) afresh, with room for `more` new rows."""
        self.failure = ""
        self._start(self.index.plan_reload(first, last, more))

    def retry(self) -> None:
        """Forget a failure, so that the next look tries again."""
        self.failure = ""

    def shifted(self, by: int) -> None:
        """Positions have moved while a fetch is on its way."""
        self._span = (self._span[0] + by, self._span[1] + by)

    def _start(self, fetch: Fetch) -> None:
        self._flying, self._span = fetch, (fetch.first, fetch.last)
        in_background(self._widget, "rows", self._fetch, fetch)

    async def _fetch(self, fetch: Fetch) -> None:
        source = self.source
        assert source is not None
        try:
            page = await self._page(source, fetch)
        except _FAILURES as error:
            if source is self.source:
                self._flying = None
                self._fail(error)
            return
        if source is not self.source or fetch is not self._flying:
            return
        self._flying, self.failure = None, ""
        self._landed(fetch, page, self.index.land(fetch, page))

    @staticmethod
    async def _page(source: RowSource, fetch: Fetch) -> Page:
        return await source.page(cursor=fetch.cursor, direction=fetch.direction, limit=fetch.limit, skip=fetch.skip)

    def _fail(self, error: BaseException) -> None:
        self.failure, self._failed_at = str(error) or type(error).__name__, time.monotonic()
        self._failed(self.failure)

    def count(self) -> None:
        """Ask for the length of the list; rows never wait for it."""
        in_background(self._widget, "count", self._count)

    async def _count(self) -> None:
        source = self.source
        assert source is not None
        try:
            number = await source.count()
        except _FAILURES as error:
            if source is self.source and not self.failure:
                self._fail(error)
            return
        if source is self.source:
            self._counted(number)

    @property
    def can_match(self) -> bool:
        """Whether the source can say which rows are in the list."""
        return hasattr(self.source, "matching")

    async def matching(self, ids: Sequence[int]) -> list[Row] | None:
        """Those of `ids` that are in the list, as they are now; None where the source cannot tell."""
        return await self._asked("matching", ids)

    async def named(self, ids: Sequence[int]) -> list[Row]:
        """`ids` as they are now, in the list or not, as far as the source can tell."""
        return await self._asked("named", ids) or []

    async def _asked(self, what: str, ids: Sequence[int]) -> list[Row] | None:
        source = self.source
        ask: Any = getattr(source, what, None)
        if ask is None:
            return None
        try:
            found: list[Row] = list(await ask(ids))
        except _FAILURES as error:
            if source is self.source:
                self._fail(error)
            return None
        return found if source is self.source else None

    async def ids_between(self, first: int, last: int) -> list[int] | None:
        """The ids at [first, last), also of rows that are not in memory; None where they cannot be had."""
        source = self.source
        if source is None:
            return None
        scratch = PageIndex(page_size=500, capacity=MOST_IN_RANGE, total=self.index.total)
        try:
            while (fetch := scratch.plan(first, last)) is not None:
                scratch.land(fetch, await self._page(source, fetch))
                if not scratch.loaded:
                    break
        except _FAILURES as error:
            self._fail(error)
            return None
        return scratch.ids(range(first, last))
