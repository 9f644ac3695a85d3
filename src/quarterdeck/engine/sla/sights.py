"""What a timeline says of its item, moment by moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.contract.transitions import FIRST_STATUS
from quarterdeck.engine.sla.clockwork import VOID, WORDS, Sight


@dataclass(frozen=True, slots=True)
class Line:
    """What of a line of a timeline counts here."""

    at: int
    type: str
    actor: str
    changes: dict[str, Any] | None


def responds(resource: Resource | str, status: str) -> bool:
    """Whether somebody must have looked at an item that is in this state."""
    return status != FIRST_STATUS[Resource(resource)] and status not in VOID


def sights(
    resource: Resource | str,
    born_at: int,
    status: str,
    priority: int,
    lines: Sequence[Line],
    *,
    deleted: bool = False,
) -> list[Sight]:
    """From the oldest on. `status`, `priority` and `deleted` are as they are now, `lines` in their order.

    Where a timeline tells of a value for the first time, what it says was before holds from the beginning.
    """
    told = [line for line in lines if line.type not in WORDS]
    first = Sight(born_at, _first(told, "status", status), _first_rank(told, priority), _first_deleted(told, deleted))
    now = replace(first, responds=responds(resource, first.status))
    seen = [now]
    for line in told:
        changes = line.changes or {}
        answered = line.type == "comment" and line.actor != SYSTEM.actor
        if not answered and not changes.keys() & {"status", "priority", "deleted_at"}:
            continue
        now = Sight(
            max(line.at, born_at),
            changes["status"][1] if "status" in changes else now.status,
            _rank(changes["priority"][1], now.priority) if "priority" in changes else now.priority,
            changes["deleted_at"][1] is not None if "deleted_at" in changes else now.deleted,
        )
        seen.append(replace(now, responds=answered or responds(resource, now.status)))
    return seen


def _first(lines: Sequence[Line], name: str, now: Any) -> Any:
    for line in lines:
        if line.changes and name in line.changes:
            before, after = line.changes[name]
            return after if before is None else before
    return now


def _first_rank(lines: Sequence[Line], now: int) -> int:
    return _rank(_first(lines, "priority", None), now)


def _first_deleted(lines: Sequence[Line], now: bool) -> bool:
    return False if any("deleted_at" in (line.changes or {}) for line in lines) else now


def _rank(word: Any, otherwise: int) -> int:
    return Priority(word).rank if word in Priority.__members__.values() else otherwise
