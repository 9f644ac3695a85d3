"""Silences: which alerts are kept quiet, by whom and how long; made and ended here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from quarterdeck.contract.enums import Role, SilenceState
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import alerts
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import moment, plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.setup.entries import Texts, body_of
from quarterdeck.tui.screens.setup.screen import Row, SetupScreen
from quarterdeck.tui.screens.setup.silence_form import GIVEN, silence_entries
from quarterdeck.tui.screens.setup.silence_words import SILENCE_COLUMNS, matched, silence_lines
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.starting import when
from quarterdeck.tui.text import safe

_OVER = 100  # silences that are over, the newest


class SilencesScreen(SetupScreen):
    COLUMNS = SILENCE_COLUMNS
    NOUN = "silences"
    ONE = "silence"
    PLACE = "silences"
    NEWS = Message.ALERTS_CHANGED
    ROLE = Role.OPERATOR
    HERE = ("alert-silences",)
    LABELS: ClassVar[Mapping[str, str]] = {"setup-delete": "End"}
    SUMMARIES: ClassVar[Mapping[str, str]] = {
        **SetupScreen.SUMMARIES,
        "open": "Show or hide the pane.",
        "copy": "Copy what it matches to the clipboard.",
        "setup-delete": "End it now, after a look at what is heard again.",
    }

    def on_mount(self) -> None:
        self.table.empty = f"Nothing is silenced.\n{self.key('setup-new')} keeps alerts quiet for a time."

    @property
    def place(self) -> Scope:
        return Scope.SILENCES

    async def rows(self) -> Sequence[Row]:
        """Those that hold, those to come, and then those that are over."""
        call = self.console.session.client.call
        found = await asyncio.gather(
            *(call(alerts.SILENCES, query={"state": str(state), "limit": _OVER}) for state in _ORDER)
        )
        return [{**row, "name": matched(row)} for answer in found for row in answer["items"]]

    def title_of(self, row: Row) -> str:
        return safe(matched(row))

    def summary(self, rows: Sequence[Row]) -> Line:
        now = self.console.session.now()
        number = sum((moment(row["starts_at"]) or 0) <= now < (moment(row["ends_at"]) or 0) for row in rows)
        return [(f"{plural(number, 'silence holds', 'silences hold')} ", "badge-active" if number else "muted")]

    def say_of(self, row: Row) -> Line:
        if row.get("error"):
            return [(f"   Silence {row['number']}: ", "muted"), (safe(row["error"]), "warning")]
        return [(f"   {safe(row['created_by'])}: ", "muted"), (safe(row["comment"]), "")]

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        return silence_lines(row, cells=cells, glyphs=self.glyphs, now=self.console.session.now())

    def why_not(self, bound: Bound) -> str | None:
        refused = super().why_not(bound)
        row = self.current_row()
        if refused or bound.name != "setup-delete" or row is None:
            return refused
        over = (moment(row["ends_at"]) or 0) <= self.console.session.now()
        return f"Silence {row['number']} is over already." if over else None

    # Commands

    async def new(self) -> None:
        session = self.console.session
        entries = await silence_entries(session.tenants, session.now())

        async def save(texts: Texts) -> dict[str, Any]:
            body = body_of(entries, texts, {})
            await self._agreed(await session.client.call(alerts.PREVIEW_SILENCE, body=body), body)
            return dict(await session.client.call(alerts.SILENCE, body=body))

        row = await self.fill_in_with([("New silence", "title")], entries, save, given=GIVEN)
        if row is not None:
            said = f"{plural(row['alerts'], 'alert is', 'alerts are')} kept quiet. {self.key('setup-delete')} ends it."
            await self.show_changed(row, said)

    async def _agreed(self, preview: Row, body: Row) -> None:
        """Shows what would be kept quiet. Raises TakenBack where somebody thought better of it."""
        from quarterdeck.tui.screens.alerts.picking import first_lines
        from quarterdeck.tui.screens.prompt import Prompt
        from quarterdeck.tui.screens.setup.entries import TakenBack
        from quarterdeck.tui.screens.setup.form import SetupForm

        cells = min(86, self.size.width) - 4
        now = f"{preview['firing']:,} firing and {preview['pending']:,} pending alerts match now"
        quiet = f"; {plural(preview['quiet'], 'of them is', 'of them are')} quiet already." if preview["quiet"] else "."
        lines = wrap(now + quiet, cells)
        lines += first_lines(preview["first"], preview["firing"] + preview["pending"])
        lines += wrap(f"Nothing that matches is sent until {when(moment(body['ends_at']) or 0)}.", cells, "muted")
        title: Line = [("Silence ", "title"), (safe(matched(body)), "accent")]
        look = Prompt(title, "silence", (), about=lines, danger=True, opened_with=self.key("setup-new"))
        form = next(each for each in reversed(self.console.screen_stack) if isinstance(each, SetupForm))
        if not await form.agrees(look):
            raise TakenBack

    async def delete(self, row: Row) -> None:
        about = [plural(row["alerts"], "alert is heard again.", "alerts are heard again.")]
        if await self.ask("end", row, about, "setup-delete"):
            await self.console.session.client.call(alerts.END_SILENCE, id=row["number"])
            await self.show_changed(None, f"Silence {row['number']} is over.")


_ORDER = (SilenceState.ACTIVE, SilenceState.PENDING, SilenceState.EXPIRED)
