"""A chart as lines of spans: title and legend, the drawing with its axis, the times under it.

Lines are drawn in braille dots by plotille's canvas, one canvas a series. Each carries its sign every few cells,
so that they are told apart without colour; where only ASCII is wanted the sign itself draws the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line, crop, width
from quarterdeck.tui.text import fit, safe
from quarterdeck.tui.widgets.chart_axis import rows_with_labels, time_labels, top_of
from quarterdeck.tui.widgets.chart_data import Plot, Series

SMALLEST = 4  # lines of a chart: head, two of drawing, times
LABEL = 7  # cells of a value beside the axis, with the space after it
_NARROWEST = 10
_SIGN_EVERY = 14
_BLANK, _LAST_BRAILLE = 0x2800, 0x28FF

Canvas = list[list[tuple[str, str]]]  # cells of (character, style token), from the top


def chart_lines(
    plot: Plot, cells: int, height: int, glyphs: Glyphs, zone: tzinfo | None = None, *, aside: int = 0
) -> list[Line]:
    """Exactly `height` lines of at most `cells` cells. `zone` None: that of the plot. `aside`: cells at the end of the
    first line that are for something else."""
    head = _head(plot, cells - aside, glyphs)
    wide, high = cells - LABEL - 1, height - 2
    if high >= 6 and high % 2 == 0:
        high -= 1  # so that the axis has a middle; the line that is left stays empty
    if height < SMALLEST or wide < _NARROWEST:
        return [head, *([] for _ in range(height - 1))][:height]
    known = [value for series in plot.series for value in series.values if value is not None]
    if not known or len(plot.times) < 2:
        head = _head(plot._replace(series=()), cells - aside, glyphs)  # nothing is drawn that a legend could explain
        return _filled([head, [], [(" " * (LABEL + 1) + safe(plot.empty), "muted")]], height)
    top = top_of(max(known), plot.most)
    canvas = _draw(plot, wide, high, top, glyphs)
    labels = rows_with_labels(high)
    lines = [head]
    for y, row in enumerate(canvas):
        label = plot.unit(top * labels[y]) if y in labels else ""
        lines.append([(fit(label, LABEL - 1, right=True) + " " + glyphs.vertical, "faint"), *_runs(row)])
    times = time_labels(plot.times[0], plot.times[-1] + plot.step, wide, zone or plot.zone)
    return _filled([*lines, [(" " * (LABEL + 1) + times, "faint")]], height)


def beside(charts: Sequence[Sequence[Line]], cells: int, gap: int = 2) -> list[Line]:
    """Charts next to each other, each `cells` wide."""
    lines: list[Line] = []
    for parts in zip(*charts, strict=True):
        line: Line = []
        for n, part in enumerate(parts):
            line += crop(part, cells)
            if n < len(parts) - 1:
                line.append((" " * ((cells + gap) * (n + 1) - width(line)), ""))
        lines.append(line)
    return lines


def _head(plot: Plot, cells: int, glyphs: Glyphs) -> Line:
    """Title and legend; where there is no room for figures the names stay."""
    title: Line = [(safe(plot.title), "title")]
    note: Line = [(f"  {safe(plot.note)}", "muted")] if plot.note else []
    full, bare = _legend(plot, glyphs, True), _legend(plot, glyphs, False)
    for line in ([*title, *note, *full], [*title, *full], [*title, *bare], full, bare):
        if width(line) <= cells:
            return line
    return crop(bare, cells, glyphs.ellipsis)


def _legend(plot: Plot, glyphs: Glyphs, figures: bool) -> Line:
    line: Line = []
    for series in plot.series:
        said = f" {safe(series.name)}" + (f" {safe(series.figure)}" if figures and series.figure else "")
        line += [("  " + getattr(glyphs, series.sign), series.style), (said, "muted")]
    return line


def _draw(plot: Plot, wide: int, high: int, top: float, glyphs: Glyphs) -> Canvas:
    cells: Canvas = [[(" ", "")] * wide for _ in range(high)]
    dots = [[0] * wide for _ in range(high)]
    for number, series in reversed(list(enumerate(plot.series))):
        sign = getattr(glyphs, series.sign)
        rows = _rasterized(series, wide, high, top)
        for y, row in enumerate(rows):
            for x, drawn in enumerate(row):
                if drawn:
                    dots[y][x] |= drawn
                    cells[y][x] = (sign if glyphs.ascii else chr(_BLANK + dots[y][x]), series.style)
        if not glyphs.ascii:
            _sign(cells, rows, sign, series.style, number, len(plot.series))
    return cells


def _rasterized(series: Series, wide: int, high: int, top: float) -> list[list[int]]:
    """The braille dots of each cell, as the low byte of its character."""
    from plotille import Canvas as Dots

    last = max(len(series.values) - 1, 1)
    # The canvas leaves its upper limits out: they are put one dot further, so that the ends are drawn.
    canvas = Dots(wide, high, 0, 0, last * 2 * wide / (2 * wide - 1), top * 4 * high / (4 * high - 1))
    before: tuple[int, float] | None = None
    for at, value in enumerate(series.values):
        if value is None:
            before = None
            continue
        value = min(max(value, 0.0), top)
        if before is None:
            canvas.point(at, value)
        else:
            canvas.line(*before, at, value)
        before = (at, value)
    found = [[_dots(character) for character in row[:wide].ljust(wide)] for row in canvas.plot().split("\n")]
    return found[:high]


def _dots(character: str) -> int:
    code = ord(character)
    return code - _BLANK if _BLANK <= code <= _LAST_BRAILLE else 0


def _sign(cells: Canvas, rows: list[list[int]], sign: str, style: str, number: int, many: int) -> None:
    """The sign of a series on its line, every few cells; those of the others stand elsewhere."""
    wide = len(cells[0])
    start = (number * _SIGN_EVERY) // max(many, 1) + 1
    for x in range(start, wide, _SIGN_EVERY):
        high = [y for y, row in enumerate(rows) if row[x]]
        if high:
            cells[high[len(high) // 2]][x] = (sign, style)


def _runs(row: Sequence[tuple[str, str]]) -> Line:
    """Neighbours of one style as one span; blanks belong to what stands before them."""
    line: Line = []
    for character, style in row:
        if line and (style == line[-1][1] or character == " "):
            line[-1] = (line[-1][0] + character, line[-1][1])
        else:
            line.append((character, style))
    return line


def _filled(lines: list[Line], height: int) -> list[Line]:
    return [*lines, *([] for _ in range(height - len(lines)))][:height]
