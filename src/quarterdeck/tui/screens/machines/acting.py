"""What is done with runs and dead letters, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.operations import items
from quarterdeck.tui.screens.acting import Acting, Row
from quarterdeck.tui.screens.machines.screen import MachineList
from quarterdeck.tui.session import Act


class MachineActing(Acting):
    screen: MachineList
    ANSWER = ""
    """The member of an answer that holds the row."""
    BACK: Mapping[str, tuple[str, Mapping[str, Any]]] = {}
    """Which verb, with what, takes back another one."""
    WHY_NOT: Mapping[str, str] = {}
    """Why a verb cannot be taken back, where that is not because a run is on its way."""

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
        self.session.did(self._act(action, changed))
        screen.row_changed(changed)

    def _act(self, action: Action, row: Row) -> Act:
        """What was done, and what takes it back."""
        label, number = f"{action.label} of {self.screen.ONE} #{row['id']}", int(row["id"])
        verb, params = self.BACK.get(action.verb, ("", {}))
        if not verb:
            why_not = self.WHY_NOT.get(action.verb, "its new run is on its way")
            return Act(label, self.screen.KIND, number, why_not=why_not)
        session, answer = self.session, self.ANSWER
        where = {"resource": self.screen.KIND, "id": number, "action": verb}

        async def back() -> Row:
            body = {"params": params, "version": row["version"]}
            found: Row = (await session.client.call(items.ACT, body=body, **where))[answer]
            return found

        return Act(label, self.screen.KIND, number, back=back)

    def afterwards(self, action: Action) -> str:
        """What leads on from there, or back."""
        return ""
