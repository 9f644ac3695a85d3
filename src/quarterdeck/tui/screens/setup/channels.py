"""Channels: how alerts get to people; made, changed, tested, switched off and deleted here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarterdeck.contract.enums import ChannelKind
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import alerts, channels
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import plural
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.setup.channel_form import ABOUT, OPTIONS, channel_entries
from quarterdeck.tui.screens.setup.channel_words import CHANNEL_COLUMNS, channel_lines, target, verified, why_last
from quarterdeck.tui.screens.setup.editing import UNCHANGED
from quarterdeck.tui.screens.setup.screen import Row, SetupScreen
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe


class ChannelsScreen(SetupScreen):
    COLUMNS = CHANNEL_COLUMNS
    NOUN = "channels"
    ONE = "channel"
    PLACE = "channels"
    NEWS = Message.QUEUES_CHANGED  # a notification is a run
    LIST = channels.LIST
    SHOW = channels.SHOW
    HERE = ("alert-channels",)

    def on_mount(self) -> None:
        self.table.empty = f"No channel yet: nobody hears of alerts.\n{self.key('setup-new')} makes one."

    @property
    def place(self) -> Scope:
        return Scope.CHANNELS

    def handlers(self) -> Mapping[str, Handler]:
        return {**super().handlers(), "channel-verify": lambda: self.carry_out(self._with_row(self.verify))}

    def summary(self, rows: Sequence[Row]) -> Line:
        broken = sum(bool(row["disabled_reason"]) or (row["last"] or {}).get("state") == "failed" for row in rows)
        line: Line = [(f"{self.glyphs.failed} {broken:,} broken  ", "badge-failed")] if broken else []
        return [*line, *super().summary(rows)]

    def say_of(self, row: Row) -> Line:
        said: Line = [(f"   {safe(row['name'])}: ", "muted")]
        if row["disabled_reason"]:
            return [*said, (safe(row["disabled_reason"]), "error")]
        why = why_last(row)
        return [*said, (safe(why), "warning")] if why else [*said, (safe(target(row)), "")]

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        return channel_lines(row, cells=cells, glyphs=self.glyphs, now=self.console.session.now())

    # Commands

    async def new(self) -> None:
        from quarterdeck.tui.screens.picker import Picker

        kind = await self.console.push_screen_wait(Picker("A channel to", OPTIONS, typed=False))
        if kind is None:
            return
        entries = await channel_entries(ChannelKind(kind), self.console.session.tenants, new=True)
        title: Line = [("New channel: ", "title"), (kind, "accent")]
        row = await self.fill_in(title, entries, channels.CREATE, fixed={"settings/kind": kind}, about=ABOUT)
        if row is not None:
            await self.show_changed(row, f"{row['name']} is there. {self.key('channel-verify')} sends a test.")

    async def change(self, row: Row) -> None:
        entries = await channel_entries(ChannelKind(row["kind"]), (), new=False)
        title: Line = [("Change channel ", "title"), (self.title_of(row), "accent")]
        fixed = {"settings/kind": row["kind"]}
        changed = await self.fill_in(title, entries, channels.CHANGE, row=row, fixed=fixed, about=ABOUT)
        if changed is UNCHANGED:
            self.notice("Nothing was changed.")
        elif changed is not None:
            await self.show_changed(None, f"{changed['name']} is changed, also for what waits for it.")

    async def switch(self, row: Row) -> None:
        on = not row["enabled"]
        if not on and not await self.ask("switch off", row, [await self._silent(row)], "setup-switch"):
            return
        await self.send(channels.CHANGE, row, enabled=on)
        await self.show_changed(None, f"{row['name']} is {'on' if on else 'off'}.")

    async def delete(self, row: Row) -> None:
        if await self.ask("delete", row, ["Notifications that wait for it become dead letters."], "setup-delete"):
            await self.send(channels.DELETE, row)
            await self.show_changed(None, f"{row['name']} is deleted.")

    async def _silent(self, row: Row) -> str:
        """Which rules tell people through it."""
        found = (await self.console.session.client.call(alerts.RULES))["items"]
        rules = [each["name"] for each in found if each["enabled"] and row["name"] in each["settings"]["channels"]]
        if not rules:
            return "No rule names it."
        some = ", ".join(rules[:5]) + (" …" if len(rules) > 5 else "")
        return f"{plural(len(rules), 'rule tells', 'rules tell')} nobody through it any more: {some}."

    async def verify(self, row: Row) -> None:
        from quarterdeck.tui.screens.prompt import Prompt
        from quarterdeck.tui.screens.setup.answer import AnswerDialog, Found

        name, session, glyphs = self.title_of(row), self.console.session, self.glyphs
        where: Line = [("It goes to ", "muted"), (safe(target(row)), "")]
        asked = Prompt([("Send a test through ", "title"), (name, "accent")], "sends it", (), about=[where])
        if await self.console.push_screen_wait(asked) is None:
            return

        async def ask(cells: int) -> Found:
            return Found(verified(await session.client.call(channels.VERIFY, id=row["number"]), cells, glyphs))

        title: Line = [("Test of channel ", "title"), (name, "accent")]
        await self.console.push_screen_wait(AnswerDialog(title, "Sending, and waiting for the answer…", ask))
        self.soon()
