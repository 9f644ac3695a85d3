"""Keys wait while what they are meant for is still opening.

A fast typist, a paste or a slow line sends `/` and the filter in one piece. Without this the letters would
reach the queue before the filter's field has the focus, and each of them is an action there. It is the same
when something closes: what is typed behind the enter of a dialog is meant for where that leads.
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
_LONGEST_FOR_ROWS = 1.0
# Workers that open something: a dialog for an action, the place that `go to` looks for.
_ACTING, _GOING = "acting", "go-to"


class KeyGate:
    """Closed from the key that opens or ends something until what follows has the focus.

    `pass_on` is the console's own way.
    """

    def __init__(self, console: Console, pass_on: Callable[[events.Event], Awaitable[None]]) -> None:
        self._console, self._pass_on = console, pass_on
        self._held: list[events.Key] = []
        self._timer: Timer | None = None
        self._closed_at = 0.0
        self._asked = False
        self._groups: set[str] = set()
        # What had the focus when the gate was closed: keys may still be on their way through it.
        self._origin: MessagePump = console

    def holds(self, event: events.Key) -> bool:
        """Whether the key has to wait; then it is kept."""
        if self._timer is None:
            return False
        self._held.append(_anew(event))
        return True

    def take_back(self, event: events.Key) -> None:
        """A key that came to something that has ended."""
        if not self.holds(event):
            self._console.post_message(_anew(event))

    def close_if_opening(self) -> None:
        """After a command: if it opens something, keys wait for it."""
        if self._opening({_ACTING, _GOING}):
            self._close({_ACTING, _GOING})

    def close(self) -> None:
        """Something ends with this key; the next ones are for what comes instead."""
        self._close({_GOING})

    def _close(self, groups: set[str]) -> None:
        self._groups |= groups
        if self._timer is not None:
            return
        front = self._console.front
        # A field that has ended is about to go; what goes through it is kept there already.
        lasts = front.focused is not None and not isinstance(front.focused, Input)
        self._closed_at, self._origin = time.monotonic(), front.focused if lasts and front.focused else front
        self._asked = False
        self._timer = self._console.set_interval(_LOOK_SECONDS, self._look)

    def _opening(self, groups: set[str]) -> float:
        """How long (seconds) keys may wait for what is not there yet; 0: it is."""
        console = self._console
        if console.screen is not console.front:
            return 0.0 if getattr(console.screen, "is_ready", True) else _LONGEST_SECONDS
        if console.front.is_opening:
            return _LONGEST_SECONDS
        if any(worker.group in groups and not worker.is_finished for worker in console.workers):
            return _LONGEST_SECONDS
        return _LONGEST_FOR_ROWS if console.front.is_filling else 0.0

    def _look(self) -> None:
        if self._timer is None or self._asked:
            return
        patience = self._opening(self._groups)
        if not patience:
            # Behind the keys that went this way before the focus moved: they come first.
            self._asked = True
            to_the_end = (self._console.front.call_later, self._console.call_later, self._open)
            if not self._origin.call_later(*to_the_end):
                self._console.call_later(self._open)
        elif time.monotonic() - self._closed_at > patience:
            self._asked = True
            if self._held and not self._console.front.is_filling:
                self._held = []  # whatever they were meant for, it is not what has the focus now
                self._console.notice("The console was not ready for what you typed; it was not used.", "warning")
            self._console.call_later(self._open, True)

    async def _open(self, late: bool = False) -> None:
        if self._timer is None:
            return
        if not late and self._opening(self._groups):
            self._asked = False  # what has ended has opened something else
            return
        self._timer.stop()
        self._timer, self._groups = None, set()
        held, self._held = sorted(self._held, key=lambda event: event.time), []
        console = self._console
        if getattr(console.screen, "IS_QUESTION", False) and not isinstance(console.focused, Input):
            # Nothing typed before a question could be read is an answer to it.
            seen = getattr(console.screen, "seen_at", 0.0)
            held = [event for event in held if event.time >= seen]
        for event in held:
            await self._pass_on(event)


def _anew(event: events.Key) -> events.Key:
    """The old one may be marked as handled on its way."""
    key = events.Key(event.key, event.character)
    key.time = event.time
    return key
