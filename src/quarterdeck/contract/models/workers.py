"""How machine work goes: throughput, latency, errors, and the workers that do it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quarterdeck.contract.enums import Condition, Window
from quarterdeck.contract.models.base import Answer, Model, Tenant, Timestamp
from quarterdeck.contract.models.queues import QueueName
from quarterdeck.contract.models.runs import RunKind


class SeriesQuery(Model):
    """5m and 1h come in minutes, 24h in steps of 15 minutes. Unset narrows nothing."""

    window: Window = Window.HOUR
    queue: QueueName | None = None
    kind: RunKind | None = None
    tenant: Tenant | None = None


class ThroughputPoint(Answer):
    """Runs in the step that starts at `at`."""

    at: Timestamp
    enqueued: int
    completed: int
    failed: int
    dead: int


class Throughput(Answer):
    """`per_second` is completed runs a second over the window; `lag_seconds` is how long the oldest run has waited.

    The last step is not over. Where a kind or tenants are asked for, a run that stands behind hundreds of others of
    its queue is not looked for.
    """

    window: Window
    step_seconds: int
    points: list[ThroughputPoint]
    per_second: float
    lag_seconds: float | None


class LatencyPoint(Answer):
    """Milliseconds; null where nothing ended in the step."""

    at: Timestamp
    p50: float | None
    p95: float | None
    p99: float | None


class Latency(Answer):
    """How long attempts took, and how long runs waited for their first (`wait_…`), in milliseconds.

    From histograms whose buckets grow by a quarter: a figure is right to within that.
    """

    window: Window
    step_seconds: int
    points: list[LatencyPoint]
    p50: float | None
    p95: float | None
    p99: float | None
    wait_p50: float | None
    wait_p95: float | None
    wait_p99: float | None


class ErrorPoint(Answer):
    at: Timestamp
    percent: float | None


class ErrorCount(Answer):
    """How often attempts ended with this code in the window."""

    queue: str
    error_class: str
    error_code: str
    count: int


class Errors(Answer):
    """`percent` is failed attempts of all that ended."""

    window: Window
    step_seconds: int
    points: list[ErrorPoint]
    percent: float | None
    top: list[ErrorCount]


class WorkerInstance(Answer):
    """One worker process. `why` says what is wrong. `checked_at` and `response_ms` are of the newest check."""

    name: str
    type: str
    queues: list[str]
    condition: Condition
    why: str | None
    url: str | None
    checked_at: Timestamp | None
    response_ms: float | None
    failures: int
    last_seen_at: Timestamp | None
    active: int
    completed: int
    failed: int


class WorkerType(Answer):
    """All instances of one type together."""

    type: str
    condition: Condition
    healthy: int
    degraded: int
    unhealthy: int
    active: int
    completed: int
    failed: int


class WorkersHealth(Answer):
    """`cached_seconds` is how long a check counts."""

    types: list[WorkerType]
    instances: Annotated[list[WorkerInstance], Field(max_length=5_000)]
    cached_seconds: int
