"""Where an axis ends and what stands along it. Pure; times are milliseconds since 1970."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo

from quarterdeck.contract.clock import DAY, to_datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (1.0, 1.2, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def top_of(highest: float, most: float | None = None) -> float:
    """A round number that is not below `highest`, half of which is round as well; 1, or `most`, where all is zero."""
    if highest <= 0:
        return 1.0 if most is None else most
    power = 10.0 ** math.floor(math.log10(highest))
    found = next((step * power for step in _STEPS if step * power >= highest * (1 - 1e-9)), 10 * power)
    return found if most is None else min(found, most)


def rows_with_labels(height: int) -> dict[int, float]:
    """Which lines of a canvas have a label, from the top, and what part of the axis each stands for."""
    if height < 2:
        return {0: 1.0}
    marks = {0: 1.0, height - 1: 0.0}
    if height >= 5 and height % 2:
        marks[height // 2] = 0.5
    return marks


def time_labels(first: int, last: int, cells: int, zone: tzinfo | None = None) -> str:
    """Local times under a canvas `cells` wide: its beginning, its end, and what fits between them.

    A time of another day than the last one says which; over many days the days are enough.
    """
    end = to_datetime(last).astimezone(zone)
    said = _date if last - first > 3 * DAY else _clock
    count = max(2, min(7, cells // 16 + 1))
    if cells < 11:
        return said(end, end)[:cells].rjust(cells)
    line = [" "] * cells
    free_from = 0
    for n in range(count):
        part = n / (count - 1)
        text = said(to_datetime(round(first + (last - first) * part)).astimezone(zone), end)
        at = min(max(round(part * (cells - 1)) - (len(text) // 2 if 0 < n < count - 1 else 0), 0), cells - len(text))
        if at < free_from and n:
            continue
        if n and n < count - 1 and at + len(text) + 1 > cells - 5:
            continue
        line[at : at + len(text)] = text
        free_from = at + len(text) + 1
    return "".join(line)


def _clock(moment: datetime, last: datetime) -> str:
    text = f"{moment:%H:%M}"
    return text if moment.date() == last.date() else f"{_DAYS[moment.weekday()]} {text}"


def _date(moment: datetime, _last: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]}"
