"""Who watches one run: a nudge for what happens to it, nothing more; they look for themselves."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Watch:
    """What has happened to the run since it was last looked at."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.changed = True
        self.written = False
        self.news = asyncio.Event()


class RunWatches:
    """Call it from the event loop, after the commit."""

    def __init__(self) -> None:
        self._watched: defaultdict[int, set[Watch]] = defaultdict(set)

    def touch(self, ids: Iterable[int], *, written: bool = False) -> None:
        """These runs have changed; or, with `written`, their logs have."""
        if not self._watched:
            return
        for number in ids:
            for watch in self._watched.get(number, ()):
                if written:
                    watch.written = True
                else:
                    watch.changed = True
                watch.news.set()

    def add(self, run_id: int) -> Watch:
        watch = Watch(run_id)
        self._watched[run_id].add(watch)
        return watch

    def remove(self, watch: Watch) -> None:
        self._watched[watch.run_id].discard(watch)
        if not self._watched[watch.run_id]:
            del self._watched[watch.run_id]
