"""Alerts: what has fired, what people do about it, what keeps it quiet, and what others post."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, RootModel, field_validator, model_validator

from quarterdeck.contract.enums import AlertState, AlertType, Severity, SilenceState
from quarterdeck.contract.models.alert_rules import LabelName, Labels, Matcher, Matchers, Note
from quarterdeck.contract.models.base import Answer, FilterText, Id, LongText, Model, Tenant, Timestamp

OneOrMore = Annotated[list[Id], Field(min_length=1, max_length=1_000)]


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
    group_id: Id | None
    url: str | None


class AlertPage(Answer):
    items: list[Alert]
    next: str | None
    previous: str | None


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
    run_id: Id | None
    status: str | None
    attempts: int
    error: str | None


class AlertDetail(Answer):
    alert: Alert
    events: list[AlertEvent]
    values: list[AlertValue]
    notices: list[SentNotice]


class HistoryQuery(Model):
    """Unset narrows nothing; `label` is name=value. Newest first. `ids` are those alerts, whatever else is asked."""

    filter: FilterText = ""
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
    direction: Literal["next", "previous"] = "next"
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    skip: Annotated[int, Field(ge=0, le=2_000)] = 0
    ids: Annotated[str | None, Field(pattern=r"^\d{1,18}(,\d{1,18})*$", max_length=10_000)] = None

    @field_validator("label")
    @classmethod
    def _names_and_says(cls, label: str | None) -> str | None:
        if label is not None and not re.match(r"^[a-zA-Z_][a-zA-Z0-9_]*=", label):
            raise ValueError("must be name=value, such as queue=mail")
        return label


class BoardQuery(Model):
    """`alone`: groups of one alert too."""

    filter: FilterText = ""
    alone: bool = False


class AlertGroup(Answer):
    """Alerts that fire and are told together. `severity` is the worst; `firing` counts by severity;
    `quiet` are those that a silence or another alert keeps from being sent."""

    id: Id
    name: str
    names_differ: bool
    tenant_id: str | None
    severity: Severity
    labels: dict[str, str]
    firing: dict[Severity, int]
    acknowledged: int
    quiet: int
    since: Timestamp


class AlertBoard(Answer):
    """What matches, in numbers; `groups` are the 200 worst, and `firing` counts what is in them too."""

    groups: list[AlertGroup]
    firing: dict[Severity, int]
    pending: int
    resolved: int


class Acknowledge(Model):
    """They stop repeating for so many minutes (absent: as the setting says), or until they get worse."""

    ids: OneOrMore
    minutes: Annotated[int, Field(ge=1, le=43_200)] | None = None
    note: Note | None = None


class Unacknowledge(Model):
    """Nobody looks after them after all: they are told anew, and repeat."""

    ids: OneOrMore
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


class SilencePreview(Answer):
    """What a silence would keep quiet if it began now; `quiet` of them are so already. `first` are the newest."""

    firing: int
    pending: int
    quiet: int
    first: list[Alert]


class Silence(Answer):
    """`error`: why it keeps nothing quiet, where what was allowed when it was made is not any more."""

    id: Id
    tenant_id: str | None
    state: SilenceState
    matchers: list[Matcher]
    starts_at: Timestamp
    ends_at: Timestamp
    comment: str
    created_by: str
    alerts: int
    error: str | None = None


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
