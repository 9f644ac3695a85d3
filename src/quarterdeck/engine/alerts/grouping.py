"""When a group of alerts speaks, and what it says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers of alerts that nothing keeps quiet. `fresh`: fire and were not told; `active`: fire and nobody has
    acknowledged them, the fresh ones included; `acknowledged`; `ended`: are over, and were told as firing.

    `firing` is all that fire, those that are kept quiet included. `sent_at` in ms.
    """

    fresh: int = 0
    active: int = 0
    acknowledged: int = 0
    ended: int = 0
    firing: int = 0
    sent_at: int | None = None
    sent_kind: Kind | None = None


def says(group: Group, now: int, repeat: int) -> Kind | None:
    """`repeat` in ms."""
    if group.fresh:
        return Kind.TRIGGER
    if group.ended and not group.acknowledged:
        return Kind.TRIGGER if group.active else Kind.RESOLVE
    if group.active:
        if group.ended or group.sent_at is None or now - group.sent_at >= repeat:
            return Kind.TRIGGER
        return None
    if group.acknowledged and group.sent_kind is Kind.TRIGGER:
        return Kind.ACKNOWLEDGE
    return None


def speaks_again(group: Group, said: Kind | None, now: int, interval: int) -> int | None:
    """When it may have something to say again; None once it is over."""
    left = group.ended if said in (None, Kind.ACKNOWLEDGE) else 0
    return now + interval if group.firing or left else None
