"""A list that the engine gives whole, because it is short: queues, workers. Read once, then kept up to date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from quarterdeck.tui.widgets.rows import Page, Row


class WholeList:
    """A RowSource. Rows have no number in the engine: each gets one that stays with its key.

    `read` asks the engine; `key` says what names a row. Cursors are positions.
    """

    def __init__(self, read: Callable[[], Awaitable[Sequence[Row]]], key: Callable[[Row], object]) -> None:
        self._read, self._key = read, key
        self._numbers: dict[object, int] = {}
        self._loaded = False
        self.rows: list[dict[str, Any]] = []

    async def refresh(self) -> bool:
        """Read it anew. True if rows have come, gone or changed places. Raises Problem and Unreachable."""
        before = [row["id"] for row in self.rows]
        was_loaded = self._loaded
        self.rows = [{**row, "id": self.number(self._key(row))} for row in await self._read()]
        self._loaded = True
        return not was_loaded or before != [row["id"] for row in self.rows]

    def number(self, key: object) -> int:
        """The number of the row with this key, whether it has come already or not."""
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def forget(self) -> None:
        """Ask the engine when the rows are wanted next."""
        self._loaded = False

    async def page(self, *, cursor: str | None, direction: Literal["next", "previous"], limit: int, skip: int) -> Page:
        if not self._loaded:
            await self.refresh()
        if direction == "previous":
            end = max((int(cursor) if cursor is not None else len(self.rows)) - skip, 0)
            start = max(end - limit, 0)
        else:
            start = (int(cursor) if cursor is not None else 0) + skip
            end = min(start + limit, len(self.rows))
        return Page(self.rows[start:end], str(end) if end < len(self.rows) else None, str(start) if start > 0 else None)

    async def count(self) -> int:
        if not self._loaded:
            await self.refresh()
        return len(self.rows)

    async def matching(self, ids: Sequence[int]) -> list[Row]:
        wanted = set(ids)
        return [row for row in self.rows if row["id"] in wanted]

    async def named(self, ids: Sequence[int]) -> list[Row]:
        return await self.matching(ids)
