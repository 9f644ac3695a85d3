"""What a notice says: of the group in its title, and of each of its alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from quarterdeck.contract.clock import iso
from quarterdeck.engine.alerts.grouping import Group
from quarterdeck.engine.alerts.rules import Rule


def title_of(rule: Rule, labels: dict[str, str], group: Group, told: Sequence[Any]) -> str:
    """For people: what it is, of what, and how many."""
    one = told[0] if len(told) == 1 else None
    name = labels.get("alertname") or (one.name if one is not None else rule.name)
    of = ", ".join(f"{key}={value}" for key, value in labels.items() if value and key != "alertname")
    heading = f"{name} ({of})" if of else name
    if one is not None:
        said = one.annotations.get("summary") or one.annotations.get("description")
        return f"{heading}: {said}" if said else heading
    firing = group.active + group.acknowledged
    parts = [f"{firing:,} firing"] if firing else []
    over = group.ended + group.passed
    if over:
        parts.append(f"{over:,} over")
    return f"{heading}: {', '.join(parts)}" if parts else heading


def as_told(row: Row[Any]) -> dict[str, Any]:
    """Of `alerts`."""

    def at(moment: int | None) -> str | None:
        return None if moment is None else iso(moment)

    return {
        "labels": row.labels,
        "annotations": row.annotations,
        "starts_at": at(row.starts_at),
        "ends_at": at(row.resolved_at),
        "value": row.value,
        "threshold": row.threshold,
        "fingerprint": row.fingerprint,
    }
