"""A WindowTable and nothing else, on a list made as it is read.

window_table.py [ROWS [DELAY_MS [THEME]]]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from synthetic import NOW, Synthetic
from textual.app import App, ComposeResult
from textual.binding import Binding

from quarterdeck.tui.columns import ITEM_COLUMNS
from quarterdeck.tui.theming import choose
from quarterdeck.tui.widgets.window_table import WindowTable


def _bind(key: str, action: str) -> Binding:
    return Binding(key, f"table('{action}')", show=False, priority=True)


class Alone(App[None]):
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        *(_bind(key, "down") for key in ("j", "down")),
        *(_bind(key, "up") for key in ("k", "up")),
        *(_bind(key, "top") for key in ("g", "home")),
        *(_bind(key, "bottom") for key in ("G", "end")),
        _bind("pagedown", "page_down"),
        _bind("pageup", "page_up"),
        _bind("space", "mark"),
        _bind("v", "range"),
        _bind("A", "mark_all"),
        _bind("escape", "clear"),
        Binding("q", "quit", show=False),
    ]

    def __init__(self, rows: int, delay: float, theme: str) -> None:
        self.look = choose(theme)
        super().__init__(ansi_color=True if self.look.ansi else None)
        self.register_theme(self.look.theme)
        self.theme = self.look.theme.name
        self.source = Synthetic(rows, delay)
        self.table = WindowTable(ITEM_COLUMNS, clock=lambda: NOW)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()
        self.table.show(self.source)

    def action_table(self, name: str) -> None:
        getattr(self.table, f"action_{name}")()


if __name__ == "__main__":
    given = [*sys.argv[1:], *("1000000", "2", "brutalist")[len(sys.argv) - 1 :]]
    Alone(int(given[0]), float(given[1]) / 1000, given[2]).run()
