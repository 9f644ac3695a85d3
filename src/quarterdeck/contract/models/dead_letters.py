"""Dead letters: what is kept when a run has used up its attempts, or what another system posts as dead."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from quarterdeck.contract.enums import DeadLetterStatus, ErrorClass
from quarterdeck.contract.models.base import Answer, FilterText, Id, Json, LongText, Model, Tenant, Timestamp
from quarterdeck.contract.models.machine_params import RetryDeadLetter
from quarterdeck.contract.models.queues import QueueName
from quarterdeck.contract.models.runs import Attempt, RunKind

DeadLetterSort = Literal["-created", "created"]


class NewDeadLetter(Model):
    """What another system gives up. `queue` is where a retry puts it; `source_id` makes a second post of it change
    nothing."""

    tenant_id: Tenant = "default"
    queue: QueueName
    event_type: RunKind
    payload: Json = None
    metadata: dict[str, Json] = {}
    source_id: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    error_class: ErrorClass = ErrorClass.UNKNOWN
    error_code: Annotated[str, Field(min_length=1, max_length=200)] = "unknown"
    error_message: Annotated[str, Field(max_length=10_000)] = ""
    detail: LongText | None = None
    attempts: Annotated[int, Field(ge=0, le=10_000)] = 0
    died_at: Timestamp | None = None


class NewDeadLetters(Model):
    dead_letters: Annotated[list[NewDeadLetter], Field(min_length=1, max_length=1_000)]


class AddedDeadLetters(Answer):
    """Ids in the order given; `existing` were posted before."""

    ids: list[int]
    created: int
    existing: list[int]


class DeadLetter(Answer):
    """`group` names dead letters of the same error: queue, code and message without what differs between runs.

    `run_id` is the run that died, `retry_run_id` the newest retry; `retries` counts retries. `created_at` is when
    it came, by which it is ordered and counted; another system's may have died before, at `died_at`. `expires_at` is
    when it is removed.
    """

    id: int
    tenant_id: str
    queue: str
    event_type: str
    status: DeadLetterStatus
    error_class: ErrorClass
    error_code: str
    error_message: str
    group: str
    attempts: int
    retries: int
    run_id: int | None
    retry_run_id: int | None
    exception_id: int | None
    source_id: str | None
    created_at: Timestamp
    died_at: Timestamp
    updated_at: Timestamp
    expires_at: Timestamp
    version: int


class DeadLetterPage(Answer):
    """As a page of runs: `searched` below 1 says that a text search goes on with `next`."""

    items: list[DeadLetter]
    next: str | None
    previous: str | None
    searched: float = 1.0


class PayloadEdit(Answer):
    """What an edited retry changed, as a JSON Patch (RFC 6902) from the payload before it."""

    at: Timestamp
    actor: str
    patch: list[dict[str, Json]]


class DeadLetterDetail(Answer):
    """`attempts` are those of the run and of every retry, oldest first. Values under secret keys are masked."""

    dead_letter: DeadLetter
    payload: Json
    metadata: dict[str, Json]
    detail: str | None
    attempts: list[Attempt]
    edits: list[PayloadEdit]


class DeadLetterListQuery(Model):
    filter: FilterText = ""
    sort: DeadLetterSort = "-created"
    cursor: Annotated[str | None, Field(max_length=400)] = None
    direction: Literal["next", "previous"] = "next"
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    skip: Annotated[int, Field(ge=0, le=2_000)] = 0
    ids: Annotated[str | None, Field(pattern=r"^\d{1,18}(,\d{1,18})*$", max_length=10_000)] = None


class DeadLetterFilter(Model):
    filter: FilterText = ""


class ErrorGroup(Answer):
    """Dead letters with the same queue, error code and normalised message."""

    group: str
    queue: str
    error_code: str
    error_class: ErrorClass
    message: str
    count: int
    pending: int
    first_at: Timestamp
    last_at: Timestamp


class ErrorGroups(Answer):
    """Most frequent first; at most 200. `more` counts the groups beyond.

    `searched` below 1: the filter leads to no index and time was up after that share of the rows.
    """

    items: list[ErrorGroup]
    more: int
    searched: float = 1.0


class DeadLetterCount(Answer):
    """How many stand under one heading now, by status."""

    name: str
    pending: int
    retrying: int
    succeeded: int
    discarded: int


class DeadLetterGrowth(Answer):
    """What came and went in the hour or day that starts at `at`."""

    at: Timestamp
    added: int
    resolved: int
    expired: int


class DeadLetterStats(Answer):
    totals: DeadLetterCount
    by_tenant: list[DeadLetterCount]
    by_type: list[DeadLetterCount]
    by_queue: list[DeadLetterCount]
    growth: list[DeadLetterGrowth]
    expiring: int  # within the next day


class StatsQuery(Model):
    """`growth` looks back an hour in minutes, a day in hours, or 30 days in days."""

    period: Literal["hour", "day", "month"] = "day"


class DeadLetterRetry(RetryDeadLetter):
    """A retry of one dead letter; with `payload`, of a changed one."""

    payload: Json = None
    version: Annotated[int | None, Field(ge=1, le=2**62)] = None


class DeadLetterDiscard(Model):
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]
    version: Annotated[int | None, Field(ge=1, le=2**62)] = None


class RetryBatch(Model):
    """Dead letters to retry: `ids`, a `selection` token, or a `filter` as of now. Makes a draft."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    ids: Annotated[list[Id] | None, Field(min_length=1, max_length=100_000)] = None
    selection: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    filter: FilterText | None = None
    rate: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    reason: Annotated[str | None, Field(max_length=2_000)] = None

    @model_validator(mode="after")
    def _one_of_three(self) -> RetryBatch:
        if sum(each is not None for each in (self.ids, self.selection, self.filter)) != 1:
            raise ValueError("give one of ids, selection and filter")
        return self
