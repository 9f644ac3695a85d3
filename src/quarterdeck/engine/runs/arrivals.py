"""Who waits for runs, woken the moment there are some."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Ear:
    """Notes what is new for one listener. `queues` have runs that may start; `soon` is when others will (ms)."""

    def __init__(self) -> None:
        self.queues: set[str] = set()
        self.soon: int | None = None
        self.news = asyncio.Event()

    def hear(self, queues: Iterable[str], later: int | None) -> None:
        self.queues.update(queues)
        if later is not None:
            self.soon = later if self.soon is None else min(self.soon, later)
        self.news.set()


class Arrivals:
    """Call it from the event loop, after the commit. Other engines on the same store are not heard here."""

    def __init__(self) -> None:
        self._ears: set[Ear] = set()

    def say(self, queues: Iterable[str], later: int | None = None) -> None:
        """`queues` have runs that wait; `later` is when one that was just scheduled is due (ms)."""
        for ear in self._ears:
            ear.hear(queues, later)

    @contextmanager
    def listen(self) -> Iterator[Ear]:
        ear = Ear()
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)
