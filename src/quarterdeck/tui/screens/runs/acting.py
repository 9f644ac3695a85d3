"""What is done with runs: replay with one key, run now, cancel."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.contract.actions import Action
from quarterdeck.tui.screens.acting import Row
from quarterdeck.tui.screens.machines.acting import MachineActing
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe


class RunActing(MachineActing):
    AT_ONCE = ("retry", "run-now")
    ENTER_SAYS: Mapping[str, str] = {"cancel": "stops the run"}
    ANSWER = "run"
    WHY_NOT: Mapping[str, str] = {
        "cancel": "what was stopped does not go on; a retry does it again from the start",
        "run-now": "it has been started",
    }

    def name(self, row: Row) -> Line:
        return [(f"run #{row['id']} ", "accent"), (safe(f"{row['kind']} in {row['queue']}"), "")]

    def afterwards(self, action: Action) -> str:
        return f" · {self.screen.key('log')} shows its log" if action.verb in self.AT_ONCE else ""
