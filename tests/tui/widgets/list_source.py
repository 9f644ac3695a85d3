"""A list in memory as a RowSource: it can be changed, slowed, and made to fail while it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.tui.widgets.rows import Direction, Page, Row, SourceFailed


def row(row_id: int, title: str = "") -> Row:
    return {"id": row_id, "title": title or f"row {row_id}"}


class ListSource:
    """Cursors are ids of rows: pages stay right while rows before them come and go."""

    def __init__(self, rows: Sequence[Row], scope: str = "") -> None:
        self.rows, self.scope = list(rows), scope
        self.gate = asyncio.Event()
        self.gate.set()
        self.count_gate = asyncio.Event()
        self.count_gate.set()
        self.fails: str | None = None
        self.asked: list[tuple[str | None, str, int, int]] = []
        self.cancelled = 0

    def answer(self, *, cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        places = {str(found["id"]): at for at, found in enumerate(self.rows)}
        if direction == "next":
            start = (0 if cursor is None else places[cursor] + 1) + skip
            stop = min(start + limit, len(self.rows))
        else:
            stop = (len(self.rows) if cursor is None else places[cursor]) - skip
            start = max(0, stop - limit)
        rows = self.rows[start:stop] if start < stop else []
        if not rows:
            return Page([], None, None)
        return Page(
            rows,
            str(rows[-1]["id"]) if stop < len(self.rows) else None,
            str(rows[0]["id"]) if start > 0 else None,
        )

    async def page(self, *, cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        self.asked.append((cursor, direction, limit, skip))
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fails:
            raise SourceFailed(self.fails)
        return self.answer(cursor=cursor, direction=direction, limit=limit, skip=skip)

    async def count(self) -> int:
        await self.count_gate.wait()
        if self.fails:
            raise SourceFailed(self.fails)
        return len(self.rows)

    async def matching(self, ids: Sequence[int]) -> list[Row]:
        wanted = set(ids)
        return [found for found in self.rows if found["id"] in wanted]


def rows(number: int) -> list[Row]:
    return [row(at) for at in range(1, number + 1)]
