"""Rules of alerts: what is wrong, how badly, who hears of it and when not."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator

from quarterdeck.contract.enums import AlertType, AlertUnit, Dimension, Severity, Weekday
from quarterdeck.contract.expressions import fault_of
from quarterdeck.contract.models.base import Answer, Id, Model, Name, Tenant, Timestamp, Version
from quarterdeck.contract.models.sla import TimeOfDay

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,199}$", examples=["team"])]
LabelValue = Annotated[str, Field(max_length=2_000)]
Labels = Annotated[dict[LabelName, LabelValue], Field(max_length=50)]
Note = Annotated[str, Field(max_length=2_000)]
Channel = Annotated[str, Field(min_length=1, max_length=200)]

# What a threshold may be counted in, by type; the first is meant where none is named.
UNITS: dict[AlertType, tuple[AlertUnit, ...]] = {
    AlertType.SLA_BREACH: (AlertUnit.COUNT, AlertUnit.PERCENT),
    AlertType.SLA_IMMINENT: (AlertUnit.COUNT,),
    AlertType.DLQ_GROWTH: (AlertUnit.COUNT, AlertUnit.PER_MINUTE),
    AlertType.WORKER_UNHEALTHY: (AlertUnit.COUNT,),
    AlertType.ERROR_RATE_HIGH: (AlertUnit.PERCENT,),
    AlertType.THROUGHPUT_LOW: (AlertUnit.PERCENT,),
    AlertType.QUEUE_STUCK: (AlertUnit.MINUTES, AlertUnit.COUNT),
    AlertType.BULK_FAILURE_RATE: (AlertUnit.PERCENT,),
    AlertType.EXTERNAL: (),
}
# What an alert of its own can be made for, by type.
DIMENSIONS: dict[AlertType, tuple[Dimension, ...]] = {
    AlertType.SLA_BREACH: (Dimension.RESOURCE, Dimension.TENANT, Dimension.PRIORITY, Dimension.ITEM),
    AlertType.SLA_IMMINENT: (Dimension.RESOURCE, Dimension.TENANT, Dimension.PRIORITY, Dimension.ITEM),
    AlertType.DLQ_GROWTH: (Dimension.TENANT,),
    AlertType.WORKER_UNHEALTHY: (Dimension.WORKER,),
    AlertType.ERROR_RATE_HIGH: (Dimension.QUEUE, Dimension.TENANT),
    AlertType.THROUGHPUT_LOW: (Dimension.QUEUE, Dimension.TENANT),
    AlertType.QUEUE_STUCK: (Dimension.QUEUE,),
    AlertType.BULK_FAILURE_RATE: (Dimension.OPERATION,),
    AlertType.EXTERNAL: (),
}
# A condition of the engine as a whole, which no single tenant has.
WITHOUT_TENANTS = (AlertType.WORKER_UNHEALTHY,)
# What the store holds is read, with this as the context, even where it could not be made any more.
AS_KEPT = {"as": "kept"}
_OWN_LABELS = ("alertname", "severity", *(str(each) for each in Dimension))


class QuietWindow(Model):
    """From `start` on each of `days` until `end`, on the next day where that is not later; by the clock on the wall."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _has_a_length(self) -> QuietWindow:
        if self.start == "24:00":
            raise ValueError("start must be before 24:00")
        return self


class QuietHours(Model):
    """When nothing is sent; what still fires when they end is sent then. `timezone` is a name of the IANA database."""

    timezone: Annotated[str, Field(min_length=1, max_length=100, examples=["Europe/Stockholm"])]
    windows: Annotated[list[QuietWindow], Field(min_length=1, max_length=50)]


class Matcher(Model):
    """Compares one label; one that is absent counts as empty. A regular expression matches the whole value."""

    name: LabelName
    value: LabelValue
    is_regex: bool = False
    is_equal: bool = True

    @model_validator(mode="after")
    def _can_be_read(self, info: ValidationInfo) -> Matcher:
        if info.context is not AS_KEPT and (fault := self.fault):
            raise ValueError(fault)
        return self

    @property
    def fault(self) -> str | None:
        """The end of a sentence: why it matches nothing, whatever is said of it."""
        return fault_of(self.value) if self.is_regex else None


