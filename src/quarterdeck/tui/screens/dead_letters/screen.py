"""Dead letters: what has used up its attempts; found, grouped, looked into, retried, given up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import MachineResource, Resource
from quarterdeck.contract.operations import dead_letters
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.listing import Row
from quarterdeck.tui.screens.machines.columns import DEAD_LETTER_COLUMNS
from quarterdeck.tui.screens.machines.pane import MachineDetail
from quarterdeck.tui.screens.machines.screen import MachineList
from quarterdeck.tui.spans import Line

if TYPE_CHECKING:
    from quarterdeck.tui.screens.dead_letters.acting import DeadLetterActing


class DeadLettersScreen(MachineList):
    KIND = MachineResource.DEAD_LETTERS
    NOUN = "dead letters"
    ONE = "dead letter"
    PLACE_WORDS = "dead letters"
    COLUMNS = DEAD_LETTER_COLUMNS
    EXAMPLE = "status:pending queue:refunds-api error:503"

    def make_detail(self) -> DeadLetterDetail:
        return DeadLetterDetail(self)

    def make_acting(self) -> DeadLetterActing:
        from quarterdeck.tui.screens.dead_letters.acting import DeadLetterActing

        return DeadLetterActing(self)

    def empty_words(self) -> str:
        return "Nothing has died. What fails for good, and what other systems post as dead, comes here."

    def own_handlers(self) -> Mapping[str, Handler]:
        return {
            **super().own_handlers(),
            "groups": self.see_groups,
            "growth": self.see_growth,
            "see-run": self.see_run,
            "see-exception": self.see_exception,
        }

    def see_groups(self) -> None:
        from quarterdeck.tui.screens.dead_letters.groups import GroupsScreen

        self.console.lay(GroupsScreen(self.console.session, self.view.filter, self.take_group))

    def see_growth(self) -> None:
        from quarterdeck.tui.screens.dead_letters.growth import GrowthScreen

        self.console.lay(GrowthScreen())

    def take_group(self, filter_: str, everything: bool) -> None:
        """The dead letters of a group; `everything` marks them all."""
        self.narrow(filter_)
        if everything:
            self.marks.mark_all()

    def see_run(self) -> None:
        row = self.current_row()
        if row is not None:
            number = row.get("retry_run_id") or row.get("run_id")
            self.see(
                MachineResource.RUNS, number, "It has no run here: another system posted it, and nobody has retried."
            )

    def see_exception(self) -> None:
        row = self.current_row()
        if row is not None:
            self.see(Resource.EXCEPTIONS, row.get("exception_id"), "No exception was opened for this dead letter.")


class DeadLetterDetail(MachineDetail):
    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Row]:
        """The dead letter, and all that belongs to it."""
        found = await client.call(dead_letters.SHOW, id=row_id)
        return found["dead_letter"], await self.masked(found, "payload", "metadata")

    def describe(self) -> Callable[..., list[Line]]:
        from quarterdeck.tui.screens.machines.detail import dead_letter_lines

        return dead_letter_lines
