"""What the lists of runs and of dead letters share: the source, a search that goes on, the payload, visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from quarterdeck.contract.enums import MachineResource
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.format import count
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.machine_sources import MachineSource
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.listing import ListScreen, Row
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import View

# Commands that are about the row under the cursor.
NEED_A_ROW = ("payload", "log", "see-run", "see-dead-letter", "see-exception")


class MachineList(ListScreen):
    """A list of its own, or a visit to one row of it, which changes nothing of what the list remembers."""

    PLACE_WORDS: ClassVar[str]
    ONE: ClassVar[str]
    """What one row is called."""
    COLUMN_OF_SORT: ClassVar[Mapping[str, str]] = {"created": "age"}

    def __init__(
        self, session: Session, resource: MachineResource, filter_: str | None = None, visit: int | None = None
    ) -> None:
        """`filter_` None keeps the one that the list had; `visit` shows one row alone."""
        self.kind = resource
        self.visit = visit
        self._visited = View(f"id:{visit}", "-created", visit) if visit is not None else None
        if filter_ is not None and visit is None:
            session.state.view(resource).filter = filter_
        super().__init__(session, resource)

    @property
    def view(self) -> View:
        return self._visited or super().view

    @property
    def is_visit(self) -> bool:
        """Whether one row is shown alone; another filter makes a list of it again."""
        return self.visit is not None and self.view.filter == f"id:{self.visit}"

    def source_of(self, view: View) -> MachineSource:
        session = self.console.session
        return MachineSource(lambda: session.client, self.kind, view.filter, view.sort, self.chrome)

    async def learn_values(self) -> Mapping[str, Sequence[str]]:
        return await self.console.session.learn_values(self.kind)

    def own_handlers(self) -> Mapping[str, Handler]:
        return {"payload": self.see_payload}

    def keys(self) -> Mapping[str, str]:
        """The keys that the detail pane names."""
        return {name: self.key(name) for name in ("payload", "see-run", "see-dead-letter", "see-exception")}

    def breadcrumb(self) -> tuple[Line, Line]:
        right = self.marks.line()
        source = self.source
        searching = isinstance(source, MachineSource) and source.searched < 1
        if searching and isinstance(source, MachineSource):
            right.append((f"searched {int(source.searched * 100)}%  ", "notice"))
        if self.is_visit:
            return self.console.place_line(f"{self.ONE} #{self.visit}"), right
        if self.total is not None:
            in_part = searching or (isinstance(source, MachineSource) and source.counted_in_part)
            right.append((f"{count(self.total, more=in_part)} matching ", "muted"))
        return self.console.place_line(self.PLACE_WORDS, self.view.sort), right

    def show_rows(self, *, cursor_id: int | None = None, keep: bool = False) -> None:
        super().show_rows(cursor_id=cursor_id, keep=keep)
        if self.is_visit:
            self.table.empty = (
                f"{self.ONE[:1].upper()}{self.ONE[1:]} #{self.visit} is not there any more; "
                f"its time was over. {self.key('clear')} goes back."
            )

    def narrow(self, filter_: str) -> None:
        """Another filter on this list."""
        self.console.session.state.remember_filter(filter_)
        self.view.filter = filter_
        self.table.marks.clear()
        self.table.marks_changed()
        self.show_rows()
        self.console.remember()

    def clear(self) -> None:
        if self.is_visit and not self.table.marks:
            self.console.back()
        else:
            super().clear()

    def remember(self) -> None:
        if self.visit is None:
            super().remember()
            self.console.session.state.screen = str(self.resource)

    def why_not(self, bound: Bound) -> str | None:
        needs_row = bound.action is not None or bound.name in NEED_A_ROW
        if needs_row and self.current_row() is None and not self.marked():
            refused = why_not_change(bound.command.label, self.console.session.standing) if bound.action else None
            return refused or f"{bound.command.label} needs a {self.ONE}; there is none under the cursor."
        return super().why_not(bound)

    def copy(self) -> None:
        if self.table.marks.all_matching:
            command = "runs list" if self.kind is MachineResource.RUNS else "dlq export"
            self.notice(f"Copying all that match is a job for: qd {command}. Here, esc clears the marks.", "warning")
        else:
            super().copy()

    # What belongs to it

    def see_payload(self) -> None:
        row = self.current_row()
        if row is not None:
            from quarterdeck.tui.screens.payload import PayloadScreen

            self.console.lay(PayloadScreen(self.kind, int(row["id"]), self.named(row)))

    def named(self, row: Row) -> str:
        """The row in the breadcrumb of what belongs to it."""
        return f"{self.ONE} #{row['id']}"

    def see(self, resource: Any, number: int | None, missing: str) -> None:
        """Go to another thing of the same story, or say why there is none."""
        if number is None:
            self.notice(missing, "warning")
        else:
            self.console.everywhere.visit(resource, int(number))
