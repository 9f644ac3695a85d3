"""How fast operations run, for estimates. A guess may be lost with the process; nothing depends on it."""

from __future__ import annotations

import time
from collections import deque

_WINDOW = 5.0  # seconds
_FIRST_GUESS = 30_000.0  # items a second


class Paces:
    """Items done a second, for each running operation and for this store as a whole.

    `stalled` holds the reason of operations whose failure the store cannot take down (a full disk).
    """

    def __init__(self) -> None:
        self._done: dict[int, deque[tuple[float, int]]] = {}
        self._usual = _FIRST_GUESS
        self.stalled: dict[int, str] = {}

    def add(self, operation_id: int, items: int, seconds: float) -> None:
        now = time.monotonic()
        seen = self._done.setdefault(operation_id, deque([(now - max(seconds, 0.001), 0)]))
        seen.append((now, items))
        while len(seen) > 2 and seen[0][0] < now - _WINDOW:
            seen.popleft()
        if items >= 100:
            self._usual += 0.2 * (items / max(seconds, 0.001) - self._usual)

    def rate(self, operation_id: int) -> float | None:
        seen = self._done.get(operation_id)
        if not seen or len(seen) < 2:
            return None
        span = seen[-1][0] - seen[0][0]
        return sum(items for _, items in list(seen)[1:]) / span if span > 0 else None

    def estimate(self, items: int, rate_limit: float | None) -> float:
        """Seconds that many items will take."""
        return items / min(self._usual, rate_limit or self._usual)

    def forget(self, operation_id: int) -> None:
        self._done.pop(operation_id, None)
        self.stalled.pop(operation_id, None)


PACES = Paces()
