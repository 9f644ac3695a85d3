"""Charts under each other, or side by side where the place is wide, or one at a time where it is small."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.tui.spans import Line, both_ends
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.chart_data import Plot
from quarterdeck.tui.widgets.chart_lines import beside, chart_lines
from quarterdeck.tui.widgets.lines import LinesView

STACKED = 6  # lines a chart needs when there are several under each other
TALLEST = 16  # lines; more of them say no more
SIDE_BY_SIDE = 48  # cells a chart needs beside another


class ChartBoard(LinesView):
    """Draws again only when its data or its size has changed, and sends only the lines that differ."""

    DEFAULT_CSS = "ChartBoard { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plots: tuple[Plot, ...] = ()
        self._says = ""
        self._chosen = 0
        self.turn_hint = ""

    def show_plots(self, plots: Sequence[Plot]) -> None:
        if (tuple(plots), "") != (self._plots, self._says):
            self._plots, self._says = tuple(plots), ""
            self._draw()

    def say(self, sentence: str) -> None:
        """A sentence in place of charts."""
        if (sentence, ()) != (self._says, self._plots):
            self._plots, self._says = (), sentence
            self._draw()

    @property
    def is_empty(self) -> bool:
        return not self._plots

    @property
    def has_lines(self) -> bool:
        """Whether anything but nothing is drawn."""
        return any(value for plot in self._plots for series in plot.series for value in series.values)

    @property
    def step(self) -> int:
        """Milliseconds after which the charts are out of date, though nothing new happens."""
        return min((plot.step for plot in self._plots), default=0)

    def turn(self, by: int) -> bool:
        """Another chart, where not all fit. False where all of them stand there already."""
        if len(self._plots) < 2 or self._fitting(*self.content_size) >= len(self._plots):
            return False
        self._chosen = (self._chosen + by) % len(self._plots)
        self._draw()
        return True

    def on_resize(self) -> None:
        self._draw()

    def redraw(self) -> None:
        """After a change of the theme's signs."""
        self._draw()

    def _fitting(self, cells: int, height: int) -> int:
        if self._is_side_by_side(cells, height):
            return len(self._plots)
        return len(self._plots) if height >= STACKED * len(self._plots) else 1

    def _is_side_by_side(self, cells: int, height: int) -> bool:
        many = len(self._plots)
        return many > 1 and cells >= SIDE_BY_SIDE * many and height < TALLEST * many

    def _draw(self) -> None:
        cells, height = self.content_size
        if cells > 0 and height > 0:
            self.show(self._lines_of(cells, height), keep=True)

    def _lines_of(self, cells: int, height: int) -> list[Line]:
        glyphs = look_of(self.app).glyphs
        plots = self._plots
        if not plots:
            return [[(self._says, "muted")]] if self._says else []
        many = len(plots)
        if self._is_side_by_side(cells, height):
            each = (cells - 2 * (many - 1)) // many
            high = min(height, TALLEST)
            return beside([chart_lines(plot, each, high, glyphs) for plot in plots], each)
        if self._fitting(cells, height) == 1:
            chosen = self._chosen % many
            lines = chart_lines(plots[chosen], cells, min(height, TALLEST), glyphs)
            if many > 1 and lines:
                more = f" {chosen + 1}/{many} {self.turn_hint}".rstrip()
                lines[0] = both_ends(lines[0], [(more, "faint")], cells)
            return lines
        each = min(height // many, TALLEST)
        return [line for plot in plots for line in chart_lines(plot, cells, each, glyphs)]
