"""What the screens of things that are set up share: a row under the cursor, and forms that make, change and delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import Operation
from quarterdeck.contract.problems import Problem
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.format import plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.setup.editing import Again, Editing, Save, is_conflict
from quarterdeck.tui.screens.setup.entries import Entry, Texts, body_of, texts_of
from quarterdeck.tui.screens.setup.form import SetupForm
from quarterdeck.tui.screens.short_list import ShortListScreen
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of

Row = Mapping[str, Any]
# What is done with the row under the cursor, besides what changes it.
_OF_A_ROW = ("open", "rule-test", "channel-verify")
_CHANGING = ("setup-new", "setup-change", "setup-switch", "setup-delete")
EACH_SECONDS = 60.0  # what somebody else has set up is told by no message


class SetupScreen(ShortListScreen):
    DEFAULT_CSS = "SetupScreen #facts { height: 1fr; }"
    KEY = ("number",)
    SUMMARIES: ClassVar[Mapping[str, str]] = {
        "open": "Show the pane; where it is open, change what it shows.",
        "clear": "Close the pane; then back.",
        "copy": "Copy the name to the clipboard.",
    }

    # What a subclass says

    PLACE: ClassVar[str] = ""  # as the breadcrumb says it
    ONE: ClassVar[str] = ""  # what a row is called
    LIST: ClassVar[Operation]
    SHOW: ClassVar[Operation]  # one of them as it is now, where it can be changed
    ROLE: ClassVar[Role] = Role.ADMIN
    HERE: ClassVar[tuple[str, ...]] = ()
    """Commands that lead here."""

    async def rows(self) -> Sequence[Row]:
        """As the engine has them. Raises Problem and Unreachable."""
        found: Sequence[Row] = (await self.console.session.client.call(self.LIST))["items"]
        return found

    def title_of(self, row: Row) -> str:
        """What a row is called in a sentence; safe."""
        return safe(row["name"])

    async def new(self) -> None:
        """Ask for a new one, and make it."""
        raise NotImplementedError

    async def change(self, row: Row) -> None:
        raise NotImplementedError

    async def switch(self, row: Row) -> None:
        raise NotImplementedError

    async def delete(self, row: Row) -> None:
        raise NotImplementedError

    # The list

    async def read(self) -> Sequence[Row]:
        """`number` is the engine's id: `id` is the table's own."""
        return [{**row, "number": row["id"]} for row in await self.rows()]

    def breadcrumb(self) -> tuple[Line, Line]:
        return self.console.place_line(self.PLACE), self.summary(self.source.rows)

    def summary(self, rows: Sequence[Row]) -> Line:
        """What stands at the right of the breadcrumb."""
        return [(f"{plural(len(rows), self.ONE, self.NOUN)} ", "muted")] if rows else []

    def say_all(self) -> None:
        # Of no row there is nothing to say.
        self.set_class(self.detail.is_open and bool(self.source.rows), "-detail")
        super().say_all()

    def on_mount(self) -> None:
        self.set_interval(EACH_SECONDS, self.soon)

    def on_screen_resume(self) -> None:
        self.soon()

    # Commands

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "setup-new": lambda: self.carry_out(self.new()),
            "setup-change": lambda: self.carry_out(self._with_row(self.change)),
            "setup-switch": lambda: self.carry_out(self._with_row(self.switch)),
            "setup-delete": lambda: self.carry_out(self._with_row(self.delete)),
        }

    async def _with_row(self, work: Callable[[Row], Awaitable[None]]) -> None:
        row = self.current_row()
        if row is not None:
            await work(row)

    def why_not(self, bound: Bound) -> str | None:
        if bound.name in self.HERE:
            return f"These are the {self.NOUN} already."
        label = self.label(bound)
        if bound.command.changes and bound.name.startswith(_CHANGING):
            refused = why_not_change(label, self.console.session.standing, self.ROLE)
            if refused:
                return refused
        refused = super().why_not(bound)
        needs_row = bound.name in _OF_A_ROW or (bound.name.startswith("setup-") and bound.name != "setup-new")
        if bound.name == "open" and self.detail.is_open:
            needs_row = False  # it closes the pane
        if not refused and needs_row and self.current_row() is None:
            return f"{label} needs a {self.ONE}; there is none under the cursor."
        return refused

    def label(self, bound: Bound) -> str:
        if bound.name == "setup-switch":
            row = self.current_row()
            return "Switch off" if row is None or row.get("enabled") else "Switch on"
        if bound.name == "open":
            return "Change" if self._enter_changes else "Detail"
        return super().label(bound)

    @property
    def untold(self) -> tuple[str, ...]:
        return ("setup-change",) if self._enter_changes else ()

    @property
    def _enter_changes(self) -> bool:
        """Enter opens the pane; where it is open, it changes what is shown in it."""
        command = self.console.session.keymap.find("setup-change", self.place)
        return self.detail.is_open and command is not None and self.why_not(command) is None

    def open(self) -> None:
        if self._enter_changes:
            self.carry_out(self._with_row(self.change))
        else:
            self.detail.toggle()

    def clear(self) -> None:
        if self.detail.is_open and not self.has_class("-beside"):
            self.detail.toggle()
        else:
            self.console.back()

    # Calls

    async def fill_in(
        self,
        title: Line,
        entries: Sequence[Entry],
        operation: Operation,
        *,
        row: Row | None = None,
        fixed: Mapping[str, Any] | None = None,
        about: str = "",
    ) -> Row | None:
        """Show a form and send it. The new row as it is; UNCHANGED where nothing was different, None where somebody
        thought better of it."""
        session, of = self.console.session, fixed or {}

        async def make(texts: Texts) -> dict[str, Any]:
            return dict(await session.client.call(operation, body=body_of(entries, texts, of)))

        if row is None:
            return await self.fill_in_with(title, entries, make, given={}, about=about)
        number = row["number"]

        async def send(body: dict[str, Any]) -> Row:
            found: Row = await session.client.call(operation, body=body, id=number)
            return found

        async def read() -> Row:
            found: Row = await session.client.call(self.SHOW, id=number)
            return found

        editing = Editing(entries, row, send, read, of)
        given, again = editing.before, editing.again
        saved = await self.fill_in_with(title, entries, editing.save, given=given, about=about, again=again)
        if saved is None:
            self.soon()  # given up, maybe because somebody else was quicker
        return saved

    async def fill_in_with(
        self,
        title: Line,
        entries: Sequence[Entry],
        save: Save,
        *,
        given: Texts,
        about: str = "",
        again: Again | None = None,
    ) -> Row | None:
        """Show a form; `save` sends it. `given`: what stands in the fields, where that is not what a new row has."""
        texts = {**texts_of(entries, None), **given}
        return await self.console.push_screen_wait(SetupForm(title, entries, texts, save, about, again))

    async def send(self, operation: Operation, row: Row, **body: Any) -> None:
        """Change or delete the row as it is seen here. Where it is another by now, that is shown."""
        seen = {"version": row["version"]}
        said = {"body": {**body, **seen}} if operation.request else {"query": seen}
        try:
            await self.console.session.client.call(operation, id=row["number"], **said)
        except Problem as problem:
            if is_conflict(problem):
                self.soon()
            raise

    async def show_changed(self, row: Row | None, said: str) -> None:
        """Look again after something was done, with the cursor on `row` where it is given."""
        await self.look_again()
        if row is not None:
            self.table.show(self.source, cursor_id=self.source.number((row["id"],)))
        self.notice(said)

    async def ask(self, verb: str, row: Row, about: Sequence[str], key: str) -> bool:
        """Whether it is really to be done; Cancel has the focus."""
        from quarterdeck.tui.screens.prompt import Prompt
        from quarterdeck.tui.spans import wrap

        cells = min(86, self.size.width) - 4
        lines = [line for sentence in about for line in wrap(sentence, cells, "muted")]
        title: Line = [(f"{verb.capitalize()} {self.ONE} ", "title"), (self.title_of(row), "accent")]
        asked = Prompt(title, verb, (), about=lines, danger=True, opened_with=self.key(key))
        return await self.console.push_screen_wait(asked) is not None

    @property
    def glyphs(self) -> Any:
        return look_of(self.app).glyphs
