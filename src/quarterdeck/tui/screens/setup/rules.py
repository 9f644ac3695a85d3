"""Rules of alerts: when they fire and who is told; made, changed, tried, switched off and deleted here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import alerts, channels
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.setup.editing import UNCHANGED
from quarterdeck.tui.screens.setup.rule_form import OPTIONS, WATCHED, rule_entries
from quarterdeck.tui.screens.setup.rule_words import RULE_COLUMNS, condition, rule_lines
from quarterdeck.tui.screens.setup.screen import Row, SetupScreen
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe


class RulesScreen(SetupScreen):
    COLUMNS = RULE_COLUMNS
    NOUN = "rules"
    ONE = "rule"
    PLACE = "rules of alerts"
    NEWS = Message.ALERTS_CHANGED
    LIST = alerts.RULES
    SHOW = alerts.RULE
    HERE = ("alert-rules",)

    def on_mount(self) -> None:
        self.table.empty = f"No rule yet: nothing fires.\n{self.key('setup-new')} makes one."

    @property
    def place(self) -> Scope:
        return Scope.RULES

    def handlers(self) -> Mapping[str, Handler]:
        return {**super().handlers(), "rule-test": lambda: self.carry_out(self._with_row(self.test))}

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == "rule-test":  # changes nothing, but is not for everybody
            standing = replace(self.console.session.standing, read_only=False)
            refused = why_not_change(self.label(bound), standing, alerts.TEST.role)
            if refused:
                return refused
        return super().why_not(bound)

    def summary(self, rows: Sequence[Row]) -> Line:
        firing = sum(row["firing"] for row in rows if row["enabled"])
        line: Line = [(f"{self.glyphs.failed} {firing:,} firing  ", "badge-failed")] if firing else []
        return [*line, *super().summary(rows)]

    def say_of(self, row: Row) -> Line:
        said: Line = [(f"   {safe(row['name'])}: ", "muted")]
        if row["error"]:
            return [*said, (safe(row["error"]), "warning")]
        return [*said, (safe(condition(row)), "")]

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        return rule_lines(row, cells=cells, glyphs=self.glyphs, now=self.console.session.now())

    # Commands

    async def new(self) -> None:
        from quarterdeck.tui.screens.picker import Picker

        kind = await self.console.push_screen_wait(Picker("A rule about", OPTIONS, typed=False))
        if kind is None:
            return
        entries = await rule_entries(AlertType(kind), await self._channels(), self.console.session.tenants, new=True)
        title: Line = [("New rule: ", "title"), (WATCHED[AlertType(kind)][0].lower(), "accent")]
        row = await self.fill_in(title, entries, alerts.CREATE, fixed={"type": kind})
        if row is not None:
            said = f"{row['name']} is looked at from now on. {self.key('rule-test')} tries it."
            await self.show_changed(row, said)

    async def change(self, row: Row) -> None:
        entries = await rule_entries(AlertType(row["type"]), await self._channels(), (), new=False)
        title: Line = [("Change rule ", "title"), (self.title_of(row), "accent")]
        changed = await self.fill_in(title, entries, alerts.CHANGE, row=row)
        if changed is UNCHANGED:
            self.notice("Nothing was changed.")
        elif changed is not None:
            await self.show_changed(None, f"{changed['name']} goes by its new settings from now on.")

    async def _channels(self) -> list[str]:
        found = await self.console.session.client.call(channels.LIST)
        return list(dict.fromkeys(each["name"] for each in found["items"]))

    async def switch(self, row: Row) -> None:
        on = not row["enabled"]
        if not on and _alive(row) and not await self.ask("switch off", row, [_over(row)], "setup-switch"):
            return
        await self.send(alerts.CHANGE, row, enabled=on)
        await self.show_changed(None, f"{row['name']} is {'on: it is looked at again' if on else 'off'}.")

    async def delete(self, row: Row) -> None:
        about = [_over(row), "Nothing brings the rule back; switched off it would stay."]
        if await self.ask("delete", row, about, "setup-delete"):
            await self.send(alerts.DELETE, row)
            await self.show_changed(None, f"{row['name']} is deleted.")

    async def test(self, row: Row) -> None:
        from quarterdeck.tui.screens.setup.answer import AnswerDialog, Found
        from quarterdeck.tui.screens.setup.rule_test import trial

        session, glyphs = self.console.session, self.glyphs

        async def ask(cells: int) -> Found:
            found = await session.client.call(alerts.TEST, id=row["number"])
            return trial(row, found, cells, glyphs, session.now())

        title: Line = [("Test of rule ", "title"), (self.title_of(row), "accent")]
        await self.console.push_screen_wait(AnswerDialog(title, "Trying it with the last 24 hours…", ask))


def _alive(row: Mapping[str, Any]) -> int:
    return int(row["firing"] + row["pending"])


def _over(row: Mapping[str, Any]) -> str:
    number = _alive(row)
    if not number:
        return "Nothing fires by it now."
    return plural(number, "alert that fires by it is resolved.", "alerts that fire by it are resolved.")
