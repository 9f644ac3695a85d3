"""Policies of service levels: what is promised to whom; made, changed, switched off and deleted here."""

from __future__ import annotations

from quarterdeck.contract.operations import sla
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.screens.setup.editing import UNCHANGED
from quarterdeck.tui.screens.setup.policy_form import FROM_NOW, policy_entries
from quarterdeck.tui.screens.setup.policy_words import POLICY_COLUMNS, calendar, policy_lines, targets
from quarterdeck.tui.screens.setup.screen import Row, SetupScreen
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe

_GO_ON = "Clocks that have started go on to their end, by what held when they did."


class PoliciesScreen(SetupScreen):
    COLUMNS = POLICY_COLUMNS
    NOUN = "policies"
    ONE = "policy"
    PLACE = "policies"
    LIST = sla.POLICIES
    SHOW = sla.POLICY
    HERE = ("sla-policies",)

    def on_mount(self) -> None:
        self.table.empty = f"No policy yet: nothing is promised, and no clock runs.\n{self.key('setup-new')} makes one."

    @property
    def place(self) -> Scope:
        return Scope.POLICIES

    def say_of(self, row: Row) -> Line:
        said: Line = [(f"   {safe(row['name'])}: ", "muted")]
        if row.get("error"):
            return [*said, (safe(row["error"]), "warning")]
        return [*said, (safe(f"{targets(row)}; counts {calendar(row)}"), "")]

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        return policy_lines(row, cells=cells, glyphs=self.glyphs, now=self.console.session.now())

    # Commands

    async def new(self) -> None:
        entries = await policy_entries(self.console.session.tenants, new=True)
        about = "It holds for items that enter their queue from now on."
        row = await self.fill_in([("New policy", "title")], entries, sla.CREATE, about=about)
        if row is not None:
            await self.show_changed(row, f"{row['name']} holds for items that enter from now on.")

    async def change(self, row: Row) -> None:
        entries = await policy_entries((), new=False)
        title: Line = [("Change policy ", "title"), (self.title_of(row), "accent")]
        changed = await self.fill_in(title, entries, sla.CHANGE, row=row, about=FROM_NOW)
        if changed is UNCHANGED:
            self.notice("Nothing was changed.")
        elif changed is not None:
            newer = changed["settings"] != row["settings"]
            said = (
                f"is version {changed['version']}: it holds for items that enter from now on" if newer else "is changed"
            )
            await self.show_changed(None, f"{changed['name']} {said}.")

    async def switch(self, row: Row) -> None:
        on = not row["enabled"]
        about = ["Items that enter go by the next more general policy, or have no clock.", _GO_ON]
        if not on and not await self.ask("switch off", row, about, "setup-switch"):
            return
        await self.send(sla.CHANGE, row, enabled=on)
        await self.show_changed(None, f"{row['name']} is {'on, for items that enter from now on' if on else 'off'}.")

    async def delete(self, row: Row) -> None:
        if await self.ask("delete", row, [_GO_ON, "Nothing brings the policy back."], "setup-delete"):
            await self.send(sla.DELETE, row)
            await self.show_changed(None, f"{row['name']} is deleted.")
