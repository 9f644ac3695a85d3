"""Named queues of machine work: how each carries out its runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quarterdeck.contract.enums import Condition, HandlerKind, Priority
from quarterdeck.contract.models.base import Answer, LongText, Model, Timestamp

QUEUE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
QueueName = Annotated[str, Field(pattern=QUEUE_NAME, examples=["refunds-api"])]
Target = Annotated[
    str,
    Field(
        max_length=2_000,
        title="Target",
        description="An address for http; module:function or the name of an entry point for python; else empty.",
    ),
]
SecretEnv = Annotated[
    str,
    Field(
        max_length=200,
        title="Secret",
        description="Name of the environment variable that holds the signing secret (whsec_…) of an http queue.",
    ),
]
Handler = Annotated[
    HandlerKind, Field(title="Handler", description="Who carries out its runs: http, python, or worker (who leases).")
]
Concurrency = Annotated[
    int, Field(ge=1, le=10_000, title="Concurrency", description="Runs that may be active at once. From 1 to 10000.")
]
TenantConcurrency = Annotated[
    int | None,
    Field(
        ge=1, le=10_000, title="Per tenant", description="Of these, runs of one tenant; unset, as many as there are."
    ),
]
Rate = Annotated[
    float | None,
    Field(gt=0, le=1_000_000, title="Rate", description="Runs that may start in a second; unset, no limit."),
]
MaxAttempts = Annotated[
    int,
    Field(ge=1, le=100, title="Attempts", description="Attempts after which a run is a dead letter. From 1 to 100."),
]
TimeoutSeconds = Annotated[
    float, Field(gt=0, le=86_400, title="Time-out", description="Seconds one attempt may take; at most 86400.")
]
RunPriority = Annotated[Priority, Field(title="Priority", description="Of runs that do not say their own.")]
OpensExceptions = Annotated[
    bool, Field(title="Exceptions", description="Whether a dead letter of this queue is handed to a person.")
]


class Backoff(Model):
    """How long a failed run waits: up to `base` × `factor`^(attempt - 1) seconds, at most `cap`, full jitter."""

    base: Annotated[float, Field(ge=0, le=86_400, description="Seconds the first retry waits at most.")] = 1.0
    factor: Annotated[float, Field(ge=1, le=100, description="How many times longer each further retry waits.")] = 2.0
    cap: Annotated[float, Field(ge=0, le=604_800, description="Seconds any retry waits at most.")] = 3_600.0


class Keep(Model):
    """Days after which what has ended is removed, by how it ended."""

    completed_days: Annotated[float, Field(gt=0, le=36_500, description="Days a completed run is kept.")] = 7
    cancelled_days: Annotated[float, Field(gt=0, le=36_500, description="Days a run that was cancelled is kept.")] = 7
    dead_days: Annotated[float, Field(gt=0, le=36_500, description="Days a dead letter is kept.")] = 90


Waits = Annotated[
    Backoff,
    Field(
        title="Backoff",
        description="A failed run waits a random time of up to base × factor^(attempt - 1) seconds, at most cap.",
    ),
]
Keeps = Annotated[
    Keep, Field(title="Keep", description="Days after which runs that have ended are removed, by how they ended.")
]


class QueueSettings(Model):
    """How a queue carries out its runs. An http or python queue has a target."""

    handler: Handler = HandlerKind.WORKER
    target: Target = ""
    secret_env: SecretEnv = ""
    concurrency: Concurrency = 10
    tenant_concurrency: TenantConcurrency = None
    rate_per_second: Rate = None
    max_attempts: MaxAttempts = 5
    backoff: Waits = Backoff()
    timeout_seconds: TimeoutSeconds = 300.0
    priority: RunPriority = Priority.NORMAL
    keep: Keeps = Keep()
    exceptions: OpensExceptions = True


class QueueChange(Model):
    """Only what is given changes, at once and without a restart.

    null takes the limit off for `tenant_concurrency` and `rate_per_second`, and changes nothing elsewhere.
    """

    handler: Handler | None = None
    target: Target | None = None
    secret_env: SecretEnv | None = None
    concurrency: Concurrency | None = None
    tenant_concurrency: TenantConcurrency = None
    rate_per_second: Rate = None
    max_attempts: MaxAttempts | None = None
    backoff: Waits | None = None
    timeout_seconds: TimeoutSeconds | None = None
    priority: RunPriority | None = None
    keep: Keeps | None = None
    exceptions: OpensExceptions | None = None
    reason: Annotated[
        str | None, Field(max_length=2_000, title="Reason", description="Why; kept in the audit log.")
    ] = None


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
