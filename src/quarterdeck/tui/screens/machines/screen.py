"""What the lists of runs and of dead letters share: the source, a search that goes on, the payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from quarterdeck.contract.enums import MachineResource
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.listing import ListScreen, Row
from quarterdeck.tui.screens.machines.sources import MachineSource
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import View

# Commands that are about the row under the cursor.
NEED_A_ROW = ("payload", "log", "see-run", "see-dead-letter", "see-exception")


class MachineList(ListScreen):
    KIND: ClassVar[MachineResource]
    COLUMN_OF_SORT: ClassVar[Mapping[str, str]] = {"created": "age"}

    def __init__(self, session: Session, *, visit: int | None = None, only: str | None = None) -> None:
        super().__init__(session, self.KIND, visit=visit, only=only)

    def source_of(self, view: View) -> MachineSource:
        session = self.console.session
        return MachineSource(lambda: session.client, self.KIND, view.filter, view.sort, self.chrome)

    async def learn_values(self) -> Mapping[str, Sequence[str]]:
        return await self.console.session.learn_values(self.KIND)

    def own_handlers(self) -> Mapping[str, Handler]:
        return {"payload": self.see_payload}

    def keys(self) -> Mapping[str, str]:
        """The keys that the detail pane names."""
        return {name: self.key(name) for name in ("payload", "see-run", "see-dead-letter", "see-exception")}

    def searched(self) -> Line:
        source = self.source
        if isinstance(source, MachineSource) and source.searched < 1:
            return [(f"searched {int(source.searched * 100)}%  ", "notice")]
        return []

    @property
    def counted_in_part(self) -> bool:
        source = self.source
        return isinstance(source, MachineSource) and (source.searched < 1 or source.counted_in_part)

    def gone_words(self) -> str:
        return super().gone_words().replace("any more.", "any more; its time was over.")

    def remember(self) -> None:
        super().remember()
        if self.is_kept:
            self.console.session.state.screen = str(self.resource)

    def why_not(self, bound: Bound) -> str | None:
        needs_row = bound.action is not None or bound.name in NEED_A_ROW
        if needs_row and self.current_row() is None and not self.marked():
            refused = why_not_change(bound.command.label, self.console.session.standing) if bound.action else None
            return refused or f"{bound.command.label} needs a {self.ONE}; there is none under the cursor."
        return super().why_not(bound)

    def copy(self) -> None:
        if self.table.marks.all_matching:
            command = "runs list" if self.KIND is MachineResource.RUNS else "dlq export"
            self.notice(f"Copying all that match is a job for: qd {command}. Here, esc clears the marks.", "warning")
        else:
            super().copy()

    # What belongs to it

    def see_payload(self) -> None:
        row = self.current_row()
        if row is not None:
            from quarterdeck.tui.screens.payload.screen import PayloadScreen

            self.console.lay(PayloadScreen(self.KIND, int(row["id"]), self.named(row)))

    def named(self, row: Row) -> str:
        """The row in the breadcrumb of what belongs to it."""
        return f"{self.ONE} #{row['id']}"

    def see(self, resource: Any, number: int | None, missing: str) -> None:
        """Go to another thing of the same story, or say why there is none."""
        if number is None:
            self.notice(missing, "warning")
        else:
            self.console.everywhere.visit(resource, int(number))
