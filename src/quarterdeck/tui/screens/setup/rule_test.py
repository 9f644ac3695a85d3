"""What a rule would do, in words and as a chart: now, and with the last 24 hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.clock import DAY, MINUTE, to_datetime
from quarterdeck.tui.format import duration, moment, per_cent, plural
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.setup.answer import Found
from quarterdeck.tui.screens.setup.rule_words import condition, unit_of
from quarterdeck.tui.screens.setup.written import shown
from quarterdeck.tui.screens.setup.written_labels import write_labels
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.chart_data import Plot, Series, Unit, short

Row = Mapping[str, Any]
STEP = 5 * MINUTE  # as the engine tells values
_MOST = 40
_OWN = ("alertname", "severity")


def trial(rule: Row, found: Row, cells: int, glyphs: Glyphs, now: int) -> Found:
    lines: list[Line] = wrap(f"Fires when {condition(rule)}.", cells, "muted")
    lines += [[], *_now(rule, found, glyphs), []]
    if found["known_since"]:
        lines += _past(rule, found, cells, glyphs, now)
    if found["why"]:
        lines += wrap(found["why"], cells, "warning")
    return Found(lines, plot(rule, found))


def _now(rule: Row, found: Row, glyphs: Glyphs) -> list[Line]:
    if not found["now"]:
        return [[("now  ", "title"), ("it reads nothing", "muted")]]
    lines: list[Line] = [[("now", "title")]]
    for each in found["now"][:_MOST]:
        sign = (
            (f"  {glyphs.failed} fires  ", "badge-failed") if each["fires"] else (f"  {glyphs.completed} quiet  ", "")
        )
        lines.append([sign, (_value(rule, each["value"]), "title"), (f"  {_labels(each['labels'])}", "muted")])
    return [*lines, *_more(len(found["now"]))]


def _past(rule: Row, found: Row, cells: int, glyphs: Glyphs, now: int) -> list[Line]:
    number = len(found["episodes"])
    said = f"it would have fired {plural(number, 'time')}" if number else "it would not have fired"
    lines: list[Line] = [[("last 24 hours  ", "title"), (said, "")]]
    for each in reversed(found["episodes"][-_MOST:]):
        since, until = moment(each["since"]) or 0, moment(each["until"])
        began = to_datetime(since).astimezone().strftime("%a %H:%M")
        line: Line = [(f"  {began}  ", ""), (f"for {duration((until or now) - since)}", "title")]
        line.append((", still" if until is None else "", "badge-failed"))
        line.append(("  in quiet hours" if each["quiet"] else "", "warning"))
        line.append((f"  worst {_value(rule, each['worst'])}  {_labels(each['labels'])}", "muted"))
        lines.append(line)
    return [*lines, *_more(number)]


def _more(number: int) -> list[Line]:
    return [[(f"  … and {number - _MOST:,} more", "muted")]] if number > _MOST else []


def _labels(labels: Mapping[str, str]) -> str:
    return safe(write_labels({name: value for name, value in labels.items() if name not in _OWN}))


def _value(rule: Row, value: float) -> str:
    unit = {"percent": "%", "per_minute": " a minute", "minutes": " min"}.get(
        unit_of(rule["type"], rule["settings"]), ""
    )
    return f"{shown(round(value, 2))}{unit}"


def plot(rule: Row, found: Row) -> Plot | None:
    """The worst value of every five minutes, against the threshold."""
    known = {moment(each["at"]) or 0: each["value"] for each in found.get("values", ())}
    if not known or not found["known_since"]:
        return None
    first = (moment(found["known_since"]) or 0) // STEP * STEP
    times = range(first, first + DAY + STEP, STEP)
    threshold = float(rule["settings"]["threshold"] or 0)
    is_share = unit_of(rule["type"], rule["settings"]) == "percent"
    unit: Unit = per_cent if is_share else short
    lines = (
        Series("threshold", "failed", "error", [threshold] * len(times), unit(threshold)),
        Series("the worst it read", "active", "info", [known.get(at) for at in times]),
    )
    return Plot("24 hours", unit, list(times), STEP, lines)
