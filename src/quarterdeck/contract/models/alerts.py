"""Alerts: rules that fire, what has fired, and what keeps it quiet."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, RootModel, field_validator, model_validator

from quarterdeck.contract.enums import AlertState, AlertType, AlertUnit, Dimension, Severity, SilenceState, Weekday
from quarterdeck.contract.models.base import Answer, Id, LongText, Model, Name, Tenant, Timestamp
from quarterdeck.contract.models.sla import TimeOfDay

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,199}$", examples=["team"])]
LabelValue = Annotated[str, Field(max_length=2_000)]
Labels = Annotated[dict[LabelName, LabelValue], Field(max_length=50)]
Note = Annotated[str, Field(max_length=2_000)]
Channel = Annotated[str, Field(min_length=1, max_length=200)]
OneOrMore = Annotated[list[Id], Field(min_length=1, max_length=1_000)]

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
    def _can_be_read(self) -> Matcher:
        if self.is_regex:
            try:
                re.compile(self.value)
            except re.error as error:
                raise ValueError(f"is no regular expression: {error}") from None
            if len(self.value) > 200 or _PILED.search(self.value):
                raise ValueError("is a regular expression that may take for ever; repeat nothing that repeats")
        return self


# A group that repeats and is repeated: such an expression can take longer than anybody waits.
_PILED = re.compile(r"[*+}]\)+[*+{]|\|[^()]*\)[*+{]")
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


class NewRule(Model):
    """For one tenant, or over every tenant where `tenant_id` is absent."""

    name: Name
    type: AlertType
    tenant_id: Tenant | None = None
    enabled: bool = True
    settings: RuleSettings


class RuleChange(Model):
    """Only what is given changes; `settings` is given whole."""

    name: Name | None = None
    enabled: bool | None = None
    settings: RuleSettings | None = None
    reason: Note | None = None


class Rule(Answer):
    id: Id
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


class RuleTest(Answer):
    """What a rule would do now, and would have done in the last 24 hours; `why` says where those are not known."""

    now: list[Reading]
    known_since: Timestamp | None
    why: str | None
    episodes: list[Episode]


class Alert(Answer):
    """One time that something was wrong. `changes` counts how often it came and went meanwhile."""

    id: Id
    fingerprint: str
    name: str
    type: AlertType
    rule_id: Id | None
    tenant_id: str | None
    severity: Severity
    state: AlertState
    labels: dict[str, str]
    annotations: dict[str, LongText]
    value: float | None
    threshold: float | None
    pending_at: Timestamp | None
    starts_at: Timestamp | None
    ends_at: Timestamp | None
    resolved_at: Timestamp | None
    updated_at: Timestamp
    changes: int
    acknowledged_by: str | None
    acknowledged_at: Timestamp | None
    acknowledged_until: Timestamp | None
    silenced_by: Id | None
    inhibited_by: Id | None
    group: str | None
    url: str | None


class AlertPage(Answer):
    items: list[Alert]
    next: str | None


class AlertEvent(Answer):
    """A line of what became of an alert."""

    at: Timestamp
    type: str
    actor: str
    body: str | None


class AlertValue(Answer):
    at: Timestamp
    value: float


class SentNotice(Answer):
    """What was said of an alert's group; `held` by the flood limit until a summary; `status` is the channel's."""

    at: Timestamp
    channel: str
    kind: str
    title: str
    held: bool
    notification_id: Id | None
    status: str | None
    error: str | None


class AlertDetail(Answer):
    alert: Alert
    events: list[AlertEvent]
    values: list[AlertValue]
    notices: list[SentNotice]


class HistoryQuery(Model):
    """Unset narrows nothing; `label` is name=value. Newest first."""

    state: AlertState | None = None
    severity: Severity | None = None
    type: AlertType | None = None
    tenant: Tenant | None = None
    rule: Id | None = None
    name: Annotated[str, Field(max_length=1_000)] | None = None
    label: Annotated[str, Field(max_length=2_000, examples=["queue=mail"])] | None = None
    acknowledged: bool | None = None
    silenced: bool | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100

    @field_validator("label")
    @classmethod
    def _names_and_says(cls, label: str | None) -> str | None:
        if label is not None and not re.match(r"^[a-zA-Z_][a-zA-Z0-9_]*=", label):
            raise ValueError("must be name=value, such as queue=mail")
        return label


class Acknowledge(Model):
    """They stop repeating for so many minutes (absent: as the setting says), or until they get worse."""

    ids: OneOrMore
    minutes: Annotated[int, Field(ge=1, le=43_200)] | None = None
    note: Note | None = None


class Resolve(Model):
    """They are over; one that is still true comes again after a time, unless it ends meanwhile."""

    ids: OneOrMore
    note: Annotated[str, Field(min_length=1, max_length=2_000)]


class Acted(Answer):
    """`done` of those asked for; others were in no state for it, or are not there."""

    done: list[Id]
    skipped: list[Id]


class StatsQuery(Model):
    tenant: Tenant | None = None
    days: Annotated[int, Field(ge=1, le=366)] = 7


class AlertCount(Answer):
    name: str
    count: int


class AlertStats(Answer):
    """Of now, and of the days asked for. Minutes are medians."""

    firing: int
    pending: int
    acknowledged: int
    silenced: int
    by_severity: list[AlertCount]
    fired: int
    resolved: int
    minutes_to_acknowledge: float | None
    minutes_to_resolve: float | None
    most: list[AlertCount]


class NewSilence(Model):
    """Alerts that match all of `matchers` are kept and shown, and not sent."""

    matchers: Matchers
    tenant_id: Tenant | None = None
    starts_at: Timestamp | None = None
    ends_at: Timestamp
    comment: Annotated[str, Field(min_length=1, max_length=2_000)]


class Silence(Answer):
    id: Id
    tenant_id: str | None
    state: SilenceState
    matchers: list[Matcher]
    starts_at: Timestamp
    ends_at: Timestamp
    comment: str
    created_by: str
    alerts: int


class SilenceQuery(Model):
    state: SilenceState | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class SilenceList(Answer):
    items: list[Silence]


def _some_label(labels: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in labels.items() if value}
    if not kept:
        raise ValueError("at least one label with a value is needed")
    return kept


class PostedAlert(Model):
    """As Alertmanager takes it. A time in the year 1 is one that was not given."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    labels: Annotated[Labels, Field(min_length=1), AfterValidator(_some_label)]
    annotations: Annotated[dict[LabelName, Annotated[str, Field(max_length=20_000)]], Field(max_length=50)] = {}
    startsAt: Timestamp | None = None
    endsAt: Timestamp | None = None
    generatorURL: Annotated[str, Field(max_length=10_000)] = ""

    @field_validator("startsAt", "endsAt")
    @classmethod
    def _given(cls, moment: Any) -> Any:
        return None if moment is not None and moment.year <= 1 else moment

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> PostedAlert:
        if self.startsAt is not None and self.endsAt is not None and self.endsAt < self.startsAt:
            raise ValueError("endsAt must not be before startsAt")
        return self


class PostedAlerts(RootModel[Annotated[list[PostedAlert], Field(max_length=10_000)]]):
    """What Prometheus and amtool send."""

    model_config = ConfigDict(defer_build=True)


class PostResult(Answer):
    received: int
    changed: int
