"""The closed sets of words. The order of members is their rank."""

from __future__ import annotations

from enum import StrEnum


class Resource(StrEnum):
    """Which kind of queue an item lives in."""

    SUPPORT_TASKS = "support_tasks"
    RETURNS = "returns"
    EXCEPTIONS = "exceptions"


class MachineResource(StrEnum):
    """Machine work that actions apply to, as they do to items."""

    RUNS = "runs"
    DEAD_LETTERS = "dead_letters"


AnyResource = Resource | MachineResource


class Watched(StrEnum):
    """What is listed and filtered as work is, and has actions of its own kind."""

    ALERTS = "alerts"


Listed = AnyResource | Watched


def read_resource(text: str) -> AnyResource:
    """Raises ValueError for a word that names neither."""
    return Resource(text) if text in Resource.__members__.values() else MachineResource(text)


def read_listed(text: str) -> Listed:
    """Raises ValueError for a word that names no list."""
    return Watched(text) if text in Watched.__members__.values() else read_resource(text)


class ItemStatus(StrEnum):
    """Every state of every item machine; `transitions` says which belong to which resource."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECEIVED = "received"
    REFUNDED = "refunded"
    RETRYING = "retrying"
    NEEDS_MANUAL_REVIEW = "needs_manual_review"


class Priority(StrEnum):
    """Most pressing first; the store keeps the rank (0 to 3) so that an index can order by it."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        return _PRIORITIES.index(self)

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        return _PRIORITIES[rank]


_PRIORITIES = tuple(Priority)


class Role(StrEnum):
    """What a principal may do; each role includes the ones before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"

    def covers(self, needed: Role) -> bool:
        return _ROLES.index(self) >= _ROLES.index(needed)


_ROLES = tuple(Role)


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return _RISKS.index(self)


_RISKS = tuple(Risk)


class RunStatus(StrEnum):
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class AttemptOutcome(StrEnum):
    """How one attempt at a run ended. `lost`: its worker fell silent; `given_back`: it does not count."""

    COMPLETED = "completed"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"
    GIVEN_BACK = "given_back"


class ErrorClass(StrEnum):
    """What kind of failure an attempt met."""

    RATE_LIMIT = "rate_limit"
    VALIDATION = "validation"
    NETWORK = "network"
    PERMISSION = "permission"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"

    @property
    def retryable(self) -> bool:
        """Whether the same run may succeed later; the one who fails it may say otherwise."""
        return self not in (ErrorClass.VALIDATION, ErrorClass.PERMISSION)


class HandlerKind(StrEnum):
    """Who carries out the runs of a queue."""

    HTTP = "http"  # a signed POST to a URL
    PYTHON = "python"  # a coroutine in the engine
    WORKER = "worker"  # processes outside that lease runs
    ENGINE = "engine"  # the engine's own work, such as bulk batches


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class DeadLetterStatus(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    DISCARDED = "discarded"


class Condition(StrEnum):
    """How well a worker or a queue does; the order of members is from good to bad."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Window(StrEnum):
    """How far back a chart looks."""

    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "24h"


class BulkStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (BulkStatus.COMPLETED, BulkStatus.FAILED, BulkStatus.CANCELLED)

    @property
    def is_running(self) -> bool:
        return self in (BulkStatus.PENDING, BulkStatus.IN_PROGRESS)


class BulkKind(StrEnum):
    """Where a bulk operation comes from."""

    ACTION = "action"
    RETRY = "retry"
    UNDO = "undo"


class Outcome(StrEnum):
    """What became of one item of a bulk operation."""

    PENDING = "pending"
    SKIPPED = "skipped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SortKey(StrEnum):
    """How a list of items can be ordered; `-` before it turns it round.

    `priority` is the triage order: priority, then due, then age.
    """

    PRIORITY = "priority"
    DUE = "due"
    CREATED = "created"
    UPDATED = "updated"


class SlaTarget(StrEnum):
    """What is promised: the first word to whoever asks, or that it is done."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"


class ClockState(StrEnum):
    """`breached` runs on, to be seen, until the item is done; `met` and `cancelled` have ended."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"

    @property
    def number(self) -> int:
        """Monday is 0, as in `datetime`."""
        return _WEEKDAYS.index(self)


_WEEKDAYS = tuple(Weekday)


class EscalationAct(StrEnum):
    RAISE_PRIORITY = "raise_priority"
    ASSIGN = "assign"
    NOTIFY = "notify"


class EscalationDoes(StrEnum):
    SUGGEST = "suggest"
    DO = "do"


class Period(StrEnum):
    """How figures over a longer time are cut; weeks begin on Monday. In UTC."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class UsageStep(StrEnum):
    """How finely usage is told; in UTC, weeks begin on Monday."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Metered(StrEnum):
    """What the engine meters by itself; other resource types are posted."""

    API_CALLS = "api_calls"
    ITEMS_INGESTED = "items_ingested"
    RUNS_EXECUTED = "runs_executed"
    EVENTS_PROCESSED = "events_processed"
    NOTIFICATIONS_SENT = "notifications_sent"


class AlertType(StrEnum):
    """What a rule looks at; `external` are alerts that other systems post."""

    SLA_BREACH = "sla_breach"
    SLA_IMMINENT = "sla_imminent"
    DLQ_GROWTH = "dlq_growth"
    WORKER_UNHEALTHY = "worker_unhealthy"
    ERROR_RATE_HIGH = "error_rate_high"
    THROUGHPUT_LOW = "throughput_low"
    QUEUE_STUCK = "queue_stuck"
    BULK_FAILURE_RATE = "bulk_failure_rate"
    EXTERNAL = "external"


class AlertUnit(StrEnum):
    """What a threshold is counted in."""

    COUNT = "count"
    PERCENT = "percent"
    PER_MINUTE = "per_minute"
    MINUTES = "minutes"


class AlertState(StrEnum):
    """`pending` waits for the time a rule asks for; `inactive` is kept nowhere."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """The worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return _SEVERITIES.index(self)


_SEVERITIES = tuple(Severity)


class Dimension(StrEnum):
    """What a rule makes an alert of its own for."""

    TENANT = "tenant"
    QUEUE = "queue"
    RESOURCE = "resource"
    PRIORITY = "priority"
    ITEM = "item"
    WORKER = "worker"
    OPERATION = "operation"


class SilenceState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class ChannelKind(StrEnum):
    """How notifications reach people and their systems."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"


class MailSecurity(StrEnum):
    """`starttls`: the connection turns safe before anything is said, or nothing is; `tls`: safe from the start."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class PagerDutyRegion(StrEnum):
    US = "us"
    EU = "eu"


class NotificationState(StrEnum):
    """`skipped`: there was no channel that could take it, or a later one of the same group was taken first."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
