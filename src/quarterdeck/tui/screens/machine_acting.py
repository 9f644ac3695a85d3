"""What is done with runs and dead letters, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.operations import items
from quarterdeck.tui.screens.acting import Acting, Row
from quarterdeck.tui.screens.machine_list import MachineList


class MachineActing(Acting):
    screen: MachineList
    ANSWER = ""
    """The member of an answer that holds the row."""

    async def carry_out(self, action: Action, row: Row, params: Mapping[str, Any]) -> None:
        screen = self.screen
        body: dict[str, Any] = {"params": dict(params)}
        if row.get("version") is not None:
            body["version"] = row["version"]
        result = await self.session.client.call(
            items.ACT, body=body, resource=screen.KIND, id=row["id"], action=action.verb
        )
        changed = result.get(self.ANSWER)
        if changed is None and screen.source is not None:
            found = await screen.source.named([int(row["id"])])
            changed = found[0] if found else None
        if changed is None:
            screen.notice(f"{action.label}: {screen.ONE} #{row['id']} is gone.", "warning")
            screen.live.look_again()
            return
        status = str(changed["status"]).replace("_", " ")
        screen.notice(f"{action.label}: {screen.ONE} #{row['id']} is {status}{self.afterwards(action)}", "success")
        screen.row_changed(changed)

    def afterwards(self, action: Action) -> str:
        """What leads on from there, or back."""
        return ""
