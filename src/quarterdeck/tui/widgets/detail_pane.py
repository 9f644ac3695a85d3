"""The pane that shows what is under the cursor: below the table, or at its right where there is room."""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.tui.widgets.lines import LinesView


class DetailPane(LinesView):
    """Hidden until the screen has the class `-detail`; at the right where it has `-beside`."""

    resized: Callable[[], None] | None = None
    """What wraps its words to another width."""
    SCOPED_CSS = False
    DEFAULT_CSS = """
    DetailPane { height: 45%; min-height: 2; border-top: $stroke $line; padding: 0 1; display: none; }
    .-detail DetailPane { display: block; }
    .-beside DetailPane { width: 36%; max-width: 70; height: 1fr; border-top: none; border-left: $stroke $line; }
    """

    def on_resize(self) -> None:
        if self.resized is not None:
            self.resized()
