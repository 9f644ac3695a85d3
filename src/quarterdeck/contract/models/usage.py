"""Usage: how much of what each tenant has used, to be shown, held against a limit, and billed from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from quarterdeck.contract.enums import Period, UsageStep
from quarterdeck.contract.models.base import Answer, Id, Model, Tenant, Timestamp, Version

# One of `contract.enums.Metered`, or a word of one's own.
RESOURCE_TYPE = r"^[a-z][a-z0-9_.-]{0,99}$"
ResourceType = Annotated[str, Field(pattern=RESOURCE_TYPE, examples=["api_calls", "sms_sent"])]
Quantity = Annotated[int, Field(ge=1, le=1_000_000_000)]
Source = Annotated[str, Field(min_length=1, max_length=500, examples=["https://sms.example.com"])]
EventId = Annotated[str, Field(min_length=1, max_length=500)]
AT_ONCE = 5_000
MOST_ALLOWED = 10**15


class UsageEvent(Model):
    """Something was used. A tenant's second event of the same `source` and `id` changes nothing.

    `time` is when it was used, now where it is absent.
    """

    source: Source
    id: EventId
    tenant_id: Tenant
    resource_type: ResourceType
    quantity: Quantity = 1
    time: Timestamp | None = None


class NewUsageEvents(Model):
    events: Annotated[list[UsageEvent], Field(min_length=1, max_length=AT_ONCE)]


class CloudEventData(BaseModel):
    """Of the data of a CloudEvent the `quantity` counts; 1 where it says none."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    quantity: Quantity = 1


class CloudEvent(BaseModel):
    """CloudEvents 1.0, JSON: `subject` is the tenant, `type` the resource type. Further attributes do not count."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    specversion: Literal["1.0"]
    source: Source
    id: EventId
    subject: Tenant
    type: ResourceType
    time: Timestamp | None = None
    data: CloudEventData | None = None


class CloudEventBatch(RootModel[Annotated[list[CloudEvent], Field(min_length=1, max_length=AT_ONCE)]]):
    """CloudEvents 1.0, JSON batch."""


class RecordedUsage(Answer):
    """So many events were new; the others had been recorded before, or stood in the request twice."""

    recorded: int
    duplicates: int


class UsageSpan(Model):
    """From `since` until `until`; where absent the last 30 days, today among them. Unset narrows nothing.

    Both are widened to whole days (or steps), in UTC.
    """

    tenant: Tenant | None = None
    resource_type: ResourceType | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None


class UsageTotal(Answer):
    """`previous`: of the time of the same length before."""

    resource_type: str
    quantity: int
    previous: int


class UsageAgainstLimit(Answer):
    """What a tenant has used of a limit since the period began that we are in."""

    tenant_id: str
    resource_type: str
    period: Period
    since: Timestamp
    used: int
    limit: int
    percent: float


class UsageSummary(Answer):
    """Totals by resource type; and usage against the limits, the nearest to its limit first, 200 at most."""

    since: Timestamp
    until: Timestamp
    totals: list[UsageTotal]
    limits: list[UsageAgainstLimit]


class UsageDetailsQuery(UsageSpan):
    """Minutes and hours go back as far as usage.minute_days of the config says, days and longer steps for ever."""

    step: UsageStep = UsageStep.DAY
    by_tenant: bool = False
    cursor: Annotated[str | None, Field(max_length=1_000)] = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class UsageExportQuery(UsageSpan):
    step: UsageStep = UsageStep.DAY
    by_tenant: bool = True
    format: Literal["csv", "json"] = "csv"


class UsageRow(Answer):
    """What was used in the step that begins at `start`. `tenant_id` is absent where tenants are added up, and empty
    for what belongs to none."""

    start: Timestamp
    tenant_id: str | None
    resource_type: str
    quantity: int


class UsagePage(Answer):
    """The newest first."""

    items: list[UsageRow]
    next: str | None


class NewUsageLimit(Model):
    """What a tenant may use in a period; for each tenant without a limit of its own where `tenant_id` is absent.

    Nothing is refused beyond it: it is shown, and what is used against it. `version` is the one that is to be changed,
    0 where there is to be none; another one there refuses it.
    """

    resource_type: ResourceType
    tenant_id: Tenant | None = None
    period: Period = Period.MONTH
    quantity: Annotated[int, Field(ge=1, le=MOST_ALLOWED)]
    version: Annotated[int, Field(ge=0, le=2**62)] | None = None


class UsageLimit(Answer):
    id: Id
    version: Version
    resource_type: str
    tenant_id: str | None
    period: Period
    quantity: int
    updated_at: Timestamp
    updated_by: str


class UsageLimitList(Answer):
    items: list[UsageLimit]


def plain_event(event: CloudEvent) -> UsageEvent:
    """The same in our words."""
    values: dict[str, Any] = {
        "source": event.source,
        "id": event.id,
        "tenant_id": event.subject,
        "resource_type": event.type,
        "quantity": 1 if event.data is None else event.data.quantity,
        "time": event.time,
    }
    return UsageEvent.model_construct(**values)
