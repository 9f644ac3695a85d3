"""A line of tiny bars: how something went, in a few cells."""

from __future__ import annotations

from collections.abc import Sequence

_BARS, _BARS_ASCII = "▁▂▃▄▅▆▇█", "_.-~=+*#"


def spark(values: Sequence[float], cells: int, *, ascii: bool = False) -> str:
    """Exactly `cells` cells, oldest at the left, scaled to the highest; the lowest bar is only for nothing at all."""
    bars = _BARS_ASCII if ascii else _BARS
    if not values or cells <= 0:
        return " " * max(cells, 0)
    parts = _parts(values, cells)
    highest = max(parts)
    levels = len(bars) - 1
    drawn = "".join(
        bars[min(levels, 1 + int(part / highest * (levels - 0.5)))] if part > 0 else bars[0] for part in parts
    )
    return drawn.rjust(cells)


def _parts(values: Sequence[float], cells: int) -> list[float]:
    """Averages of neighbours, so that they fit; the newest part is never the smaller one."""
    if len(values) <= cells:
        return list(values)
    size = -(-len(values) // cells)
    start = len(values) % size
    groups = [values[:start]] if start else []
    groups += [values[at : at + size] for at in range(start, len(values), size)]
    return [sum(group) / len(group) for group in groups]
