"""Runs: machine work, piece by piece; attempts, payload, log, replay, cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import dead_letters, runs
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.listing import Row
from quarterdeck.tui.screens.machines.columns import RUN_COLUMNS
from quarterdeck.tui.screens.machines.pane import MachineDetail
from quarterdeck.tui.screens.machines.screen import MachineList
from quarterdeck.tui.spans import Line

if TYPE_CHECKING:
    from quarterdeck.tui.screens.runs.acting import RunActing


class RunsScreen(MachineList):
    KIND = MachineResource.RUNS
    NOUN = "runs"
    ONE = "run"
    PLACE_WORDS = "runs"
    COLUMNS = RUN_COLUMNS
    EXAMPLE = "status:failed,dead queue:refunds-api"

    def make_detail(self) -> RunDetail:
        return RunDetail(self)

    def make_acting(self) -> RunActing:
        from quarterdeck.tui.screens.runs.acting import RunActing

        return RunActing(self)

    def empty_words(self) -> str:
        return "No run yet. Another system enqueues them, or: qd runs enqueue"

    def own_handlers(self) -> Mapping[str, Handler]:
        return {**super().own_handlers(), "log": self.see_log, "see-dead-letter": self.see_dead_letter}

    def see_log(self) -> None:
        row = self.current_row()
        if row is not None:
            from quarterdeck.tui.screens.runs.log import LogScreen

            self.console.lay(LogScreen(row))

    def see_dead_letter(self) -> None:
        row = self.current_row()
        if row is None:
            return
        if row.get("dead_letter_id"):
            self.see(MachineResource.DEAD_LETTERS, row["dead_letter_id"], "")
        elif row["status"] == "dead":
            self.run_worker(self._find_dead_letter(int(row["id"])), group="go-to", exclusive=True)
        else:
            self.notice(f"Run #{row['id']} is {row['status']}; it has no dead letter.", "warning")

    async def _find_dead_letter(self, number: int) -> None:
        query = {"filter": f"run:{number}", "limit": 1}
        try:
            found = (await self.console.session.client.call(dead_letters.LIST, query=query))["items"]
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        missing = f"The dead letter of run #{number} is not kept any more."
        self.see(MachineResource.DEAD_LETTERS, found[0]["id"] if found else None, missing)


class RunDetail(MachineDetail):
    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Sequence[Row]]:
        """The run with its payload, and its attempts."""
        found = await client.call(runs.SHOW, id=row_id)
        return await self.masked(found["run"], "payload", "result"), found["attempts"]

    def describe(self) -> Callable[..., list[Line]]:
        from quarterdeck.tui.screens.machines.detail import run_lines

        return run_lines
