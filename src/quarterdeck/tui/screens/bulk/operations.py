"""Bulk operations: what runs, what was done, what failed and why; retry, undo, cancel, resume, export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from textual.containers import Container, Vertical
from textual.widget import Widget

from quarterdeck.contract.enums import BulkStatus
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import Operation, bulk
from quarterdeck.tui.actions import why_not_operation
from quarterdeck.tui.columns import OPERATION_COLUMNS, RESULT_COLUMNS
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.detail import operation_lines
from quarterdeck.tui.export import export_results
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.base import ConsoleScreen, Handler
from quarterdeck.tui.screens.bulk.flow import retry_failed, take_back
from quarterdeck.tui.screens.moving import moves
from quarterdeck.tui.screens.picker import Option, Picker
from quarterdeck.tui.session import Session
from quarterdeck.tui.sources import ResultSource, operations_source
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.detail_pane import DetailPane
from quarterdeck.tui.widgets.table_messages import CursorRested, FetchFailed, Refused
from quarterdeck.tui.widgets.window_table import WindowTable

Row = Mapping[str, Any]
BESIDE = 140
PACE_SECONDS = 0.5
_OUTCOMES = (
    ("", "all of them"),
    ("failed", "what failed"),
    ("skipped", "what was skipped before it began"),
    ("succeeded", "what was done"),
    ("cancelled", "what a cancel left undone"),
)


class OperationsScreen(ConsoleScreen):
    """The history, and beside or below it what is under the cursor: reasons, then item by item."""

    DEFAULT_CSS = """
    OperationsScreen #split { layout: vertical; height: 1fr; }
    OperationsScreen.-beside #split { layout: horizontal; }
    OperationsScreen #operations { width: 1fr; height: 1fr; }
    OperationsScreen #below { display: none; height: 62%; border-top: $stroke $line; }
    OperationsScreen.-detail #below { display: block; }
    OperationsScreen.-beside #below { width: 50%; height: 1fr; border-top: none; border-left: $stroke $line; }
    OperationsScreen #below DetailPane {
        display: block; width: 1fr; height: 1fr; min-height: 4; border: none; max-width: 100%;
    }
    OperationsScreen #results { height: 1fr; border-top: $stroke $line; }
    """
    AUTO_FOCUS = "#operations"
    LABELS = {"open": "Item by item", "outcome": "Outcome"}

    def __init__(self, session: Session, operation_id: int | None = None) -> None:
        super().__init__()
        self.table = WindowTable(
            OPERATION_COLUMNS,
            empty="No bulk operation yet. Mark items in a queue (space, A) and act on them.",
            noun="operations",
            clock=session.now,
            id="operations",
        )
        self.results = WindowTable(RESULT_COLUMNS, empty="No item has this outcome.", noun="items", id="results")
        self.pane = DetailPane(id="detail")
        self.outcome = "failed"
        self._wanted = operation_id
        self._detail: Row | None = None
        self._shown: tuple[int, str] | None = None
        self._pending = False

    @property
    def place(self) -> Scope:
        return Scope.OPERATIONS

    def body(self) -> Iterable[Widget]:
        yield Container(self.table, Vertical(self.pane, self.results, id="below"), id="split")

    def breadcrumb(self) -> tuple[Line, Line]:
        running = len(self.console.session.running)
        right: Line = [(f"{running} running ", "badge-active")] if running else []
        return self.console.place_line("operations"), right

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **moves(lambda: self._table),
            "open": self.toggle_detail,
            "clear": self.leave,
            "copy": self.copy,
            "reload": self.show_rows,
            "detail-down": lambda: self._scroll_detail(1),
            "detail-up": lambda: self._scroll_detail(-1),
            "outcome": self.choose_outcome,
            "operation-export": self.export,
            "operation-retry": lambda: self.carry_out(self._retry()),
            "operation-undo": lambda: self.carry_out(self._undo()),
            "operation-cancel": lambda: self.carry_out(self._cancel()),
            "operation-resume": lambda: self.carry_out(self._call(bulk.RESUME, "goes on")),
        }

    @property
    def _table(self) -> WindowTable:
        return self.results if self.results.has_focus else self.table

    def current_row(self) -> Row | None:
        return self.table.cursor_row

    @property
    def is_filling(self) -> bool:
        return self._table.is_filling

    def why_not(self, bound: Bound) -> str | None:
        reason = super().why_not(bound)
        if bound.name == "operations":
            return "These are the operations already."
        if reason or not bound.name.startswith("operation-"):
            return reason
        row = self.current_row()
        if row is None:
            return f"{bound.command.label} needs an operation; there is none under the cursor."
        return why_not_operation(bound.name, row)

    # Showing

    def on_mount(self) -> None:
        self.set_class(True, "-detail")
        if self.console.session.client is not None:
            self.show_rows()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self._paint()

    def show_rows(self) -> None:
        session = self.console.session
        wanted, self._wanted = self._wanted, None
        self.table.show(operations_source(lambda: session.client), cursor_id=wanted or self.table.cursor_id, keep=True)

    def remember(self) -> None:
        self.console.session.state.screen = "operations"

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self.show_rows()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] == Message.RESYNC:
            self.show_rows()
        elif message["type"] == Message.OPERATION_CHANGED:
            self.operation_changed(message["operation"])

    def operation_changed(self, operation: Row) -> None:
        """Newer numbers for one operation; one that is new comes in at the top."""
        if operation["id"] in self.table.visible_ids():
            self.run_worker(self.table.patch([operation]), group="patch")
        elif not self._pending:
            self._pending = True
            self.set_timer(PACE_SECONDS, self._again)
        shown = self._detail
        if shown is not None and shown["operation"]["id"] == operation["id"]:
            self._detail = {**shown, "operation": operation}
            self._paint()
            if BulkStatus(operation["status"]).is_final:
                self._shown = None
                self.refresh_detail()

    def _again(self) -> None:
        self._pending = False
        self.show_rows()

    def on_window_table_cursor_rested(self, event: CursorRested) -> None:
        self.chrome()
        row = self.current_row()
        if event.row is row and (row is None or self._detail is None or self._detail["operation"]["id"] != row["id"]):
            self.refresh_detail()

    def on_window_table_fetch_failed(self, event: FetchFailed) -> None:
        self.notice(event.sentence, "error")

    def on_window_table_refused(self, event: Refused) -> None:
        self.notice(event.sentence, "warning")

    def on_window_table_opened(self) -> None:
        self.toggle_detail()

    def refresh_detail(self) -> None:
        row = self.current_row()
        if row is None:
            self._detail = None
            self.pane.show([])
            return
        self.run_worker(self._fetch(int(row["id"])), group="detail", exclusive=True)

    async def _fetch(self, number: int) -> None:
        client = self.console.session.client
        if client is None:
            return
        try:
            self._detail = await client.call(bulk.SHOW, id=number)
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        operation = self._detail["operation"]
        if self._shown is None or self._shown[0] != number:
            self.outcome = (
                "failed"
                if operation["failed"]
                else "skipped"
                if operation["skipped"] and not operation["succeeded"]
                else ""
            )
        self._paint()
        self._show_results(number)

    def _show_results(self, number: int) -> None:
        if self._shown == (number, self.outcome):
            return
        self._shown = (number, self.outcome)
        session = self.console.session
        self.results.show(ResultSource(lambda: session.client, number, self.outcome))

    def _paint(self) -> None:
        if self._detail is None or not self.is_mounted:
            return
        cells = self.pane.content_size.width or 40
        lines = operation_lines(
            self._detail, cells=cells, now=self.console.session.now(), glyphs=look_of(self.app).glyphs
        )
        self.pane.show(lines, keep=True)

    # Commands

    def toggle_detail(self) -> None:
        """Enter goes into the results, and back to the history."""
        (self.table if self.results.has_focus else self.results).focus()

    def leave(self) -> None:
        if self.results.has_focus:
            self.table.focus()
        else:
            self.console.show_queue()

    def _scroll_detail(self, direction: int) -> None:
        self.pane.scroll_lines(direction * max(1, self.pane.size.height - 2))

    def copy(self) -> None:
        row = self._table.cursor_row
        if row is None:
            self.notice("Nothing to copy: no row under the cursor.")
            return
        text = str(row.get("external_id") or row["id"])
        self.console.copy_text(text, text)

    def choose_outcome(self) -> None:
        def chosen(outcome: str | None) -> None:
            if outcome is not None and self._detail is not None:
                self.outcome = outcome
                self._show_results(int(self._detail["operation"]["id"]))

        options = [Option(word, word or "all", hint) for word, hint in _OUTCOMES]
        self.app.push_screen(Picker("Show which results", options, chosen=self.outcome, typed=False), chosen)

    def export(self) -> None:
        row = self.current_row()
        if row is not None:
            self.carry_out(export_results(self.console, int(row["id"])))

    async def _retry(self) -> None:
        row = self.current_row()
        if row is not None:
            await retry_failed(self.console, int(row["id"]), "r")

    async def _undo(self) -> None:
        row = self.current_row()
        if row is not None:
            await take_back(self.console, int(row["id"]), "u")

    async def _cancel(self) -> None:
        row = self.current_row()
        if row is None:
            return
        from quarterdeck.tui.screens.prompt import Prompt

        asked = await self.console.push_screen_wait(
            Prompt(
                [("Cancel ", "title"), (f"{safe(row['label'])} #{row['id']}", "accent")],
                "stop it",
                (),
                about=[[("It stops after the batches in flight; what is done stays done.", "muted")]],
                danger=True,
                opened_with=self.console.session.keymap.key("operation-cancel"),
            )
        )
        if asked is None:
            self.notice("Nothing was done.")
            return
        await self._call(bulk.CANCEL, "stops after the batches in flight", row)

    async def _call(self, operation: Operation, what: str, row: Row | None = None) -> None:
        row = row or self.current_row()
        if row is None:
            return
        result = await self.console.session.client.call(operation, id=row["id"])
        self.console.operation_changed(result)
        self.operation_changed(result)
        self.notice(f"{row['label']} #{row['id']} {what}.", "success")