Matchers = Annotated[list[Matcher], Field(min_length=1, max_length=20)]


class Inhibition(Model):
    """While an alert of this rule fires, others that match are not sent, where `equal` labels are the same in both."""

    matchers: Matchers
    equal: Annotated[list[LabelName], Field(max_length=20)] = []


class RuleSettings(Model):
    """When a rule fires and where that is said.

    `threshold` is reached from below; for throughput_low it is the percentage of what is usual below which it fires.
    `window_minutes`: over how long counts, rates and shares are taken. `minimum`: with fewer attempts or items than
    this a percentage says nothing. `by`: an alert for each; empty, one for all. `matchers` say which alerts from
    outside an `external` rule takes; the first one that matches does.
    """

    threshold: Annotated[float, Field(ge=0, le=1e12)] | None = None
    unit: AlertUnit | None = None
    window_minutes: Annotated[int, Field(ge=1, le=1_440)] = 15
    minimum: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    by: Annotated[list[Dimension], Field(max_length=4)] = []
    for_seconds: Annotated[int, Field(ge=0, le=604_800)] = 0
    severity: Severity = Severity.WARNING
    labels: Labels = {}
    annotations: Labels = {}
    matchers: Annotated[list[Matcher], Field(max_length=20)] = []
    channels: Annotated[list[Channel], Field(max_length=20)] = []
    group_by: Annotated[list[LabelName], Field(max_length=20)] = ["alertname"]
    quiet_hours: QuietHours | None = None
    inhibits: Annotated[list[Inhibition], Field(max_length=20)] = []

    @field_validator("labels")
    @classmethod
    def _leaves_ours(cls, labels: dict[str, str]) -> dict[str, str]:
        for name in labels:
            if name in _OWN_LABELS:
                raise ValueError(f"{name} is set by the rule itself; choose another name")
        return labels

    @property
    def faults(self) -> list[str]:
        """What is wrong with its matchers; only of what is kept there can be any."""
        own = [*self.matchers, *(matcher for each in self.inhibits for matcher in each.matchers)]
        return [f"{each.name} {fault}" for each in own if (fault := each.fault)]


class NewRule(Model):
    """For one tenant, or over every tenant where `tenant_id` is absent."""

    name: Name
    type: AlertType
    tenant_id: Tenant | None = None
    enabled: bool = True
    settings: RuleSettings


class RuleChange(Model):
    """Only what is given changes, of `settings` too; their parts are given whole.

    `version` refuses the change if the rule has changed since.
    """

    name: Name | None = None
    enabled: bool | None = None
    settings: RuleSettings | None = None
    reason: Note | None = None
    version: Version | None = None


class Rule(Answer):
    """`error` says what keeps it from being looked at or told; of settings that cannot be read the rest is shown."""

    id: Id
    version: Version
    name: str
    type: AlertType
    tenant_id: str | None
    enabled: bool
    settings: RuleSettings
    evaluated_at: Timestamp | None
    error: str | None
    firing: int
    pending: int
    updated_at: Timestamp
    updated_by: str


class RuleList(Answer):
    items: list[Rule]


class Reading(Answer):
    """What a rule reads now."""

    labels: dict[str, str]
    value: float
    fires: bool


class Episode(Answer):
    """A time in which a rule would have fired; `until` is absent where it still would."""

    labels: dict[str, str]
    since: Timestamp
    until: Timestamp | None
    worst: float
    quiet: bool


class Sampled(Answer):
    """The worst that a rule read in the five minutes from `at` on, whatever it was read of."""

    at: Timestamp
    value: float


class RuleTest(Answer):
    """What a rule would do now, and would have done in the last 24 hours; `why` says where those are not known."""

    now: list[Reading]
    known_since: Timestamp | None
    why: str | None
    episodes: list[Episode]
    values: list[Sampled] = []
