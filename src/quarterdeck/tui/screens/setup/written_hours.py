"""Hours of a week, a line for days that are alike: `mon-fri 09:00-12:00 13:00-17:30`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quarterdeck.contract.enums import Weekday
from quarterdeck.tui.screens.setup.written import Written

_DAYS = [str(day) for day in Weekday]
_RANGE = re.compile(r"(\d{1,2}:\d{2})[-–](\d{1,2}:\d{2})")
EXAMPLE = "mon-fri 09:00-12:00 13:00-17:30"


def _read(text: str) -> list[dict[str, Any]]:
    return [window for line in text.splitlines() for window in _line(line)]


def _line(line: str) -> list[dict[str, Any]]:
    days: list[str] = []
    times: list[tuple[str, str]] = []
    for word in re.split(r"[\s,]+", line.strip().lower()):
        found = _RANGE.fullmatch(word)
        if found:
            times.append((found.group(1).zfill(5), found.group(2).zfill(5)))
        elif word[:1].isdigit():
            raise ValueError(f"has '{word}', which are no hours such as 09:00-17:30")
        elif times:
            raise ValueError(f"has days behind hours at '{word}'; write one line for days that are alike: {EXAMPLE}")
        else:
            days += _days(word)
    if not days or not times:
        raise ValueError(f"needs days and hours in '{line.strip()}', such as {EXAMPLE}")
    ordered = sorted(set(days), key=_DAYS.index)
    return [{"days": ordered, "start": start, "end": end} for start, end in times]


def _days(word: str) -> list[str]:
    if word in ("daily", "every-day"):
        return list(_DAYS)
    first, dash, last = word.partition("-")
    ends = [next((day for day in _DAYS if each.startswith(day)), "") for each in ((first, last) if dash else (first,))]
    if not all(ends):
        raise ValueError(f"has '{word}', which is no day; days are {' '.join(_DAYS)}")
    if not dash:
        return ends
    start, end = _DAYS.index(ends[0]), _DAYS.index(ends[1])
    return [_DAYS[at % 7] for at in range(start, end + 1 if end >= start else end + 8)]


def _write(windows: Iterable[Mapping[str, Any]]) -> str:
    lines: dict[str, list[str]] = {}
    for each in windows:
        lines.setdefault(days_said(each["days"]), []).append(f"{each['start']}-{each['end']}")
    return "\n".join(f"{days} {' '.join(hours)}" for days, hours in lines.items())


def days_said(days: Sequence[str]) -> str:
    """`mon-fri`, `sat-sun`, `mon,wed,fri`."""
    numbers = sorted({_DAYS.index(str(day)) for day in days})
    said: list[str] = []
    while numbers:
        run = [numbers.pop(0)]
        while numbers and numbers[0] == run[-1] + 1:
            run.append(numbers.pop(0))
        said.append(_DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}")
    return ",".join(said)


HOURS = Written(_read, _write)
