"""What is done with dead letters: retry, edit and retry, discard, bring back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.operations import dead_letters
from quarterdeck.tui.screens.acting import Row
from quarterdeck.tui.screens.machines.acting import MachineActing
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe


class DeadLetterActing(MachineActing):
    AT_ONCE = ("retry",)
    ENTER_SAYS: Mapping[str, str] = {"reopen": "makes it pending again"}
    ANSWER = "dead_letter"
    BACK: Mapping[str, tuple[str, Mapping[str, Any]]] = {
        "discard": ("reopen", {}),
        "reopen": ("discard", {"reason": "bringing it back was taken back"}),
    }

    def name(self, row: Row) -> Line:
        return [(f"dead letter #{row['id']} ", "accent"), (safe(f"{row['event_type']} from {row['queue']}"), "")]

    def start(self, action: Action, opened_with: str) -> None:
        row = self.screen.current_row()
        if action.verb == "edit-retry" and row is not None:
            self.run(self._edit(action, row))
        else:
            super().start(action, opened_with)

    def afterwards(self, action: Action) -> str:
        if action.verb == "discard":
            return f" · {self.screen.key('undo')} or {self.screen.key('reopen')} brings it back"
        return f" · {self.screen.key('see-run')} shows its run" if action.to == "retrying" else ""

    async def _edit(self, action: Action, row: Row) -> None:
        """Change the payload, see the difference, then retry."""
        from quarterdeck.tui.screens.payload.edit import PayloadEditor, too_large

        found = await self.session.client.call(dead_letters.SHOW, id=row["id"])
        # A mask that is sent back stands for what it hides.
        letter, payload = found["dead_letter"], self.session.masked(found["payload"])
        refused = too_large(payload)
        if refused:
            self.screen.notice(f"{refused} From a file: qd dlq retry {row['id']} --payload-file FILE", "warning")
            return
        edited = await self.screen.app.push_screen_wait(
            PayloadEditor([("Edit and retry ", "title"), *self.name(letter)], payload)
        )
        if edited is None:
            self.screen.notice("Nothing was done.")
            return
        await self.carry_out(action, letter, {"payload": edited[0]})
