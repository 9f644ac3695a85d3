"""Which columns a table of some width shows, and how wide. Pure arithmetic; widths in cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from quarterdeck.tui.widgets.rows import Column

GUTTER = 3  # cursor sign, mark sign, space
WIDE = 100  # from here on two cells between columns
SMALLEST_FLEX = 6


class Placed(NamedTuple):
    """A column and the cells it has. `gap` follows it."""

    column: Column
    width: int
    gap: int


def place(columns: Sequence[Column], table: int) -> list[Placed]:
    """The columns that fit into a table `table` cells wide. One cell at the right stays free.

    Flexible columns share what is left. Where even their least width is too much they shrink; then columns
    go from the right, the flexible ones last.
    """
    room = table - GUTTER - 1
    gap = 2 if table >= WIDE else 1
    shown = [column for column in columns if table >= column.hide_below]
    while shown and _least(shown, gap, SMALLEST_FLEX) > room and len(shown) > 1:
        fixed = [column for column in shown if not column.flex]
        shown.remove(fixed[-1] if fixed else shown[-1])
    flexes = [column for column in shown if column.flex]
    left = room - _least(shown, gap, 0)
    placed: list[Placed] = []
    for at, column in enumerate(shown):
        width = column.width
        if column.flex:
            share = left // len(flexes) + (1 if flexes.index(column) < left % len(flexes) else 0)
            width = max(share, 0)
        placed.append(Placed(column, min(width, max(room, 0)), gap if at < len(shown) - 1 else 0))
    return placed


def _least(shown: Sequence[Column], gap: int, flex: int) -> int:
    widths = [min(flex, column.width) if column.flex else column.width for column in shown]
    return sum(widths) + gap * (len(shown) - 1)
