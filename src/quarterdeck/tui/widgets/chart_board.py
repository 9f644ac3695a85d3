"""Charts under each other, side by side or both, as many as there is room for; the others come by turning."""

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
        across, down = self._grid(*self.content_size)
        if across * down >= len(self._plots):
            return False
        self._chosen = (self._chosen + by * across * down) % len(self._plots)
        self._draw()
        return True

    def choose(self, number: int) -> None:
        """The chart that comes first, where not all fit."""
        if number != self._chosen:
            self._chosen = number
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def redraw(self) -> None:
        """After a change of the theme's signs."""
        self._draw()

    def _grid(self, cells: int, height: int) -> tuple[int, int]:
        """How many stand beside each other and under each other: all in one row or one column, if that can be; else
        as many as fit, or one where there is no room beside it."""
        many = len(self._plots)
        if self._is_side_by_side(cells, height):
            return many, 1
        if height >= STACKED * many:
            return 1, many
        across = min(many, cells // SIDE_BY_SIDE)
        if across <= 1:
            return 1, 1
        down = max(1, min(-(-many // across), height // STACKED))
        return min(across, -(-many // down)), down

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
        across, down = self._grid(cells, height)
        each, high = (cells - 2 * (across - 1)) // across, min(height // down, TALLEST)
        turned = across * down < many
        first = self._chosen % many if turned else 0
        shown = [plots[(first + n) % many] for n in range(min(across * down, many))]
        hint = f" {first + 1}/{many} {self.turn_hint}".rstrip() if turned else ""
        last = across - 1  # of the first row: the hint stands at its end
        charts = [
            chart_lines(plot, each, high, glyphs, aside=len(hint) if n == last else 0) for n, plot in enumerate(shown)
        ]
        lines: list[Line] = []
        for row in range(0, len(shown), across):
            lines += charts[row] if across == 1 else beside(charts[row : row + across], each)
        if hint and lines:
            lines[0] = both_ends(lines[0], [(hint, "faint")], cells)
        return lines
