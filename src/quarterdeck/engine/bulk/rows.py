"""From rows to what the API says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from quarterdeck.contract.actions import risk_of
from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import BulkKind, BulkStatus, Outcome, read_resource
from quarterdeck.contract.models.bulk import BulkOperation, ReasonCount
from quarterdeck.contract.problems import RETRYABLE, Code
from quarterdeck.contract.transitions import sources
from quarterdeck.engine.bulk.effects import action_of
from quarterdeck.engine.bulk.pace import PACES
from quarterdeck.engine.sentences import sentence
from quarterdeck.engine.subjects import subject_of


def operation(row: Row[Any]) -> BulkOperation:
    action = action_of(row)
    status = BulkStatus(row.status)
    left = row.eligible - row.succeeded - row.failed
    rate = PACES.rate(row.id) if status.is_running else None
    error = PACES.stalled.get(row.id) or row.error
    return BulkOperation(
        id=row.id,
        kind=BulkKind(row.kind),
        parent_id=row.parent_id,
        resource=read_resource(row.resource),
        action=row.action,
        label=label(row),
        params={} if row.kind == BulkKind.UNDO else row.params,
        status=status,
        risk=risk_of(action, row.params),
        undoable=action.undoable,
        reason=row.reason,
        filter=row.filter,
        created_by=row.created_by,
        created_at=to_datetime(row.created_at),
        run_at=_moment(row.run_at),
        started_at=_moment(row.started_at),
        finished_at=_moment(row.finished_at),
        total=row.total,
        eligible=row.eligible,
        skipped=row.skipped,
        succeeded=row.succeeded,
        failed=row.failed,
        cancelled=left if status is BulkStatus.CANCELLED else 0,
        batch_size=row.batch_size,
        parallel=row.parallel,
        batches=row.batches,
        batches_done=row.batches_done,
        rate=rate,
        eta_seconds=left / rate if rate else None,
        cancel_requested=bool(row.cancel_requested),
        error=error,
    )


def label(row: Row[Any]) -> str:
    name = action_of(row).label
    if row.kind == BulkKind.ACTION:
        return name
    return f"{'Undo' if row.kind == BulkKind.UNDO else 'Retry'} of #{row.parent_id}: {name}"


def _moment(value: int | None) -> Any:
    return None if value is None else to_datetime(value)


def why(row: Row[Any], code: str, status: str | None) -> str:
    """The sentence for one item of an operation."""
    action = action_of(row)
    to = row.params.get("status", action.to)
    states = sources(read_resource(row.resource), to) if "status" in row.params else action.from_states
    noun = subject_of(read_resource(row.resource)).noun
    return sentence(code, label(row), status, ", ".join(sorted(states)), to=to, noun=noun)


def reasons(row: Row[Any], verdicts: list[dict[str, Any]]) -> list[ReasonCount]:
    """`verdicts`: [{"code", "status", "count"}], most frequent first."""
    merged: dict[tuple[str, str], int] = {}
    for each in verdicts:
        if each["code"]:
            key = (each["code"], why(row, each["code"], each["status"]))
            merged[key] = merged.get(key, 0) + each["count"]
    return [
        ReasonCount(code=code, sentence=words, count=count, retryable=Code(code) in RETRYABLE)
        for (code, words), count in sorted(merged.items(), key=lambda pair: -pair[1])
    ]


def outcome(row: Row[Any], said: str, *, done: bool) -> Outcome:
    """What was never refused has succeeded, or never ran."""
    if said != Outcome.PENDING:
        return Outcome(said)
    if done:
        return Outcome.SUCCEEDED
    return Outcome.CANCELLED if row.status == BulkStatus.CANCELLED else Outcome.PENDING
