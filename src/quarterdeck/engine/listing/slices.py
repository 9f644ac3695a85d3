"""Spans of ids, one after the other, each as long as takes a moment: for looking through a table while it is read."""

from __future__ import annotations

import time

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.listing.declaration import Listing

# What reading a span should take (seconds); the first is a guess.
_SECONDS = 0.04
_FIRST = 2_000
_SMALLEST = 200


class Slices:
    """Iterates over (first id, last id). `here` is the id at which the next span begins."""

    def __init__(self, bounds: tuple[int, int], here: int, descending: bool) -> None:
        self.lowest, self.highest = bounds
        self.here = here
        self._descending = descending
        self._size = _FIRST
        self._began: float | None = None

    def __iter__(self) -> Slices:
        return self

    def __next__(self) -> tuple[int, int]:
        now = time.monotonic()
        if self._began is not None:
            took = max(now - self._began, 0.001)
            self._size = max(_SMALLEST, round(self._size * min(4.0, _SECONDS / took)))
        if not self.lowest <= self.here <= self.highest:
            raise StopIteration
        self._began = now
        if self._descending:
            span = (max(self.lowest, self.here - self._size + 1), self.here)
            self.here = span[0] - 1
        else:
            span = (self.here, min(self.highest, self.here + self._size - 1))
            self.here = span[1] + 1
        return span

    @property
    def searched(self) -> float:
        """The share of all ids that lies behind, below 1 as long as any is left."""
        if not self.lowest <= self.here <= self.highest:
            return 1.0
        seen = self.highest - self.here if self._descending else self.here - self.lowest
        return min(0.999, seen / (self.highest - self.lowest + 1))


async def slices(
    connection: AsyncConnection, listing: Listing, *, descending: bool, after: int | None = None
) -> Slices:
    """From the end, or from behind the id `after`."""
    key = listing.table.c.id
    lowest, highest = (await connection.execute(select(func.min(key), func.max(key)))).one()
    if lowest is None:
        return Slices((1, 0), 0, descending)
    if after is None:
        here = highest if descending else lowest
    else:
        here = after - 1 if descending else after + 1
        # Behind a gap at either end there is nothing to look for.
        here = min(here, highest) if descending else max(here, lowest)
    return Slices((lowest, highest), here, descending)
