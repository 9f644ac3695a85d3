"""A list of any length that is made as it is read; the same rows every time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.tui.widgets.rows import Direction, Page, Row

TITLES = (
    "refund",
    "late delivery",
    "broken seal",
    "wrong size",
    "double charge",
    "lost parcel",
    "返金のお願い",
    "Rückgabe",
)
STATES = ("open", "in_progress", "waiting", "open", "resolved", "open", "needs_manual_review")
PRIORITIES = ("urgent", "high", "normal", "normal", "normal", "low")
PEOPLE = (None, "ana", None, "bo", "chandrasekhar", None)
MINUTE = 60_000
NOW = 1_750_000_000_000


def item(at: int) -> Row:
    """The row at a position, with the members the API gives."""
    return {
        "id": at + 1,
        "external_id": f"EXT-{at}",
        "tenant_id": ("acme", "globex", "initech")[at % 3],
        "resource": "support_tasks",
        "kind": ("ticket", "complaint")[at % 2],
        "title": f"Ticket {at}: {TITLES[at % 8]} for order {at * 7919 % 100_000}",
        "status": STATES[at % 7],
        "priority": PRIORITIES[at % 6],
        "category": None,
        "assignee": PEOPLE[at % 6],
        "claimed_until": None,
        "sla_due_at": NOW + (at % 400 - 40) * 7 * MINUTE if at % 4 else None,
        "created_at": NOW - (at % 9_000) * 11 * MINUTE,
        "updated_at": NOW - (at % 500) * MINUTE,
        "deleted_at": None,
        "comments": at % 3,
        "version": 1,
    }


class Synthetic:
    """Answers after `delay` seconds."""

    scope = ""

    def __init__(self, length: int, delay: float = 0.002) -> None:
        self.length, self.delay = length, delay

    async def page(self, *, cursor: str | None, direction: Direction, limit: int, skip: int) -> Page:
        await asyncio.sleep(self.delay)
        if direction == "next":
            start = (0 if cursor is None else int(cursor)) + skip
            stop = min(start + limit, self.length)
        else:
            stop = (self.length if cursor is None else int(cursor)) - skip
            start = max(0, stop - limit)
        start, stop = min(start, self.length), max(stop, 0)
        rows = [item(at) for at in range(start, stop)]
        return Page(rows, str(stop) if stop < self.length else None, str(start) if start > 0 else None)

    async def count(self) -> int:
        await asyncio.sleep(self.delay * 20)
        return self.length

    async def matching(self, ids: Sequence[int]) -> list[Row]:
        await asyncio.sleep(self.delay)
        return [item(row_id - 1) for row_id in ids if row_id <= self.length]
