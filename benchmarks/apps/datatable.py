"""The baseline: a bare Textual app with a DataTable of 200 rows."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable

WORDS = ("refund", "late delivery", "broken seal", "wrong size", "double charge", "lost parcel")


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("priority", "age", "due", "status", "title", "assignee")
        for row in range(200):
            title = f"Ticket {row}: {WORDS[row % 6]} for order {row * 7919 % 100_000}"
            table.add_row("normal", f"{row % 60}m", f"in {row % 24}h", "open", title[:36], "ana")
        table.focus()


if __name__ == "__main__":
    Bare().run()
