"""What an operator is to know now, in one answer."""

from __future__ import annotations

from quarterdeck.contract.enums import Condition, Resource, Severity
from quarterdeck.contract.models.alerts import AlertCount
from quarterdeck.contract.models.base import Answer, Id, Timestamp
from quarterdeck.contract.models.bulk import BulkOperation


class OpenItems(Answer):
    """Of one queue: items that are not done, those due soon by their policies, and those late and not done.

    A number is absent as long as it is being counted; the next answer has it.
    """

    resource: Resource
    open: int | None
    due_soon: int | None
    breached: int | None


class Verdicts(Answer):
    """Promises that came to a verdict; `percent` of them were kept, absent where there was none."""

    met: int
    breached: int
    percent: float | None


class KeptPromises(Answer):
    """Resolutions of the last 24 hours and of the last 7 days in UTC; `days` are those, the last one today.

    `day`, `week` and `days` are absent as long as they are being counted.
    """

    day: Verdicts | None
    week: Verdicts | None
    days: list[Verdicts] | None


class DeadLettersNow(Answer):
    """`hour` and `day` say how many more there are than an hour and 24 hours ago; `hours` are the last 24, each by how
    many it added, the oldest first."""

    pending: int
    hour: int
    day: int
    hours: list[int]


class AlertLine(Answer):
    id: Id
    name: str
    severity: Severity
    tenant_id: str | None
    labels: dict[str, str]
    since: Timestamp
    acknowledged: bool
    silenced: bool


class AlertsNow(Answer):
    """What fires; `latest` are the last 10 that began to. `unseen`: of the newest 500 of a severity, those that nobody
    has acknowledged or silenced. `rules` are those that are on: where there is none, nothing will ever fire."""

    rules: int
    firing: int
    acknowledged: int
    unseen: list[AlertCount]
    by_severity: list[AlertCount]
    latest: list[AlertLine]


class Unwell(Answer):
    """A queue or a worker that is not healthy; `why` is the worst of what is wrong."""

    name: str
    condition: Condition
    why: str | None


class ConditionsNow(Answer):
    """How many are in which condition; `unwell` are the worst 10 of those that are not healthy."""

    healthy: int
    degraded: int
    unhealthy: int
    unwell: list[Unwell]


class BulkNow(Answer):
    """The newest 10 that run; `more`: there are others."""

    operations: list[BulkOperation]
    more: bool


class PartFailed(Answer):
    part: str
    why: str


class Overview(Answer):
    """Each part is what its own screen says in short; one that could not be read is absent and named in `failed`.

    `age_seconds`: figures that are much work to count are kept for a moment; this is how old the oldest of them is.
    """

    at: Timestamp
    age_seconds: float
    items: list[OpenItems] | None
    promises: KeptPromises | None
    dead_letters: DeadLettersNow | None
    alerts: AlertsNow | None
    workers: ConditionsNow | None
    queues: ConditionsNow | None
    bulk: BulkNow | None
    failed: list[PartFailed]


class CriticalAlerts(Answer):
    """Critical alerts that fire and that nobody has acknowledged or silenced: how many of the newest 500 there are
    (`more`: others fire beyond those), and the newest 20."""

    count: int
    more: bool
    newest: list[AlertLine]
