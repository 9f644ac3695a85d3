"""Which alerts something is to be done with: the one under the cursor, a group, what is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import AlertState
from quarterdeck.contract.operations import alerts
from quarterdeck.tui.format import count, plural, severity
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.alerts.source import gather, with_terms
from quarterdeck.tui.screens.alerts.words import labels_said
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.screens.alerts.screen import AlertsScreen

Row = Mapping[str, Any]
# Each call to the engine takes at most 1,000 ids; more calls than ten take longer than anybody watches.
MOST, AT_ONCE = 10_000, 1_000
_FIRING = f"state:{AlertState.FIRING}"
_FIRST = 3


_TOO_MANY = f"More than {count(MOST)} alerts are too many at once; narrow them with a filter."


class TooMany(Exception):
    """One sentence."""


async def picked(screen: AlertsScreen, *, firing: bool) -> list[Row]:
    """As they are now. `firing`: only those that do. Raises TooMany, Problem and Unreachable."""
    client, marks = screen.console.session.client, screen.table.marks
    if screen.marked() > MOST:
        raise TooMany(_TOO_MANY)
    if marks.all_matching:
        found = await _all(client, with_terms(marks.scope, _FIRING, _but(marks.except_ids)))
        return [row for row in found if row["id"] not in marks.except_ids]
    ids = set(marks.ids)
    if not ids:
        row = screen.current_row()
        if row is None:
            return []
        ids = {int(row["id"])}
    found = await _named(client, sorted(each for each in ids if each > 0))
    groups = [str(-each) for each in sorted(ids) if each < 0]
    if groups:
        known = {row["id"] for row in found}
        inside = await _all(client, with_terms(screen.view.filter, _FIRING, f"group:{','.join(groups)}"))
        found += [row for row in inside if row["id"] not in known]
    return [row for row in found if not firing or row["state"] == AlertState.FIRING]


def _but(left_out: set[int]) -> str:
    groups = ",".join(str(-each) for each in sorted(left_out) if each < 0)
    return f"-group:{groups}" if groups else ""


async def _all(client: Any, filter_: str) -> list[Row]:
    found = await gather(client, filter_, MOST + 1)
    if len(found) > MOST:
        raise TooMany(_TOO_MANY)
    return found


async def _named(client: Any, ids: Sequence[int]) -> list[Row]:
    found: list[Row] = []
    for start in range(0, len(ids), 200):
        part = ids[start : start + 200]
        query = {"ids": ",".join(map(str, part)), "limit": len(part)}
        found += (await client.call(alerts.HISTORY, query=query))["items"]
    return found


def about_lines(rows: Sequence[Row], glyphs: Glyphs) -> list[Line]:
    """How many of which severity, and the first of them."""
    split: Line = [(plural(len(rows), "alert"), "title")]
    for each in ("critical", "warning", "info"):
        number = sum(row["severity"] == each for row in rows)
        if number:
            text, style = severity(each, glyphs)
            split += [("   ", ""), (f"{text} {count(number)}", style)]
    return [split, *first_lines(rows[:_FIRST], len(rows))]


def first_lines(rows: Sequence[Row], all_: int) -> list[Line]:
    """The first of so many."""
    lines: list[Line] = []
    for row in rows:
        said = safe(f"{row['name']}  {labels_said(row['labels'])}")
        lines.append([(f"{'#' + str(row['id']):>9} ", "muted"), (said, "")])
    if all_ > len(rows):
        lines.append([(f"{'':>9} … and {count(all_ - len(rows))} more", "muted")])
    return lines
