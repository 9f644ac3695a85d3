"""The closed sets of words. The order of members is their rank."""

from __future__ import annotations

from enum import StrEnum


class Resource(StrEnum):
    """Which kind of queue an item lives in."""

    SUPPORT_TASKS = "support_tasks"
    RETURNS = "returns"
    EXCEPTIONS = "exceptions"


class ItemStatus(StrEnum):
    """Every state of every item machine; `transitions` says which belong to which resource."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECEIVED = "received"
    REFUNDED = "refunded"
    RETRYING = "retrying"
    NEEDS_MANUAL_REVIEW = "needs_manual_review"


class Priority(StrEnum):
    """Most pressing first; the store keeps the rank (0 to 3) so that an index can order by it."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        return _PRIORITIES.index(self)

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        return _PRIORITIES[rank]


_PRIORITIES = tuple(Priority)


class Role(StrEnum):
    """What a principal may do; each role includes the ones before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"

    def covers(self, needed: Role) -> bool:
        return _ROLES.index(self) >= _ROLES.index(needed)


_ROLES = tuple(Role)


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return _RISKS.index(self)


_RISKS = tuple(Risk)


class RunStatus(StrEnum):
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class BulkStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (BulkStatus.COMPLETED, BulkStatus.FAILED, BulkStatus.CANCELLED)

    @property
    def is_running(self) -> bool:
        return self in (BulkStatus.PENDING, BulkStatus.IN_PROGRESS)


class BulkKind(StrEnum):
    """Where a bulk operation comes from."""

    ACTION = "action"
    RETRY = "retry"
    UNDO = "undo"


class Outcome(StrEnum):
    """What became of one item of a bulk operation."""

    PENDING = "pending"
    SKIPPED = "skipped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SortKey(StrEnum):
    """How a list of items can be ordered; `-` before it turns it round.

    `priority` is the triage order: priority, then due, then age.
    """

    PRIORITY = "priority"
    DUE = "due"
    CREATED = "created"
    UPDATED = "updated"
