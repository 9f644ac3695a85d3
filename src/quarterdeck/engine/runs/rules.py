"""What follows from how an attempt ended: pure, so that every rule can be read and tested alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Protocol

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AttemptOutcome, ErrorClass, RunStatus
from quarterdeck.contract.models.queues import Backoff
from quarterdeck.contract.problems import Code
from quarterdeck.engine.runs.outcomes import (
    LONGEST_CODE,
    LONGEST_DETAIL,
    LONGEST_MESSAGE,
    Cancelled,
    Completed,
    Failed,
    GivenBack,
    Lost,
    Outcome,
    clean,
)

POISON = "poison"
MOST_LOST = 3  # a run that has taken so many workers with it gets no other
SILENT = "The worker stopped without a word."
_POISONOUS = "Its worker died each of three times; look at what it does before it is retried."


class Standing(Protocol):
    """As much of a run's row as the rules look at."""

    attempt: int
    max_attempts: int
    retry_count: int
    lost: int
    run_at: int
    cancel_requested: bool
    error_class: str | None
    error_code: str | None
    error_message: str | None


@dataclass(slots=True)
class Change:
    """What becomes of the run, and what is kept of the attempt."""

    status: RunStatus
    outcome: AttemptOutcome
    run_at: int
    max_attempts: int
    retry_count: int
    lost: int
    finished_at: int | None = None
    error_class: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    detail: str | None = None
    result: str | None = None
    retry_at: int | None = None


def decide(row: Any, outcome: Outcome, backoff: Backoff, now: int) -> Change:
    """`row` is a Standing; `now` in ms."""
    change = Change(
        RunStatus.WAITING, AttemptOutcome.GIVEN_BACK, row.run_at, row.max_attempts, row.retry_count, row.lost
    )
    match outcome:
        case Completed():
            change.status, change.outcome, change.finished_at = RunStatus.COMPLETED, AttemptOutcome.COMPLETED, now
            change.result = outcome.result
            return change
        case Cancelled():
            change.outcome = AttemptOutcome.CANCELLED
        case GivenBack():
            change.max_attempts += 1
            change.error_class, change.error_code = row.error_class, row.error_code
            change.error_message = row.error_message
            if outcome.until is not None:
                change.status, change.run_at = RunStatus.SCHEDULED, outcome.until
        case Lost():
            _lose(change, row, outcome, now)
        case Failed():
            _fail(change, row, outcome, backoff, now)
    # Cancelling beats retrying, and dying too: nobody wants this run any more.
    if row.cancel_requested or change.outcome is AttemptOutcome.CANCELLED:
        change.status, change.finished_at, change.retry_at = RunStatus.CANCELLED, now, None
    return change


def _lose(change: Change, row: Any, outcome: Lost, now: int) -> None:
    change.outcome = AttemptOutcome.LOST
    change.error_class, change.error_code, change.error_message = str(ErrorClass.UNKNOWN), str(Code.LEASE_LOST), SILENT
    change.lost += outcome.suspect
    if outcome.suspect and change.lost >= MOST_LOST:
        change.error_code, change.error_message = POISON, _POISONOUS
        change.status, change.finished_at = RunStatus.DEAD, now
    elif row.attempt >= row.max_attempts:
        change.status, change.finished_at = RunStatus.DEAD, now
    else:
        change.retry_count += 1
        change.retry_at = now


def _fail(change: Change, row: Any, outcome: Failed, backoff: Backoff, now: int) -> None:
    change.outcome = AttemptOutcome.FAILED
    change.error_class = str(outcome.error_class)
    change.error_code = clean(outcome.code, LONGEST_CODE)
    change.error_message = clean(outcome.message, LONGEST_MESSAGE)
    change.detail = clean(outcome.detail, LONGEST_DETAIL)
    retryable = outcome.error_class.retryable if outcome.retryable is None else outcome.retryable
    if not retryable or row.attempt >= row.max_attempts:
        change.status, change.finished_at = RunStatus.DEAD, now
        return
    wait = delay(backoff, row.retry_count) if outcome.retry_after is None else max(0.0, outcome.retry_after)
    change.status, change.retry_count = RunStatus.FAILED, row.retry_count + 1
    change.run_at = change.retry_at = now + round(wait * SECOND)


def delay(backoff: Backoff, retries: int) -> float:
    """Seconds before the next attempt after so many retries: full jitter, so that what failed together does not
    come back together."""
    return random.uniform(0, min(backoff.cap, backoff.base * backoff.factor ** min(retries, 100)))
