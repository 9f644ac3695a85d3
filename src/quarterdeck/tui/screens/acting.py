"""Carrying out actions from a list: one row at once, many through the bulk dialog."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from quarterdeck.contract.actions import Action, find_action
from quarterdeck.contract.enums import AnyResource, Risk, read_resource
from quarterdeck.contract.operations import bulk, items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.forms import Field, fields_of
from quarterdeck.tui.screens.bulk.flow import BulkTarget, run_bulk
from quarterdeck.tui.screens.listing import ListScreen
from quarterdeck.tui.screens.picker import Option, Picker
from quarterdeck.tui.screens.prompt import Prompt
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]


class Acting(ABC):
    """The hands of a list. Every call runs beside the screen, so that keys go on working.

    A subclass says what is particular to its rows, and carries out what was decided.
    """

    AT_ONCE: tuple[str, ...] = ()
    """Verbs that ask nothing, although they take a reason or a note."""
    ENTER_SAYS: Mapping[str, str] = {}
    """What enter does in the form of a verb, where the label could be misunderstood."""

    def __init__(self, screen: ListScreen) -> None:
        self.screen = screen

    # What a subclass says

    @abstractmethod
    def name(self, row: Row) -> Line:
        """The row in the title of a dialog."""

    @abstractmethod
    async def carry_out(self, action: Action, row: Row, params: Mapping[str, Any]) -> None:
        """Do it to one row, say so, and show what became of it. Raises Problem and Unreachable."""

    async def about(self, action: Action, row: Row) -> tuple[list[Line], bool]:
        """What the form says above its fields, and whether it is dangerous besides the risk of the action."""
        return [[(action.summary, "muted")]], False

    def given(self, row: Row) -> Mapping[str, Any]:
        """What the fields hold at first."""
        return {}

    # Both

    @property
    def session(self) -> Any:
        return self.screen.console.session

    @property
    def resource(self) -> AnyResource:
        """What bulk operations call the list."""
        return read_resource(str(self.screen.resource))

    def start(self, action: Action, opened_with: str) -> None:
        if self.screen.marked():
            self.run(self._many(action, opened_with))
        else:
            row = self.screen.current_row()
            if row is not None:
                self.run(self._one(action, row, opened_with))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.screen.run_worker(self._told(work), group="acting")

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except FAILURES as error:
            self.screen.notice(sentence(error), "error")
            if isinstance(error, Problem) and error.code in (Code.CHANGED_SINCE, Code.WRONG_STATE, Code.NOT_FOUND):
                self.screen.live.look_again()

    # One row

    async def _one(self, action: Action, row: Row, opened_with: str, suggested: Row | None = None) -> None:
        """`suggested`: "params" that the form holds at first, and "why"."""
        params: dict[str, Any] = {}
        fields = () if action.verb in self.AT_ONCE else await fields_of(action, str(row["status"]))
        about, danger = await self.about(action, row)
        if suggested is not None:
            about = [*about, [(safe(str(suggested["why"])), "warning")]]
        danger = danger or action.risk is Risk.HIGH
        if fields or danger:
            answer = await self.screen.app.push_screen_wait(
                Prompt(
                    [(f"{action.label} ", "title"), *self.name(row)],
                    action.label.lower(),
                    fields,
                    about=about,
                    known=await self._known(fields),
                    given={**self.given(row), **(suggested["params"] if suggested is not None else {})},
                    danger=danger,
                    opened_with=opened_with,
                    enter_says=self.ENTER_SAYS.get(action.verb, ""),
                )
            )
            if answer is None:
                if danger:
                    self.screen.notice("Nothing was done.")
                return
            params = dict(answer)
        await self.carry_out(action, row, params)

    async def _known(self, fields: tuple[Field, ...]) -> dict[str, Sequence[str]]:
        if not any(field.known for field in fields):
            return {}
        known = dict(await self.screen.learn_values())
        return {**known, "assignee": [self.session.actor, *known.get("assignee", ())]}

    # Many

    async def _many(self, action: Action, opened_with: str) -> None:
        screen = self.screen
        marks = screen.table.marks
        target = BulkTarget(
            resource=self.resource,
            filter=marks.scope if marks.all_matching else screen.view.filter,
            ids=None if marks.all_matching else sorted(marks.ids),
            except_ids=sorted(marks.except_ids) if marks.all_matching else [],
            count=screen.marked(),
            hidden=screen.table.hidden_marks or 0,
            selection=screen.marks.selection,
        )
        operation = await run_bulk(screen.console, action, target, await screen.learn_values(), opened_with)
        if operation is not None:
            screen.table.marks.clear()
            screen.table.marks_changed()

    # Saved ones

    def from_template(self) -> None:
        self.run(self._from_template())

    async def _from_template(self) -> None:
        """A saved bulk operation on what matches its filter now; what it would do is shown first."""
        screen, client = self.screen, self.session.client
        if client is None:
            screen.notice(f"Saved bulk operations have to wait: {self.session.lost}", "warning")
            return
        found = (await client.call(bulk.TEMPLATES, query={"limit": 500}))["items"]
        saved = {str(each["id"]): each for each in found if each["resource"] == screen.resource}
        if not saved:
            words = f"Nothing is saved for {screen.resource} yet"
            screen.notice(f"{words}: {screen.key('mark-all')}, an action, and s when it says what would happen.")
            return
        options = [Option(number, *self._template_words(each)) for number, each in saved.items()]
        number = await screen.app.push_screen_wait(Picker("Saved bulk operations", options))
        if number is None:
            return
        chosen = saved[number]
        action = find_action(self.resource, chosen["action"])
        if action is None:
            screen.notice(f"{chosen['name']} is of an action that is no more: {chosen['action']}.", "error")
            return
        off = why_not_change(action.label, self.session.standing, action.role)
        if off is not None:
            screen.notice(off, "warning")
            return
        body = {"filter": chosen["filter"]}
        selection: Mapping[str, Any] = await client.call(items.SELECT, body=body, resource=screen.resource)

        async def as_of_now() -> Mapping[str, Any]:
            return selection

        target = BulkTarget(self.resource, chosen["filter"], None, [], int(selection["count"]), 0, as_of_now)
        await run_bulk(screen.console, action, target, await screen.learn_values(), "", chosen["params"])

    def _template_words(self, template: Mapping[str, Any]) -> tuple[str, str]:
        return template["name"], f"{template['action']} · {template['filter'] or 'the whole list'}"
