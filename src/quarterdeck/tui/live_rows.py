"""Changes in the engine, brought to the table without moving what the operator looks at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from quarterdeck.contract.live import Change
from quarterdeck.tui.failures import FAILURES

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen

# A running bulk operation changes the list many times a second; the screen follows at this pace.
PACE_SECONDS = 0.4
COUNT_SECONDS = 2.0
_MOST_IDS = 1_000


class LiveRows:
    """Collects what changed and looks at it once for all, at most every PACE_SECONDS."""

    def __init__(self, screen: ListScreen) -> None:
        self._screen = screen
        self._created: set[int] = set()
        self._changed: set[int] = set()
        self._deleted: set[int] = set()
        self._everything = False
        self._grown = False  # something unnamed came in; the next count says how much
        self._timer: Timer | None = None
        self._count_timer: Timer | None = None
        self._counted = 0.0

    def heard(self, message: Mapping[str, Any]) -> None:
        """A message about rows of this list, or that messages were lost."""
        ids, change = message.get("ids"), message.get("change")
        if ids is None:
            self._everything = True
            self._grown = self._grown or change == Change.CREATED
        elif change == Change.CREATED:
            self._created.update(ids)
        elif change == Change.DELETED:
            self._deleted.update(ids)
        else:
            self._changed.update(ids)
        if max(len(self._created), len(self._changed), len(self._deleted)) > _MOST_IDS:
            self._everything = True
        self._soon()

    def catch_up(self) -> None:
        """The list is seen again."""
        if self._everything or self._created or self._changed or self._deleted:
            self._soon()

    def look_again(self) -> None:
        """Something turned out to be different from what the screen says."""
        self._everything = True
        self._soon()

    def recount(self) -> None:
        """How many match now; paced, because a count of a long list is the engine's work."""
        if self._count_timer is None:
            wait = max(0.05, self._counted + COUNT_SECONDS - time.monotonic())
            self._count_timer = self._screen.set_timer(wait, self._count)

    def counted(self, before: int | None, now: int) -> None:
        """How many match is known again."""
        if self._grown and before is not None and now > before:
            self._grown = False
            self._screen.table.note_new(now - before)

    def _soon(self) -> None:
        """A list that lies beneath another screen is looked at when it is seen again."""
        if self._timer is None and self._screen is self._screen.console.front:
            self._timer = self._screen.set_timer(PACE_SECONDS, self._look)

    def _count(self) -> None:
        self._count_timer, self._counted = None, time.monotonic()
        self._screen.table.recount()

    async def _look(self) -> None:
        self._timer = None
        created, changed, deleted, everything = self._created, self._changed, self._deleted, self._everything
        self._created, self._changed, self._deleted, self._everything = set(), set(), set(), False
        screen = self._screen
        table, source = screen.table, screen.source
        if source is None or screen.console.session.lost:
            return
        try:
            seen = set(table.visible_ids())
            if everything:
                table.refetch_visible()
            else:
                table.outdate(changed | deleted)
            fresh = sorted(created - seen)
            if fresh:
                table.note_new(len(await source.matching(fresh)))
        except FAILURES:
            self._everything = True  # looked at again when the engine is back
            return
        self.recount()
        row = screen.current_row()
        if row is not None and (everything or int(row["id"]) in changed | deleted):
            await screen.current_changed()
