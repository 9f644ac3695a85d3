"""What the keys that move do on every screen with a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.widgets.window_table import WindowTable


def moves(table: Callable[[], WindowTable]) -> Mapping[str, Handler]:
    """`table`: the one that has the keys at that moment."""
    return {
        "down": lambda: table().action_down(),
        "up": lambda: table().action_up(),
        "top": lambda: table().action_top(),
        "bottom": lambda: table().action_bottom(),
        "page-down": lambda: table().action_page_down(),
        "page-up": lambda: table().action_page_up(),
    }
