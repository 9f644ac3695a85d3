"""When a group of alerts speaks, and what it says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_LATE = 1_000  # ms; what is later than this has been away, and counts anew


class Kind(StrEnum):
    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers of alerts that nothing keeps quiet. `fresh`: fire and were not told; `active`: fire and nobody has
    acknowledged them, the fresh ones included; `acknowledged`; `ended`: are over, and were told as firing; `passed`:
    came and went since the group last spoke or could have.

    `firing` is all that fire, those that are kept quiet included. `sent_at` in ms.
    """

    fresh: int = 0
    active: int = 0
    acknowledged: int = 0
    ended: int = 0
    passed: int = 0
    firing: int = 0
    sent_at: int | None = None
    sent_kind: Kind | None = None


def says(group: Group, now: int, repeat: float) -> Kind | None:
    """`repeat` in ms. What came and went is told with what fires; alone it is no news."""
    if group.fresh:
        return Kind.TRIGGER
    if group.active:
        again = group.sent_at is None or now - group.sent_at >= repeat
        return Kind.TRIGGER if group.ended or group.passed or again else None
    if group.ended and not group.acknowledged:
        return Kind.RESOLVE
    if group.acknowledged and group.sent_kind is Kind.TRIGGER:
        return Kind.ACKNOWLEDGE
    return None


def speaks_again(group: Group, said: Kind | None, due: int, now: int, interval: int) -> int | None:
    """When it may have something to say again; None once it is over. Counted from when it was `due`, so that a look
    that comes a little late each time does not move the others."""
    left = group.ended if said in (None, Kind.ACKNOWLEDGE) else 0
    if not group.firing and not left:
        return None
    return max(due, now - min(interval // 4, _LATE)) + interval
