"""Service levels: which time is promised for what, and how the promises are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from quarterdeck.contract.enums import (
    ClockState,
    EscalationAct,
    EscalationDoes,
    ItemStatus,
    Period,
    Priority,
    Resource,
    SlaTarget,
    Weekday,
)
from quarterdeck.contract.models.base import Answer, FilterText, Id, LongText, Model, Name, Tenant, Timestamp, Version
from quarterdeck.contract.models.channels import ChannelName

TimeOfDay = Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$", examples=["08:00", "24:00"])]
Minutes = Annotated[int, Field(ge=1, le=5_256_000)]  # at most ten years
Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-12-24"])]
Text = Annotated[str, Field(max_length=2_000)]


class OpenWindow(Model):
    """On each of `days` from `start` until just before `end`, by the clock on the wall; 24:00 ends a day."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _goes_forward(self) -> OpenWindow:
        if self.end <= self.start:
            raise ValueError("end must be later than start; let a night shift end at 24:00 and begin again at 00:00")
        return self


class BusinessCalendar(Model):
    """When time counts. `timezone` is a name of the IANA database.

    `country` and `subdivision` (ISO 3166) bring public holidays, on which nothing counts; `holidays` are further
    such days.
    """

    timezone: Annotated[str, Field(min_length=1, max_length=100, examples=["Europe/Stockholm"])]
    windows: Annotated[list[OpenWindow], Field(min_length=1, max_length=100)]
    country: Annotated[str, Field(max_length=10, examples=["SE"])] | None = None
    subdivision: Annotated[str, Field(max_length=20)] | None = None
    holidays: Annotated[list[Date], Field(max_length=1_000)] = []


class Target(Model):
    """What is promised for items of one priority, in minutes that count; one that is absent is not promised."""

    priority: Priority
    first_response_minutes: Minutes | None = None
    resolution_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _promises_something(self) -> Target:
        if self.first_response_minutes is None and self.resolution_minutes is None:
            raise ValueError("must promise a first response, a resolution, or both")
        return self


