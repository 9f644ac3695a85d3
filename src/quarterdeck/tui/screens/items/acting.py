"""What is done with items: actions, claim-next, skip, and taking back what one did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.actions import Action, find_action
from quarterdeck.contract.enums import AnyResource
from quarterdeck.contract.operations import items, sla
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.actions import why_not_action
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.acting import Acting, Row
from quarterdeck.tui.screens.items.screen import QueueScreen
from quarterdeck.tui.screens.prompt import Prompt
from quarterdeck.tui.session import Act
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe

_WHY_NOT = {"Comment": "a comment stays in the timeline", "Retry": "its new run is on its way"}


class ItemActing(Acting):
    AT_ONCE = ("claim", "release", "retry")
    ENTER_SAYS: Mapping[str, str] = {"cancel": "cancels the item"}

    screen: QueueScreen

    def name(self, row: Row) -> Line:
        return [(f"#{row['id']} ", "accent"), (safe(row["title"]), "")]

    def given(self, row: Row) -> Mapping[str, Any]:
        return {"priority": row["priority"], "assignee": row.get("assignee"), "category": row.get("category")}

    async def about(self, action: Action, row: Row) -> tuple[list[Line], bool]:
        holder = row.get("assignee")
        if action.verb == "release" and holder and holder != self.session.actor:
            return [[(f"{safe(holder)} has it, not you; releasing takes it away from them.", "warning")]], True
        lines, danger = await super().about(action, row)
        if action.verb == "refund":
            lines.append(await self._sum_of(row))
        return lines, danger

    async def carry_out(self, action: Action, row: Row, params: Mapping[str, Any]) -> None:
        resource = self.screen.resource
        body: dict[str, Any] = {"params": dict(params)}
        if action.verb != "comment":
            body["version"] = row["version"]
        result = await self.session.client.call(
            items.ACT, body=body, resource=resource, id=row["id"], action=action.verb
        )
        self._done(action.label, resource, result)

    async def _sum_of(self, row: Row) -> Line:
        """What a refund pays out; rows of the table come without their fields."""
        item = await self.session.client.call(items.SHOW, resource=self.screen.resource, id=row["id"])
        told = item.get("fields") or {}
        if told.get("amount") is None:
            return [("The item names no amount.", "warning")]
        amount = told["amount"]
        number = f"{amount:,.2f}" if isinstance(amount, (int, float)) else str(amount)
        return [("Amount: ", "muted"), (safe(f"{number} {told.get('currency') or '(no currency named)'}"), "title")]

    def _done(self, label: str, resource: AnyResource, result: Mapping[str, Any]) -> None:
        item = result["item"]
        undo, why_not = "", ""
        if not result["undoable"]:
            why_not = _WHY_NOT.get(label, "what was before is not kept")
        self.session.did(Act(f"{label} #{item['id']}", resource, item["id"], result["event_id"], why_not=why_not))
        if not why_not:
            undo = f" · {self.session.keymap.key('undo')} takes it back"
        if item.get("assignee") == self.session.actor and item.get("claimed_until"):
            self.session.claims[item["id"]] = resource
        else:
            self.session.claims.pop(item["id"], None)
        said = f"{label}: #{item['id']} is {item['status'].replace('_', ' ')}{undo}"
        if label == "Comment":
            said = f"Comment added to #{item['id']}.{undo}"
        self.screen.notice(said, "success")
        if resource == self.screen.resource:
            self.screen.row_changed(item)

    # Claim-next and skip

    def claim_next(self) -> None:
        self.run(self._claim_next())

    async def _claim_next(self) -> None:
        screen = self.screen
        try:
            result = await self.session.client.call(
                items.CLAIM_NEXT, body={"filter": screen.view.filter}, resource=screen.resource
            )
        except Problem as error:
            if error.code is not Code.NOTHING_TO_CLAIM:
                raise
            where = "matches this filter" if screen.view.filter else "waits in this queue"
            screen.notice(f"Nothing unassigned {where}.", "warning")
            return
        item = result["item"]
        self._done("Claim", screen.resource, result)
        screen.pin(item)

    def suggestion(self) -> None:
        row = self.screen.current_row()
        if row is not None:
            self.run(self._suggestion(row))

    async def _suggestion(self, row: Row) -> None:
        """What the service level suggests now, through the dialog that the action always has."""
        screen = self.screen
        found = await self.session.client.call(sla.CLOCKS, resource=screen.resource, id=row["id"])
        suggested = next(iter(found["suggestions"]), None)
        action = find_action(screen.resource, suggested["verb"]) if suggested is not None else None
        if suggested is None or action is None:
            screen.notice(f"Nothing is suggested for #{row['id']}.")
            return
        refused = why_not_action(action, self.session.standing, row, 0)
        if refused is not None:
            screen.notice(refused, "warning")
            return
        await self._one(action, row, self.session.keymap.key("suggestion"), suggested)

    def skip(self) -> None:
        row = self.screen.current_row()
        if row is None or row.get("assignee") != self.session.actor:
            self.screen.notice("Skip puts back an item that you have claimed; this one is not yours.", "warning")
            return
        self.run(self._skip(row))

    async def _skip(self, row: Row) -> None:
        reason = Field("reason", "Reason", "why it is not for you now", True, False)
        answer = await self.screen.app.push_screen_wait(
            Prompt(
                [("Skip ", "title"), *self.name(row)],
                "put back",
                [reason],
                about=[[("It goes back to the queue and is not offered to you for a while.", "muted")]],
            )
        )
        if answer is None:
            return
        result = await self.session.client.call(
            items.SKIP, body={"reason": answer["reason"]}, resource=self.screen.resource, id=row["id"]
        )
        self._done("Skip", self.screen.resource, result)
        self.screen.notice(
            f"#{row['id']} is back in the queue; {self.session.keymap.key('claim-next')} claims the next."
        )
