"""Figures that are looked at again when something has changed: now and then, and only while somebody sees them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from textual.timer import Timer

from quarterdeck.tui.screens.base import ConsoleScreen

PATIENCE = 10  # times as long as a look takes, until the next one


class LookingScreen(ConsoleScreen):
    AGAIN_SECONDS: ClassVar[float] = 5.0
    """The least time from one look to the next that nobody asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.pace = self.AGAIN_SECONDS
        self._timer: Timer | None = None
        self._outdated = False  # something was said while another screen lay upon it
        self._looked_at, self._took = float("-inf"), 0.0  # seconds

    def look(self, *, keep: bool = True) -> Awaitable[None] | None:
        """At everything, after `no_more_waiting`; `keep`: cursor and screen stay where they are."""
        raise NotImplementedError

    @property
    def is_seen(self) -> bool:
        return self.is_mounted and self.console.front is self

    def soon(self) -> None:
        """Look again, now and then, as long as somebody sees it."""
        if not self.is_seen:
            self._outdated = True
        elif self._timer is None:
            wait = self._looked_at + max(self.pace, self._took * PATIENCE) - time.monotonic()
            self._timer = self.set_timer(max(wait, 0.05), self._look_if_seen)

    async def _look_if_seen(self) -> None:
        self._timer = None
        looking = self.look() if self.is_seen else None
        if looking is not None:
            await looking

    def no_more_waiting(self) -> None:
        """Somebody looks now."""
        self._outdated = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Around what asks the engine."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._looked_at = time.monotonic()
            self._took = self._looked_at - began
