"""What is marked in a list: how many, said in its breadcrumb, and what a bulk operation leaves marked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.operations import bulk, items
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count
from quarterdeck.tui.spans import Line

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen


Selection = Mapping[str, Any]


class Marked:
    """All that match are frozen when they are marked: what comes in later is not one of them, and the count stays."""

    def __init__(self, screen: ListScreen) -> None:
        self._screen = screen
        self._total: int | None = None  # how many matched when all were marked
        self._selecting: asyncio.Future[Selection | BaseException] | None = None

    @property
    def number(self) -> int:
        """At least 1 where some are marked and the number is not known yet."""
        marks = self._screen.table.marks
        known = marks.count(self._total)
        return known if known is not None else int(bool(marks))

    def mark_all(self) -> None:
        if self._screen.table.action_mark_all():
            self._freeze()

    def recount(self) -> None:
        """All that match now, where all are marked."""
        marks = self._screen.table.marks
        if marks.all_matching and marks.scope == self._screen.view.filter:
            self._freeze()

    def _freeze(self) -> None:
        """Beside the screen: the key that asked has its answer at once."""
        screen = self._screen
        self._total = None
        if not screen.console.session.read_only:  # else nothing can be done with it
            self._selecting = asyncio.get_running_loop().create_future()
            screen.run_worker(self._select(self._selecting, screen.table.marks.scope), group="selection")
        self.changed()

    async def _select(self, answer: asyncio.Future[Selection | BaseException], scope: str) -> None:
        screen = self._screen
        try:
            client = screen.console.session.client
            found: Selection = await client.call(items.SELECT, body={"filter": scope}, resource=screen.resource)
        except FAILURES as error:
            answer.set_result(error)
            if self._selecting is answer:
                screen.notice(f"All that match were not marked: {sentence(error)}", "error")
                screen.table.marks.clear()
                screen.table.marks_changed()
            return
        answer.set_result(found)
        if self._selecting is answer:
            self._total = int(found["count"])
            screen.chrome()

    async def selection(self) -> Selection:
        """All that matched when they were marked, without exceptions. Raises Problem and Unreachable."""
        assert self._selecting is not None
        found = await asyncio.shield(self._selecting)
        if isinstance(found, BaseException):
            raise found
        return found

    def changed(self) -> None:
        screen = self._screen
        marks = screen.table.marks
        if not marks.all_matching:
            self._total, self._selecting = None, None
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
