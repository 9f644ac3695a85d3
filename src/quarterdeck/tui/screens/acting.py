"""Carrying out actions from the queue: one item at once, many through the bulk dialog."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import Resource, Risk
from quarterdeck.contract.operations import items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.forms import Field, fields_of
from quarterdeck.tui.screens.bulk_flow import BulkTarget, run_bulk, take_back
from quarterdeck.tui.screens.prompt import Prompt
from quarterdeck.tui.session import Act
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.screens.queue import QueueScreen

Row = Mapping[str, Any]
# What is asked for at once; an item with only a reason or a note to give is done without asking.
_AT_ONCE = ("claim", "release")
_ENTER_SAYS = {"cancel": "cancels the item"}
# Refusals of an undo that will be the same the next time.
_FOR_GOOD = (Code.CHANGED_SINCE, Code.NOT_UNDOABLE, Code.NOT_FOUND)


class Acting:
    """The queue screen's hands. Every call runs beside the screen, so that keys go on working."""

    def __init__(self, screen: QueueScreen) -> None:
        self.screen = screen

    @property
    def session(self) -> Any:
        return self.screen.console.session

    def start(self, action: Action, opened_with: str) -> None:
        if self.screen.marked():
            self._run(self._many(action, opened_with))
        else:
            row = self.screen.current_row()
            if row is not None:
                self._run(self._one(action, row, opened_with))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.screen.run_worker(self._told(work), group="acting")

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except FAILURES as error:
            self.screen.notice(sentence(error), "error")
            if isinstance(error, Problem) and error.code in (Code.CHANGED_SINCE, Code.WRONG_STATE, Code.NOT_FOUND):
                self.screen.live.look_again()

    # One item

    async def _one(self, action: Action, row: Row, opened_with: str) -> None:
        resource, item_id = self.screen.resource, int(row["id"])
        params: dict[str, Any] = {}
        fields = () if action.verb in _AT_ONCE else await fields_of(action, str(row["status"]))
        high = action.risk is Risk.HIGH
        holder = row.get("assignee")
        if action.verb == "release" and holder and holder != self.session.actor:
            high = True
            about: list[Line] = [[(f"{safe(holder)} has it, not you; releasing takes it away from them.", "warning")]]
        else:
            about = [[(action.summary, "muted")]]
        if action.verb == "refund":
            about.append(await self._sum_of(row))
        if fields or high:
            answer = await self.screen.app.push_screen_wait(
                Prompt(
                    _title(action, row),
                    action.label.lower(),
                    fields,
                    about=about,
                    known=await self._known(fields),
                    given={
                        "priority": row["priority"],
                        "assignee": row.get("assignee"),
                        "category": row.get("category"),
                    },
                    danger=high,
                    opened_with=opened_with,
                    enter_says=_ENTER_SAYS.get(action.verb, ""),
                )
            )
            if answer is None:
                if high:
                    self.screen.notice("Nothing was done.")
                return
            params = dict(answer)
        body: dict[str, Any] = {"params": params}
        if action.verb != "comment":
            body["version"] = row["version"]
        result = await self.session.client.call(items.ACT, body=body, resource=resource, id=item_id, action=action.verb)
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

    async def _known(self, fields: tuple[Field, ...]) -> dict[str, list[str]]:
        wanted = any(field.known for field in fields)
        known: dict[str, list[str]] = await self.session.learn_values(self.screen.resource) if wanted else {}
        return {**known, "assignee": [self.session.actor, *known.get("assignee", [])]} if wanted else {}

    def _done(self, label: str, resource: Resource, result: Mapping[str, Any]) -> None:
        item = result["item"]
        undo = ""
        if result["undoable"]:
            self.session.did(Act(f"{label} #{item['id']}", resource, item["id"], result["event_id"]))
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
            self.screen.item_changed(item)

    # Claim-next and skip

    def claim_next(self) -> None:
        self._run(self._claim_next())

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

    def skip(self) -> None:
        row = self.screen.current_row()
        if row is None or row.get("assignee") != self.session.actor:
            self.screen.notice("Skip puts back an item that you have claimed; this one is not yours.", "warning")
            return
        self._run(self._skip(row))

    async def _skip(self, row: Row) -> None:
        reason = Field("reason", "Reason", "why it is not for you now", True, False)
        answer = await self.screen.app.push_screen_wait(
            Prompt(
                [("Skip ", "title"), *_name(row)],
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

    # Many

    async def _many(self, action: Action, opened_with: str) -> None:
        screen = self.screen
        marks = screen.table.marks
        target = BulkTarget(
            resource=screen.resource,
            filter=marks.scope if marks.all_matching else screen.view.filter,
            ids=None if marks.all_matching else sorted(marks.ids),
            except_ids=sorted(marks.except_ids) if marks.all_matching else [],
            count=screen.marked(),
            hidden=screen.table.hidden_marks or 0,
        )
        known = await self.session.learn_values(screen.resource)
        operation = await run_bulk(screen.console, action, target, known, opened_with)
        if operation is not None:
            screen.table.marks.clear()
            screen.table.marks_changed()

    # Undo

    def undo(self) -> None:
        if not self.session.acts:
            key = self.session.keymap.key("operations")
            self.screen.notice(f"Nothing of yours to take back here; {key} lists bulk operations.", "warning")
            return
        self._run(self._undo(self.session.acts[-1]))

    async def _undo(self, act: Act) -> None:
        try:
            if act.operation_id:
                if await take_back(self.screen.console, act.operation_id, "u"):
                    self.session.acts.remove(act)
                return
            result = await self.session.client.call(
                items.UNDO, resource=act.resource, id=act.item_id, event_id=act.event_id
            )
        except Problem as error:
            if error.code in _FOR_GOOD:
                self.session.acts.remove(act)
            said = f"{act.label} was not taken back: {sentence(error)}"
            self.screen.notice(f"{said}{self._next_undo(act)}", "error")
            self.screen.live.look_again()
            return
        self.session.acts.remove(act)
        item = result["item"]
        said = f"Taken back: {act.label}. It is {item['status'].replace('_', ' ')} again."
        self.screen.notice(f"{said}{self._next_undo(act)}", "success")
        if act.resource == self.screen.resource:
            self.screen.item_changed(item)

    def _next_undo(self, act: Act) -> str:
        """What the undo key would take back now, where that is about something else than `act` was."""
        following = self.session.acts[-1] if self.session.acts else act
        if following.item_id == act.item_id and following.operation_id == act.operation_id:
            return ""
        return f" {self.session.keymap.key('undo')} now takes back {following.label}."


def _name(row: Row) -> Line:
    return [(f"#{row['id']} ", "accent"), (safe(row["title"]), "")]


def _title(action: Action, row: Row) -> Line:
    return [(f"{action.label} ", "title"), *_name(row)]
