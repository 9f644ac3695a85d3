"""Queues of machine work: what is stuck and why; pause, resume, change; charts of what is under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.enums import MachineResource, Role
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import Operation, queues
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import plural
from quarterdeck.tui.forms import Field
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.figures import FiguresScreen
from quarterdeck.tui.screens.queues.words import QUEUE_COLUMNS, condition, queue_lines, reason, style_of
from quarterdeck.tui.session import Act
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of

Row = Mapping[str, Any]
Undone = tuple[Operation, Mapping[str, Any]]


class QueuesScreen(FiguresScreen):
    """A row a queue."""

    COLUMNS = QUEUE_COLUMNS
    NOUN = "queues"
    EMPTY = "No queue yet. A section [queues.NAME] in the config file makes one, and so does: qd queues create NAME"
    NEWS = Message.QUEUES_CHANGED

    @property
    def place(self) -> Scope:
        return Scope.QUEUES

    async def read(self) -> Sequence[Row]:
        rows: Sequence[Row] = (await self.console.session.client.call(queues.LIST))["items"]
        return rows

    def remember(self) -> None:
        self.console.session.state.screen = "queues"

    def breadcrumb(self) -> tuple[Line, Line]:
        return self.console.place_line("queues"), self._conditions()

    def _conditions(self) -> Line:
        """How many do well and how many do not."""
        glyphs, rows = look_of(self.app).glyphs, self.source.rows
        line: Line = []
        # Where there is little room, only what is not as it should be.
        states = ("unhealthy", "degraded", "paused", "healthy")[: 3 if self.size.width < 100 else 4]
        for word in states:
            number = sum(condition(row, glyphs)[0].endswith(f" {word}") for row in rows)
            if number:
                sign, style = condition({"condition": word, "paused": word == "paused"}, glyphs)
                line.append((f"{sign.partition(' ')[0]} {number} {word}  ", style))
        return line or ([("all healthy ", "badge-completed")] if rows else [])

    def say_of(self, row: Row) -> Line:
        why = reason(row)
        said: Line = [(f"   {safe(row['name'])}: ", "muted")]
        if why:
            said.append((safe(why), style_of(row)))
        else:
            said.append(("does well.", "muted"))
        return said

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        return queue_lines(row, cells=cells, glyphs=look_of(self.app).glyphs, brief=brief)

    def charted_queue(self) -> str | None:
        row = self.current_row()
        return str(row["name"]) if row is not None else None

    def fades(self, row: Row) -> bool:
        return bool(row["per_minute"] or row["completed"] or any(row["trend"]))

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "queue-runs": lambda: self.see(MachineResource.RUNS),
            "queue-dead-letters": lambda: self.see(MachineResource.DEAD_LETTERS),
            "queue-pause": lambda: self.carry_out(self._pause()),
            "queue-resume": lambda: self.carry_out(self._resume()),
            "queue-change": lambda: self.carry_out(self._change()),
        }

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == "queues":
            return "These are the queues already."
        label = bound.command.label
        if bound.name == "queue-change" and (
            refused := why_not_change(label, self.console.session.standing, Role.ADMIN)
        ):
            return refused
        refused = super().why_not(bound)
        if refused or not bound.name.startswith("queue-"):
            return refused
        row = self.current_row()
        if row is None:
            return f"{label} needs a queue; there is none under the cursor."
        if bound.name == "queue-pause" and row["paused"]:
            return f"{row['name']} is paused already; {self.key('queue-resume')} goes on."
        if bound.name == "queue-resume" and not row["paused"]:
            return f"{row['name']} is not paused."
        return None

    # Commands

    def see(self, resource: MachineResource) -> None:
        row = self.current_row()
        if row is not None:
            self.console.everywhere.of_queue(resource, str(row["name"]))

    async def _pause(self) -> None:
        from quarterdeck.tui.screens.prompt import Prompt

        row = self.current_row()
        if row is None:
            return
        number = row["active"]
        active = f"{plural(number, 'active run')} {'goes' if number == 1 else 'go'} on to the end"
        asked = await self.console.push_screen_wait(
            Prompt(
                [("Pause ", "title"), (safe(row["name"]), "accent")],
                "pauses it",
                (Field("reason", "Reason", "for those who wonder; may be empty", False, True),),
                about=[[(f"Nothing new is started; {active if number else 'nothing is active'}.", "muted")]],
                opened_with=self.key("queue-pause"),
            )
        )
        if asked is not None:
            await self._call(queues.PAUSE, row, {"reason": asked["reason"]}, "is paused", "Pause", (queues.RESUME, {}))

    async def _resume(self) -> None:
        row = self.current_row()
        if row is not None:
            await self._call(
                queues.RESUME, row, {}, "goes on", "Resume", (queues.PAUSE, {"reason": row["pause_reason"]})
            )

    async def _change(self) -> None:
        from quarterdeck.tui.screens.queues.change import ask_for_change

        row = self.current_row()
        if row is None:
            return
        changes = await ask_for_change(self.console, row)
        if changes is None:
            return
        if not changes.keys() - {"reason"}:
            self.notice("Nothing was changed.")
            return
        before = {name: row["settings"][name] for name in changes if name != "reason"}
        words = "has new settings, from now on"
        await self._call(queues.CHANGE, row, changes, words, "Change", (queues.CHANGE, before))

    async def _call(self, operation: Operation, row: Row, body: Row, what: str, label: str, undone: Undone) -> None:
        """`undone`: what takes it back."""
        session, name = self.console.session, str(row["name"])

        async def back() -> None:
            await session.client.call(undone[0], body=undone[1], queue=name)

        await session.client.call(operation, body=body, queue=name)
        session.did(Act(f"{label} of {safe(name)}", back=back))
        await self.look_again()
        self.notice(f"{name} {what}. {self.key('undo')} takes it back.", "success")

    def taken_back(self, act: Act, row: Row | None) -> None:
        self.soon()
