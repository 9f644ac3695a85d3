"""A table whose every text comes from somebody hostile. Keys: j, G, n (notice), e (empty), f (failure), q."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from textual.app import App, ComposeResult
from textual.binding import Binding

from quarterdeck.tui.widgets.rows import Column
from quarterdeck.tui.widgets.window_table import WindowTable
from tests.support.hostile import TEXTS
from tests.tui.widgets.list_source import ListSource

COLUMNS = (
    Column("id", "id", 4, lambda row, _: (str(row["id"]), "muted"), right=True),
    # Not made safe by the cell: the table does it all the same.
    Column("title", "title", 20, lambda row, _: (row["title"], ""), flex=True),
    Column("who", TEXTS[0], 12, lambda row, _: (row["title"][::-1], TEXTS[1]), right=True),
    Column("end", "end", 3, lambda row, _: ("end", "")),
)


class Hostile(App[None]):
    BINDINGS = [Binding(key, f"press('{key}')", show=False) for key in "jGnefq"]

    def compose(self) -> ComposeResult:
        self.table = WindowTable(COLUMNS, empty="".join(TEXTS[:40]), noun=TEXTS[2])
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()
        self.fill()

    def fill(self) -> None:
        texts = [*TEXTS, "a\ud800lone surrogate\udfff", "\x00"]
        self.table.show(ListSource([{"id": at, "title": text} for at, text in enumerate(texts, 1)], scope=TEXTS[3]))

    def action_press(self, key: str) -> None:
        match key:
            case "j":
                self.table.action_down()
            case "G":
                self.table.action_bottom()
            case "e":
                self.table.show(ListSource([]))
            case "f":
                source = ListSource([])
                source.fails = "failed: " + "".join(TEXTS)
                self.table.show(source)
            case _:
                self.exit()


if __name__ == "__main__":
    Hostile().run()
