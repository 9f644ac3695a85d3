"""Who waits for runs, woken the moment there are some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
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
    """Call it from the event loop, after the commit."""

    def __init__(self) -> None:
        self._ears: set[Ear] = set()
        # Tells other engines on the same store.
        self.relay: Callable[[set[str], int | None], None] | None = None

    def say(self, queues: Iterable[str], later: int | None = None) -> None:
        """`queues` have runs that wait; `later` is when one that was just scheduled is due (ms)."""
        said = set(queues)
        self.hear(said, later)
        if self.relay is not None and (said or later is not None):
            self.relay(said, later)

    def hear(self, queues: set[str], later: int | None) -> None:
        """As `say`, from another engine."""
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
