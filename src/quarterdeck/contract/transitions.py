"""One transition table a state machine. An illegal move is a 409 that names both states."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.contract.enums import (
    AnyResource,
    BulkStatus,
    DeadLetterStatus,
    ItemStatus,
    MachineResource,
    Resource,
    RunStatus,
)

Table = Mapping[str, frozenset[str]]


def _table(rows: dict[str, tuple[str, ...]]) -> Table:
    return {str(state): frozenset(map(str, targets)) for state, targets in rows.items()}


_S, _R, _B, _D = ItemStatus, RunStatus, BulkStatus, DeadLetterStatus

ITEM_TRANSITIONS: Mapping[AnyResource, Table] = {
    Resource.SUPPORT_TASKS: _table(
        {
            _S.OPEN: (_S.IN_PROGRESS, _S.WAITING, _S.RESOLVED, _S.CANCELLED),
            _S.IN_PROGRESS: (_S.OPEN, _S.WAITING, _S.RESOLVED, _S.CANCELLED),
            _S.WAITING: (_S.OPEN, _S.IN_PROGRESS, _S.RESOLVED, _S.CANCELLED),
            _S.RESOLVED: (_S.OPEN, _S.CLOSED),
            _S.CLOSED: (_S.OPEN,),
            _S.CANCELLED: (_S.OPEN,),
        }
    ),
    Resource.RETURNS: _table(
        {
            _S.REQUESTED: (_S.APPROVED, _S.REJECTED),
            _S.APPROVED: (_S.RECEIVED, _S.REJECTED),
            _S.REJECTED: (_S.REQUESTED, _S.CLOSED),
            _S.RECEIVED: (_S.REFUNDED,),
            _S.REFUNDED: (_S.CLOSED,),
            _S.CLOSED: (),
        }
    ),
    Resource.EXCEPTIONS: _table(
        {
            _S.OPEN: (_S.RETRYING, _S.CANCELLED),
            _S.RETRYING: (_S.OPEN, _S.NEEDS_MANUAL_REVIEW, _S.RESOLVED),
            _S.NEEDS_MANUAL_REVIEW: (_S.RETRYING, _S.RESOLVED, _S.CANCELLED),
            _S.RESOLVED: (),
            _S.CANCELLED: (),
        }
    ),
}

RUN_TRANSITIONS: Table = _table(
    {
        _R.SCHEDULED: (_R.WAITING, _R.ACTIVE, _R.CANCELLED),
        _R.WAITING: (_R.ACTIVE, _R.CANCELLED),
        _R.ACTIVE: (_R.COMPLETED, _R.FAILED, _R.DEAD, _R.CANCELLED, _R.WAITING),
        _R.FAILED: (_R.WAITING, _R.ACTIVE, _R.CANCELLED),
        _R.COMPLETED: (),
        _R.DEAD: (_R.WAITING,),
        _R.CANCELLED: (_R.WAITING,),
    }
)

DEAD_LETTER_TRANSITIONS: Table = _table(
    {
        _D.PENDING: (_D.RETRYING, _D.DISCARDED),
        _D.RETRYING: (_D.SUCCEEDED, _D.PENDING),
        _D.SUCCEEDED: (),
        _D.DISCARDED: (_D.PENDING,),
    }
)

BULK_TRANSITIONS: Table = _table(
    {
        _B.DRAFT: (_B.SCHEDULED, _B.PENDING, _B.CANCELLED),
        _B.SCHEDULED: (_B.PENDING, _B.CANCELLED),
        _B.PENDING: (_B.IN_PROGRESS, _B.COMPLETED, _B.FAILED, _B.CANCELLED),
        _B.IN_PROGRESS: (_B.COMPLETED, _B.FAILED, _B.CANCELLED, _B.PENDING),
        _B.FAILED: (_B.PENDING,),
        _B.COMPLETED: (),
        _B.CANCELLED: (_B.PENDING,),
    }
)

FIRST_STATUS: Mapping[AnyResource, ItemStatus] = {
    Resource.SUPPORT_TASKS: _S.OPEN,
    Resource.RETURNS: _S.REQUESTED,
    Resource.EXCEPTIONS: _S.OPEN,
}

# Items that nobody works on any more.
DONE = frozenset({"resolved", "closed", "refunded", "rejected", "cancelled"})

# What claim-next may hand out: work that waits for somebody.
CLAIMABLE: Mapping[Resource, frozenset[str]] = {
    Resource.SUPPORT_TASKS: frozenset({"open"}),
    Resource.RETURNS: frozenset({"requested", "received"}),
    Resource.EXCEPTIONS: frozenset({"open", "needs_manual_review"}),
}


TRANSITIONS: Mapping[AnyResource, Table] = {
    **ITEM_TRANSITIONS,
    MachineResource.RUNS: RUN_TRANSITIONS,
    MachineResource.DEAD_LETTERS: DEAD_LETTER_TRANSITIONS,
}


def statuses(resource: AnyResource) -> tuple[str, ...]:
    """The states of a resource's machine, in the order of the table."""
    return tuple(TRANSITIONS[resource])


def open_filter(resource: Resource) -> str:
    """The filter for items of a queue that are not done."""
    return f"status:{','.join(state for state in statuses(resource) if state not in DONE)}"


def sources(resource: AnyResource, target: str) -> frozenset[str]:
    """The states from which something may move to `target`."""
    return frozenset(state for state, targets in TRANSITIONS[resource].items() if target in targets)


def can_move(table: Table, current: str, target: str) -> bool:
    return target in table.get(current, frozenset())
