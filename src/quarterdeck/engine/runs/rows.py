"""From rows to what the API says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import AttemptOutcome, ErrorClass, Priority, RunStatus
from quarterdeck.contract.models.runs import Attempt, Run

_MOMENTS = ("run_at", "lease_until", "created_at", "started_at", "finished_at")
_AS_THEY_ARE = (
    "id", "queue", "kind", "tenant_id", "unique_key", "attempt", "max_attempts", "retry_count", "lost", "progress",
    "worker", "error_code", "error_message", "operation_id", "dead_letter_id",
)  # fmt: skip


def run(row: Row[Any], payload: Any = None, result: Any = None) -> Run:
    """`payload` and `result` as the caller may see them; a list leaves them out."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _AS_THEY_ARE}
    for name in _MOMENTS:
        at = getattr(row, name)
        values[name] = None if at is None else to_datetime(at)
    return Run(
        **values,
        status=RunStatus(row.status),
        priority=Priority.of_rank(row.priority),
        error_class=None if row.error_class is None else ErrorClass(row.error_class),
        payload=payload,
        result=result,
    )


def attempt(row: Row[Any]) -> Attempt:
    """One that has ended, from `run_attempts`."""
    return Attempt(
        number=row.number,
        started_at=to_datetime(row.started_at),
        ended_at=to_datetime(row.ended_at),
        worker=row.worker,
        outcome=AttemptOutcome(row.outcome),
        error_class=None if row.error_class is None else ErrorClass(row.error_class),
        error_code=row.error_code,
        error_message=row.error_message,
        detail=row.detail,
        retry_at=None if row.retry_at is None else to_datetime(row.retry_at),
    )
