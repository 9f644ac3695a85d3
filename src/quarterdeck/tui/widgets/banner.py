"""The line under the breadcrumb of every screen and dialog, while critical alerts fire that nobody has seen to."""

from __future__ import annotations

from quarterdeck.tui.spans import Line
from quarterdeck.tui.widgets.lines import LineView

NO_LINE = 16  # lines of a terminal; with fewer, it stands in the place of the breadcrumb


class Banner(LineView):
    DEFAULT_CSS = "Banner { display: none; }"

    def tell(self, left: Line, right: Line) -> bool:
        """Nothing to say takes no room. Returns whether the line has come or gone."""
        changed = bool(self.display) is not bool(left)
        self.display = bool(left)
        self.show(left, right, base="lost")
        return changed
