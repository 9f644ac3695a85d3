"""What is marked in a list: how many, said in its breadcrumb, and what a bulk operation leaves marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.operations import bulk
from quarterdeck.tui.failures import FAILURES
from quarterdeck.tui.format import count
from quarterdeck.tui.spans import Line

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen


class Marked:
    """With all that match marked, the count stays what it was at that moment, whatever comes in meanwhile."""

    def __init__(self, screen: ListScreen) -> None:
        self._screen = screen
        self._total: int | None = None  # how many matched when all were marked
        self._aged = False  # whether the next count is to be that of the marks too

    @property
    def number(self) -> int:
        """At least 1 where some are marked and the number is not known yet."""
        marks = self._screen.table.marks
        known = marks.count(self._total)
        return known if known is not None else int(bool(marks))

    def mark_all(self) -> None:
        self._total = None
        self._screen.table.action_mark_all()
        self.changed()

    def recount(self) -> None:
        """The next count is that of the marks too."""
        self._aged = True

    def counted(self) -> None:
        """How many rows match is known anew."""
        if self._aged:
            self._aged, self._total = False, None
        self.changed()

    def changed(self) -> None:
        screen = self._screen
        marks = screen.table.marks
        if not marks.all_matching:
            self._total = None
        elif self._total is None and marks.scope == screen.view.filter:
            self._total = screen.total
        screen.chrome()

    def keep_failures(self, operation: Mapping[str, Any]) -> None:
        """Rows that failed keep their mark."""
        screen = self._screen
        if operation["resource"] == screen.resource and not screen.table.marks:
            screen.run_worker(self._keep_failures(int(operation["id"])), group="failures", exclusive=True)

    async def _keep_failures(self, number: int) -> None:
        table, query = self._screen.table, {"outcome": "failed", "limit": 1_000}
        try:
            found = await self._screen.console.session.client.call(bulk.ITEMS, query=query, id=number)
        except FAILURES:
            return  # the operations screen lists them
        if not table.marks:
            table.marks.add(row["item_id"] for row in found["items"])
            table.marks_changed()

    def line(self) -> Line:
        screen, line = self._screen, list[tuple[str, str]]()
        if number := self.number:
            line.append((f"{count(number)} marked", "accent"))
            if self._counted_before:
                line.append((f" as of {screen.key('mark-all')}", "warning"))
            if hidden := screen.table.hidden_marks:
                line.append((f" ({count(hidden)} hidden)", "warning"))
            line.append(("  ", ""))
        return line

    @property
    def _counted_before(self) -> bool:
        """Whether another number matches now than when all were marked."""
        screen = self._screen
        marks = screen.table.marks
        here = marks.all_matching and marks.scope == screen.view.filter
        return here and None not in (screen.total, self._total) and screen.total != self._total
