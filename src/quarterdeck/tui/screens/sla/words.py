"""Promises in words: clocks, what a policy suggests, and the columns of what is at risk and of what was broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.actions import find_action
from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import AnyResource
from quarterdeck.tui import format as words
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]
_STATE, _TARGET = 12, 16
_WIDE = 54  # cells that a clock needs in one line


def minutes(value: float) -> str:
    """`45s`, `3m 20s`, `8h`, `2h 05m`, `3d 4h`."""
    said = words.duration(round(value * MINUTE))
    head, _, tail = said.partition(" ")
    return head if tail in ("00s", "00m", "0h") else said


def target_of(row: Row) -> str:
    return str(row["target"]).replace("_", " ")


def left(clock: Row, now: int, glyphs: Glyphs) -> words.Cell:
    """How much time a clock has left, or by how much it is late; changes with the time."""
    if clock["ended_at"] is not None or clock["state"] in ("met", "cancelled"):
        return "", ""
    if clock["state"] == "breached":
        return words.due_signed(clock["breached_at"], now, glyphs)
    if clock["state"] == "paused":
        rest = (clock["target_minutes"] or 0) - clock["used_minutes"]
        return f"{minutes(max(rest, 0))} left", "muted"
    return words.due_signed(clock["due_at"], now, glyphs)


def clock_lines(clocks: Sequence[Row], *, cells: int, now: int, glyphs: Glyphs) -> list[Line]:
    """State, promise, time used of the time there is, time left; in two lines where one is too short."""
    if not clocks:
        return []
    policy = f"  {safe(clocks[0]['policy'])} v{clocks[0]['policy_version']}"
    lines: list[Line] = [[], [("promises", "heading"), (policy, "muted")]]
    for clock in clocks:
        state, style = words.badge(clock["state"], glyphs)
        line: Line = [(state.ljust(_STATE), style), (target_of(clock).ljust(_TARGET), "")]
        used = minutes(clock["used_minutes"])
        of = f"{used} of {minutes(clock['target_minutes'])}" if clock["target_minutes"] is not None else f"{used} used"
        rest = left(clock, now, glyphs)
        if cells >= _WIDE:
            lines.append([*line, (of.ljust(18), "muted"), rest])
        else:
            lines += [[*line, rest], [(" " * _STATE + of, "muted")]]
    return lines


def suggestion_lines(resource: AnyResource, suggestions: Sequence[Row], cells: int, key: str) -> list[Line]:
    """What the policy suggests; `key` carries out the first."""
    lines: list[Line] = []
    for number, each in enumerate(suggestions):
        action = find_action(resource, each["verb"])
        label = action.label if action is not None else each["verb"]
        what = f"{label}: {', '.join(each['params'].values())}"
        if each["verb"] == "comment":
            what = label
        sign: Line = [(key, "key")] if number == 0 else [(" " * len(key), "")]
        said = wrap(f"{what} · {each['why']}", max(cells - len(key) - 1, 10), "warning" if number == 0 else "", most=3)
        lines += [[*(sign if n == 0 else [(" " * len(key), "")]), (" ", ""), *line] for n, line in enumerate(said)]
    return [[], [("suggested", "heading")], *lines] if lines else []