class EscalationStep(Model):
    """What follows when `percent` of the time is used up; 100 is the breach.

    `act` says what: `raise_priority` by one, `assign` to `assignee`, or `notify` with `note`. `does` says whether
    the engine carries it out, or suggests it to whoever looks; a `notify` that it carries out goes to `channels`.
    """

    percent: Annotated[int, Field(ge=1, le=1_000)]
    target: SlaTarget = SlaTarget.RESOLUTION
    act: EscalationAct
    does: EscalationDoes = EscalationDoes.SUGGEST
    assignee: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    note: Text | None = None
    channels: Annotated[list[ChannelName], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _knows_whom(self) -> EscalationStep:
        if (self.act is EscalationAct.ASSIGN) != (self.assignee is not None):
            raise ValueError("assignee belongs to the act assign, and assign needs one")
        if self.channels and (self.act, self.does) != (EscalationAct.NOTIFY, EscalationDoes.DO):
            raise ValueError("channels belong to the act notify where the engine carries it out (does = do)")
        return self


class PolicySettings(Model):
    """What a policy promises. Without a calendar all time counts.

    `pauses` are the states in which no time counts. `due_soon_percent`: the share of the time that is used up when
    an item counts as due soon.
    """

    targets: Annotated[list[Target], Field(min_length=1, max_length=4)]
    calendar: BusinessCalendar | None = None
    pauses: Annotated[list[ItemStatus], Field(max_length=10)] = [ItemStatus.WAITING]
    due_soon_percent: Annotated[int, Field(ge=1, le=99)] = 75
    escalation: Annotated[list[EscalationStep], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _one_target_a_priority(self) -> PolicySettings:
        named = [each.priority for each in self.targets]
        if len(named) != len(set(named)):
            raise ValueError("a priority stands twice in targets; give each one target")
        return self


class PolicySettingsChange(PolicySettings):
    """What of it is given changes; a calendar is given whole."""

    targets: Annotated[list[Target], Field(min_length=1, max_length=4)] = []


class NewPolicy(Model):
    """For items of one tenant, or of every tenant where `tenant_id` is absent, and of one kind or every kind.

    The most particular one counts: tenant and kind, tenant, kind, then the one for all. `effective_from` lies in the
    past for items that are imported with their history; absent, it is now.
    """

    name: Name
    resource: Resource
    tenant_id: Tenant | None = None
    kind: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    effective_from: Timestamp | None = None
    settings: PolicySettings


class PolicyChange(Model):
    """Only what is given changes, of `settings` too. Clocks that have started keep what held then.

    `version` refuses the change if the policy has changed since.
    """

    name: Name | None = None
    enabled: bool | None = None
    effective_from: Timestamp | None = None
    settings: PolicySettingsChange | None = None
    reason: Text | None = None
    version: Version | None = None


class Policy(Answer):
    """A policy as it is now: its newest version; its settings hold for items from `effective_from` on. `error` says
    what keeps its hours from being counted as they are written."""

    id: Id
    name: str
    resource: Resource
    tenant_id: str | None
    kind: str | None
    enabled: bool
    version: Version
    effective_from: Timestamp
    settings: PolicySettings
    updated_at: Timestamp
    updated_by: str
    error: str | None = None


class PolicyList(Answer):
    items: list[Policy]


class Clock(Answer):
    """One promise to one item. `used_minutes` counts up to now; `due_at` is absent while it is paused or has ended."""

    target: SlaTarget
    state: ClockState
    policy_id: Id
    policy: str
    policy_version: int
    started_at: Timestamp
    target_minutes: int | None
    used_minutes: float
    due_at: Timestamp | None
    breached_at: Timestamp | None
    ended_at: Timestamp | None


class Suggestion(Answer):
    """What an escalation step suggests: the action `verb` with `params`, for the reason `why`."""

    verb: str
    params: dict[str, str]
    why: str


class ItemClocks(Answer):
    clocks: list[Clock]
    suggestions: list[Suggestion]


class FigureQuery(Model):
    """Of so many `days` in UTC, the last one being that of `end`, or today. Unset narrows nothing."""

    resource: Resource | None = None
    tenant: Tenant | None = None
    priority: Priority | None = None
    target: SlaTarget = SlaTarget.RESOLUTION
    period: Period = Period.DAY
    days: Annotated[int, Field(ge=1, le=3_660)] = 30
    end: Timestamp | None = None


class PeriodFigure(Answer):
    """What ended or was breached in one period, which begins at `start`."""

    start: Timestamp
    met: int
    breached: int
    percent: float | None
    median_minutes: float | None


class Compliance(Answer):
    """`percent` of the clocks that came to a verdict in the time were met; absent where there was none."""

    met: int
    breached: int
    percent: float | None
    periods: list[PeriodFigure]


class ByPriority(Answer):
    priority: Priority
    ended: int
    median_minutes: float | None
    p95_minutes: float | None


class ResolutionTime(Answer):
    """Minutes that counted, from the start of a clock to its end, of clocks that ended in the time."""

    ended: int
    median_minutes: float | None
    priorities: list[ByPriority]


class ClockQuery(Model):
    resource: Resource | None = None
    tenant: Tenant | None = None
    priority: Priority | None = None
    target: SlaTarget | None = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class BreachQuery(ClockQuery):
    """Broken in so many `days` in UTC, the last one that of `end`, or today; of all time where neither is given."""

    days: Annotated[int, Field(ge=1, le=3_660)] | None = None
    end: Timestamp | None = None


class ClockRow(Answer):
    """An item at risk, or one whose promise was broken. `at` is when it falls due, or fell."""

    item_id: Id
    resource: Resource
    tenant_id: str
    kind: str
    title: LongText
    status: str
    priority: Priority
    assignee: str | None
    target: SlaTarget
    at: Timestamp
    ended_at: Timestamp | None


class ClockPage(Answer):
    items: list[ClockRow]
    next: str | None


class ReplayRequest(Model):
    """Which items to look at, from which id on; `write` puts right what is not as the timeline says."""

    resource: Resource
    filter: FilterText = ""
    after: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=2_000)] = 1_000
    write: bool = False


class Difference(Answer):
    item_id: Id
    target: SlaTarget
    kept: Clock | None
    replayed: Clock | None


class ReplayResult(Answer):
    """Of `items` looked at, so many differ; the first of them are told. `after` goes on with the next part."""

    items: int
    clocks: int
    differing: int
    written: int
    differences: list[Difference]
    after: int | None
