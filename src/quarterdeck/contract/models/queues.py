"""Named queues of machine work: how each carries out its runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quarterdeck.contract.enums import Condition, HandlerKind, Priority
from quarterdeck.contract.models.base import Answer, LongText, Model, Timestamp

QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", examples=["refunds-api"])]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Backoff(Model):
    """How long a failed run waits: up to `base` × `factor`^(attempt - 1) seconds, at most `cap`, full jitter."""

    base: Annotated[float, Field(ge=0, le=86_400)] = 1.0
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    cap: Annotated[float, Field(ge=0, le=604_800)] = 3_600.0


class Keep(Model):
    """Days after which what has ended is removed, by how it ended."""

    completed_days: Annotated[float, Field(gt=0, le=36_500)] = 7
    cancelled_days: Annotated[float, Field(gt=0, le=36_500)] = 7
    dead_days: Annotated[float, Field(gt=0, le=36_500)] = 90


class QueueSettings(Model):
    """`target` is a URL for http, `module:function` or an entry point's name for python, empty for worker.

    `secret_env` names the environment variable that holds the signing secret (`whsec_…`) of http queues.
    """

    handler: HandlerKind = HandlerKind.WORKER
    target: Annotated[str, Field(max_length=2_000)] = ""
    secret_env: Annotated[str, Field(max_length=200)] = ""
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 10
    tenant_concurrency: Annotated[int | None, Field(ge=1, le=10_000)] = None
    rate_per_second: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    backoff: Backoff = Backoff()
    timeout_seconds: Seconds = 300.0
    priority: Priority = Priority.NORMAL
    keep: Keep = Keep()
    exceptions: bool = True  # whether a dead letter of this queue opens an exception


class QueueChange(Model):
    """Only what is given changes, at once and without a restart."""

    handler: HandlerKind | None = None
    target: Annotated[str | None, Field(max_length=2_000)] = None
    secret_env: Annotated[str | None, Field(max_length=200)] = None
    concurrency: Annotated[int | None, Field(ge=1, le=10_000)] = None
    tenant_concurrency: Annotated[int | None, Field(ge=1, le=10_000)] = None
    rate_per_second: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    max_attempts: Annotated[int | None, Field(ge=1, le=100)] = None
    backoff: Backoff | None = None
    timeout_seconds: Annotated[float | None, Field(gt=0, le=86_400)] = None
    priority: Priority | None = None
    keep: Keep | None = None
    exceptions: bool | None = None
    reason: Annotated[str | None, Field(max_length=2_000)] = None


class Pause(Model):
    reason: Annotated[str | None, Field(max_length=2_000)] = None


class Queue(Answer):
    """A queue as it is now.

    Counts are runs: `waiting` may start now, `scheduled` later, `failed` waits for its next attempt; `completed`
    and `dead` of the last hour. `per_minute` is completed runs a minute over the last five; `error_percent` is
    failed attempts of all over the last hour; `trend` is completed runs in each of the last 30 minutes, oldest
    first. `why` says what is wrong, one sentence each.
    """

    name: str
    settings: QueueSettings
    from_config: bool
    paused: bool
    paused_by: str | None
    paused_at: Timestamp | None
    pause_reason: LongText | None
    waiting: int
    scheduled: int
    active: int
    failed: int
    completed: int
    dead: int
    per_minute: float
    error_percent: float | None
    oldest_waiting_at: Timestamp | None
    trend: list[int]
    condition: Condition
    why: list[str]


class QueueList(Answer):
    """Every queue, in the order of their names; there are few."""

    items: list[Queue]
