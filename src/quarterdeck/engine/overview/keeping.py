"""Figures that are much work to count are kept for a while: asking often costs little more than asking now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple, TypeVar

from quarterdeck.engine.core import Engine

Value = TypeVar("Value")

# A figure that took a while to count is good for so many times as long, and never for longer than this.
KEPT_TIMES, KEPT_SECONDS = 20, 60.0
# For so long an answer waits for one that is being counted: where an older one is known, and where none is.
PATIENCE_SECONDS, FIRST_PATIENCE_SECONDS = 0.02, 0.2
_MOST = 500


class _Figure(NamedTuple):
    """`counted_at`, when its counting began, and `good_until` on the monotonic clock."""

    value: Any
    counted_at: float
    good_until: float


class Figures:
    """Each is counted by one at a time, and goes on being counted when whoever asked for it has gone."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Figure] = {}
        self._counting: dict[Hashable, asyncio.Task[_Figure]] = {}
        # One after the other: they would take every connection, and the time that one waits is not what it costs.
        self._turn = asyncio.Lock()

    async def get(self, key: Hashable, count: Callable[[], Awaitable[Value]]) -> tuple[Value | None, float]:
        """The figure and its age in seconds; None where it was never counted and that takes longer than an answer may.

        Raises what `count` raises, where that is known in time.
        """
        known = self._known.get(key)
        if known is not None and time.monotonic() < known.good_until:
            return known.value, time.monotonic() - known.counted_at
        task = self._counting.get(key)
        if task is None:
            task = self._counting[key] = asyncio.create_task(self._count(key, count))
            task.add_done_callback(lambda done: self._counted(key, done))
        patience = FIRST_PATIENCE_SECONDS if known is None else PATIENCE_SECONDS
        done, _ = await asyncio.wait([task], timeout=patience)
        known = task.result() if done else known
        return (None, 0.0) if known is None else (known.value, time.monotonic() - known.counted_at)

    async def _count(self, key: Hashable, count: Callable[[], Awaitable[Any]]) -> _Figure:
        async with self._turn:
            began = time.monotonic()
            value = await count()
            took = time.monotonic() - began
        found = _Figure(value, began, began + took + min(took * KEPT_TIMES, KEPT_SECONDS))
        self._known.pop(key, None)
        self._known[key] = found
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return found

    def _counted(self, key: Hashable, task: asyncio.Task[_Figure]) -> None:
        self._counting.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waits is told; the next who asks tries again

    async def stop(self) -> None:
        for task in (tasks := list(self._counting.values())):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def figures_of(engine: Engine) -> Figures:
    def make() -> Figures:
        figures = Figures()
        engine.finishers.append(figures.stop)
        return figures

    return engine.keep(Figures, make)
