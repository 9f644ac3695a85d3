"""Alerts in words and cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.enums import AlertState, AlertType
from quarterdeck.tui.format import Cell, count
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.screens.alerts.source import is_group, size
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]
# Labels that are said elsewhere.
SAID = ("alertname", "severity")
# Rules whose values can only be of one unit; of others the rule says which.
_PERCENT = (AlertType.ERROR_RATE_HIGH, AlertType.THROUGHPUT_LOW, AlertType.BULK_FAILURE_RATE)
_STATES = {"firing": ("failed", "firing"), "pending": ("waiting", "pending"), "resolved": ("completed", "resolved")}


def number(value: float) -> str:
    """`18,422`, `0.25`, `93`."""
    return f"{round(value):,}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def value_cell(row: Row) -> str:
    """What was measured, and what the rule allows: `34% (20%)`."""
    if row["value"] is None:
        return ""
    unit = "%" if row["type"] in _PERCENT else ""
    limit = "" if row["threshold"] is None else f" ({number(row['threshold'])}{unit})"
    return f"{number(row['value'])}{unit}{limit}"


def labels_said(labels: Mapping[str, str]) -> str:
    """Without what stands beside it. As it came; not safe."""
    return " ".join(f"{name}={value}" for name, value in labels.items() if name not in SAID and value)


def name_said(row: Row) -> str:
    """As it came; not safe."""
    said = labels_said(row["labels"])
    if not is_group(row):
        return f"{row['name']}  {said}".rstrip()
    several = " and others" if row["names_differ"] else ""
    return f"{row['name']}{several} ({count(size(row))})  {said}".rstrip()


def standing(row: Row, glyphs: Glyphs, mine: str = "") -> Cell:
    """What it does, and who keeps it quiet. Of a group: how many somebody looks after."""
    if is_group(row):
        return _group_standing(row, glyphs)
    if row["state"] == AlertState.FIRING:
        if row["acknowledged_until"] is not None:
            who = "you" if row["acknowledged_by"] == mine else safe(row["acknowledged_by"] or "")
            return f"{glyphs.active} ack {who}", "badge-active"
        if row["silenced_by"] is not None:
            return f"{glyphs.ended} silenced", "muted"
        if row["inhibited_by"] is not None:
            return f"{glyphs.ended} inhibited", "muted"
    kind, word = _STATES.get(str(row["state"]), ("waiting", str(row["state"])))
    return f"{getattr(glyphs, kind)} {word}", "muted" if kind == "waiting" else f"badge-{kind}"


def _group_standing(row: Row, glyphs: Glyphs) -> Cell:
    all_ = size(row)
    if row["acknowledged"] >= all_:
        return f"{glyphs.active} all ack", "badge-active"
    if row["quiet"] >= all_:
        return f"{glyphs.ended} all quiet", "muted"
    if row["acknowledged"]:
        return f"{glyphs.failed} {count(row['acknowledged'])} ack", "badge-failed"
    return f"{glyphs.failed} firing", "badge-failed"


def began(row: Row) -> object:
    """When it fired; where it has not, when it was first seen."""
    return row["since"] if is_group(row) else row["starts_at"] or row["pending_at"]


def named(row: Row) -> str:
    """In a title or a sentence. As it came; not safe."""
    return f"group {row['name']}" if is_group(row) else f"#{row['id']} {row['name']}"
