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
# No transaction takes longer (ms).
_OVERLAP = 600_000


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
    connection: AsyncConnection,
    listing: Listing,
    *,
    descending: bool,
    after: int | None = None,
    span: tuple[int | None, int | None] = (None, None),
) -> Slices:
    """From the end, or from behind the id `after`; of the rows between two times (ms), where ids tell the time."""
    key = listing.table.c.id
    # Each by itself: together SQLite would read the whole table for them.
    ends = (select(end(key)).scalar_subquery() for end in (func.min, func.max))
    lowest, highest = (await connection.execute(select(*ends))).one()
    if lowest is None:
        return Slices((1, 0), 0, descending)
    if listing.timed is not None:
        first, last = span
        if first is not None:
            lowest = max(lowest, await _at(connection, listing, first - _OVERLAP, highest))
        if last is not None:
            highest = min(highest, await _at(connection, listing, last + _OVERLAP, highest))
        if lowest > highest:
            return Slices((1, 0), 0, descending)
    if after is None:
        here = highest if descending else lowest
    else:
        here = after - 1 if descending else after + 1
        # Behind a gap at either end there is nothing to look for.
        here = min(here, highest) if descending else max(here, lowest)
    return Slices((lowest, highest), here, descending)


async def _at(connection: AsyncConnection, listing: Listing, moment: int, otherwise: int) -> int:
    """The id of the first row from that moment on."""
    table = listing.table
    at = table.c[listing.timed or ""]
    query = select(table.c.id).where(at >= moment).order_by(at, table.c.id).limit(1)
    found = (await connection.execute(query)).scalar()
    return otherwise if found is None else int(found)
