"""Runs: enqueued, leased, attempted, finished."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from quarterdeck.contract.enums import AttemptOutcome, ErrorClass, LogLevel, Priority, RunStatus
from quarterdeck.contract.models.base import Answer, FilterText, Id, Json, LongText, Model, Tenant, Timestamp
from quarterdeck.contract.models.queues import QueueName

RunKind = Annotated[str, Field(min_length=1, max_length=200, examples=["refund.send"])]
RunSort = Literal["-created", "created"]
WorkerName = Annotated[str, Field(min_length=1, max_length=200)]
LeaseToken = Annotated[str, Field(min_length=1, max_length=100)]


class NewRun(Model):
    """`unique_key`: a second run with the same key in the queue is not made; the first one is the answer.

    `max_attempts`, `timeout_seconds` and `priority` come from the queue where they are not given.
    """

    queue: QueueName
    kind: RunKind
    tenant_id: Tenant = "default"
    payload: Json = None
    run_at: Timestamp | None = None
    priority: Priority | None = None
    max_attempts: Annotated[int | None, Field(ge=1, le=100)] = None
    timeout_seconds: Annotated[float | None, Field(gt=0, le=86_400)] = None
    unique_key: Annotated[str | None, Field(min_length=1, max_length=500)] = None


class NewRuns(Model):
    runs: Annotated[list[NewRun], Field(min_length=1, max_length=1_000)]


class EnqueuedRuns(Answer):
    """Ids in the order asked for; `existing` are those that a unique key had made before."""

    ids: list[int]
    created: int
    existing: list[int]


class Run(Answer):
    """A piece of machine work. `attempt` counts from 1 (0: none yet); `lost` counts attempts whose worker died.

    `result` is what a handler returned or a receiver answered, cut to 16 KiB.
    """

    id: int
    queue: str
    kind: str
    tenant_id: str
    status: RunStatus
    priority: Priority
    payload: Json = None
    result: Json = None
    unique_key: str | None
    run_at: Timestamp
    attempt: int
    max_attempts: int
    retry_count: int
    lost: int
    progress: float | None
    worker: str | None
    lease_until: Timestamp | None
    error_class: ErrorClass | None
    error_code: str | None
    error_message: str | None
    operation_id: int | None
    dead_letter_id: int | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None


class RunPage(Answer):
    """`next` and `previous` are cursors; null where the list ends. Payload and result are left out.

    `searched` is how much of the rows a text search has read, from 0 to 1; below 1 the search goes on with `next`.
    """

    items: list[Run]
    next: str | None
    previous: str | None
    searched: float = 1.0


class Attempt(Answer):
    """One attempt, kept. `detail` is a traceback or what a receiver answered, cut to 16 KiB."""

    number: int
    started_at: Timestamp
    ended_at: Timestamp | None
    worker: str | None
    outcome: AttemptOutcome | None
    error_class: ErrorClass | None
    error_code: str | None
    error_message: str | None
    detail: str | None
    retry_at: Timestamp | None


class RunDetail(Answer):
    """A run with every attempt that is kept, oldest first."""

    run: Run
    attempts: list[Attempt]


class LogLine(Answer):
    id: int
    attempt: int
    at: Timestamp
    level: LogLevel
    text: str


class LogPage(Answer):
    """Lines in the order written; `next` goes on, also with lines that are yet to come."""

    items: list[LogLine]
    next: str | None


class RunListQuery(Model):
    """`filter` is the filter grammar; `ids` (comma separated, up to 500) names runs instead.

    There is no order by the last change: every step of every run would move it.
    """

    filter: FilterText = ""
    sort: RunSort = "-created"
    cursor: Annotated[str | None, Field(max_length=400)] = None
    direction: Literal["next", "previous"] = "next"
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    skip: Annotated[int, Field(ge=0, le=2_000)] = 0
    ids: Annotated[str | None, Field(pattern=r"^\d{1,18}(,\d{1,18})*$", max_length=10_000)] = None


class LogQuery(Model):
    attempt: Annotated[int | None, Field(ge=1, le=1_000)] = None
    search: Annotated[str | None, Field(max_length=500)] = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 200


class LeaseRequest(Model):
    """`worker` names who asks, always by the same name; `seconds` is how long it may be silent.

    `type` is what workers of one sort have in common, by default the name without the number at its end.
    `wait_seconds`: where there is nothing, wait so long for something. `health_url` is where its `/healthz` and
    `/readyz` are. `leaving`: nothing is leased, calls of the same worker that still wait
    come back, and nobody looks after it any more.
    """

    worker: WorkerName
    type: WorkerName | None = None
    count: Annotated[int, Field(ge=1, le=1_000)] = 1
    seconds: Annotated[int, Field(ge=5, le=3_600)] = 30
    kinds: Annotated[list[RunKind] | None, Field(min_length=1, max_length=100)] = None
    wait_seconds: Annotated[int, Field(ge=0, le=60)] = 0
    health_url: Annotated[str | None, Field(max_length=2_000)] = None
    leaving: bool = False


class LeasedRun(Answer):
    """What a worker needs. (id, attempt, lease_token) prove that the run is still its own."""

    id: int
    queue: str
    kind: str
    tenant_id: str
    payload: Json
    attempt: int
    max_attempts: int
    lease_token: str
    lease_until: Timestamp
    timeout_seconds: float


class LeasedRuns(Answer):
    items: list[LeasedRun]


class Held(Model):
    """The proof of a lease."""

    attempt: Annotated[int, Field(ge=1, le=2**31 - 1)]
    lease_token: LeaseToken


class Heartbeat(Held):
    seconds: Annotated[int, Field(ge=5, le=3_600)] = 30
    progress: Annotated[float | None, Field(ge=0, le=1)] = None


class HeartbeatAnswer(Answer):
    """`cancel` true: stop; nothing more of this run is wanted."""

    lease_until: Timestamp
    cancel: bool


class NewLogLine(Model):
    level: LogLevel = LogLevel.INFO
    text: LongText
    at: Timestamp | None = None


class NewLog(Held):
    lines: Annotated[list[NewLogLine], Field(min_length=1, max_length=1_000)]


class LogTaken(Answer):
    """Lines kept; the rest was beyond what is kept of one attempt."""

    kept: int
    dropped: int


class Completed(Held):
    result: Json = None


class FailedAttempt(Held):
    """`retryable` and `retry_after` (seconds) override what the class says."""

    error_class: ErrorClass = ErrorClass.UNKNOWN
    code: Annotated[str, Field(min_length=1, max_length=200)] = "failed"
    message: Annotated[str, Field(min_length=1, max_length=10_000)]
    detail: LongText | None = None
    retryable: bool | None = None
    retry_after: Annotated[float | None, Field(ge=0, le=604_800)] = None


class GivenBack(Held):
    """The attempt does not count."""


class RunIds(Answer):
    ids: list[Id]
