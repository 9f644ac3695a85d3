"""The pane of a short list: what there is to say of the row under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widget import Widget

from quarterdeck.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from quarterdeck.tui.screens.short_list import ShortListScreen

TALL = 32  # lines of a terminal in which there is room for everything


class ShortDetail:
    """Words only; a subclass may show more under them."""

    def __init__(self, screen: ShortListScreen) -> None:
        self.screen = screen
        self.facts = LinesView(id="facts")
        self.is_open = False

    def pane(self) -> Widget:
        return Vertical(self.facts, id="below")

    def begin(self) -> None:
        """A short list leaves a tall terminal empty, unless the pane is there."""
        self.is_open = self.screen.console.session.state.detail or self.screen.size.height >= TALL
        self.screen.set_class(self.is_open, "-detail")

    def paint(self) -> None:
        """Also after a resize: the words are wrapped to the pane."""
        screen = self.screen
        if not screen.is_mounted or not self.is_open:
            return
        row = screen.current_row()
        cells = self.facts.content_size.width or screen.size.width - 2
        lines = screen.facts(row, cells, brief=screen.size.height < TALL) if row is not None else []
        self.facts.show(lines, keep=True)

    def follow(self) -> None:
        """The cursor may be on another row."""

    def keep_up(self) -> None:
        """Something has happened."""

    def refresh(self) -> None:
        """Ask anew for what is more than words."""

    def toggle(self) -> None:
        self.is_open = self.screen.console.session.state.detail = not self.is_open
        self.screen.set_class(self.is_open, "-detail")
        self.screen.say_all()
        self.screen.call_after_refresh(self.paint)
        self.refresh()

    def scroll(self, direction: int) -> None:
        if self.is_open:
            self.facts.scroll_lines(direction * max(1, self.facts.size.height - 1))
        else:
            self.screen.notice(f"There is no detail pane; {self.screen.key('open')} opens it.")
