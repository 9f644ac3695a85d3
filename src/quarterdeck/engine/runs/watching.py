"""Who watches one run: a nudge for each change, nothing more; they look for themselves."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class RunWatches:
    """Call it from the event loop, after the commit."""

    def __init__(self) -> None:
        self._watched: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    def touch(self, ids: Iterable[int]) -> None:
        if self._watched:
            for number in ids:
                for event in self._watched.get(number, ()):
                    event.set()

    def add(self, run_id: int) -> asyncio.Event:
        event = asyncio.Event()
        self._watched[run_id].add(event)
        return event

    def remove(self, run_id: int, event: asyncio.Event) -> None:
        self._watched[run_id].discard(event)
        if not self._watched[run_id]:
            del self._watched[run_id]
