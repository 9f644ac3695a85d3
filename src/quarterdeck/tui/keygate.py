"""Keys wait while what they are meant for is still opening.

A fast typist, a paste or a slow line sends `/` and the filter in one piece. Without this the letters would
reach the queue before the filter's field has the focus, and each of them is an action there.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.widgets import Input

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

_LOOK_SECONDS = 0.01
# Longer than any dialog takes to open; an engine that does not answer must not take the keyboard away.
_LONGEST_SECONDS = 3.0


class KeyGate:
    """Closed from the key that opens something until that has the focus. `pass_on` is the console's own way."""

    def __init__(self, console: Console, pass_on: Callable[[events.Event], Awaitable[None]]) -> None:
        self._console, self._pass_on = console, pass_on
        self._held: list[events.Key] = []
        self._timer: Timer | None = None
        self._closed_at = 0.0
        self._asked = False
        # What had the focus when the gate was closed: keys may still be on their way through it.
        self._origin: MessagePump = console

    def holds(self, event: events.Key) -> bool:
        """Whether the key has to wait; then it is kept."""
        if self._timer is None:
            return False
        # Anew: the old one may be marked as handled on its way here.
        kept = events.Key(event.key, event.character)
        kept.time = event.time
        self._held.append(kept)
        return True

    def close_if_opening(self) -> None:
        if self._timer is None and self._opening():
            front = self._console.front
            # A field that has ended is about to go; what goes through it is kept there already.
            lasts = front.focused is not None and not isinstance(front.focused, Input)
            self._closed_at, self._origin = time.monotonic(), front.focused if lasts and front.focused else front
            self._asked = False
            self._timer = self._console.set_interval(_LOOK_SECONDS, self._look)

    def _opening(self) -> bool:
        console = self._console
        if console.screen is not console.front:
            return not getattr(console.screen, "is_ready", True)
        if console.front.is_opening:
            return True
        return any(worker.group == "acting" and not worker.is_finished for worker in console.workers)

    def _look(self) -> None:
        if self._timer is None:
            return
        if time.monotonic() - self._closed_at > _LONGEST_SECONDS:
            if self._opening() and self._held:
                self._held = []  # whatever they were meant for, it is not what has the focus now
                self._console.notice("The console was not ready for what you typed; it was not used.", "warning")
            self._console.call_later(self._open)
        elif not self._asked and not self._opening():
            # Behind the keys that went this way before the focus moved: they come first.
            self._asked = True
            self._origin.call_later(self._console.front.call_later, self._console.call_later, self._open)

    async def _open(self) -> None:
        if self._timer is None:
            return
        self._timer.stop()
        self._timer = None
        held, self._held = sorted(self._held, key=lambda event: event.time), []
        console = self._console
        if console.screen is not console.front and not isinstance(console.focused, Input):
            # A question: nothing typed before it could be read is an answer.
            seen = getattr(console.screen, "seen_at", 0.0)
            held = [event for event in held if event.time >= seen]
        for event in held:
            await self._pass_on(event)
