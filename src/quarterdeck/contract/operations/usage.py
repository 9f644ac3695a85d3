"""Usage: recorded, summed up, exported, and held against limits."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, SEEN, Answers, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_USAGE = f"{API}/usage"

RECORD = Operation(
    "usage.record",
    "POST",
    f"{_USAGE}/events",
    "Record what was used; the same source and id again changes nothing.",
    ModelRef("usage:RecordedUsage"),
    ModelRef("usage:NewUsageEvents"),
    role=Role.OPERATOR,
    forms=(
        ("application/cloudevents+json", ModelRef("usage:CloudEvent")),
        ("application/cloudevents-batch+json", ModelRef("usage:CloudEventBatch")),
    ),
)
SUMMARY = Operation(
    "usage.summary",
    "GET",
    f"{_USAGE}/summary",
    "Totals by resource type, and usage against limits.",
    ModelRef("usage:UsageSummary"),
    query=ModelRef("usage:UsageSpan"),
)
DETAILS = Operation(
    "usage.details",
    "GET",
    f"{_USAGE}/details",
    "Usage over time, by resource type and tenant.",
    ModelRef("usage:UsagePage"),
    query=ModelRef("usage:UsageDetailsQuery"),
    problems=(Code.CURSOR_INVALID,),
)
EXPORT = Operation(
    "usage.export",
    "GET",
    f"{_USAGE}/export",
    "The same as a file, CSV or JSON, whole.",
    query=ModelRef("usage:UsageExportQuery"),
    answers=Answers.STREAM,
)
LIMITS = Operation(
    "usage.limits", "GET", f"{_USAGE}/limits", "Limits on what may be used.", ModelRef("usage:UsageLimitList")
)
SET_LIMIT = Operation(
    "usage.set_limit",
    "PUT",
    f"{_USAGE}/limits",
    "Set the limit of a tenant, resource type and period.",
    ModelRef("usage:UsageLimit"),
    ModelRef("usage:NewUsageLimit"),
    role=Role.ADMIN,
    problems=(Code.UNCHANGED, Code.CHANGED_SINCE),
)
DELETE_LIMIT = Operation(
    "usage.delete_limit",
    "DELETE",
    f"{_USAGE}/limits/{{id}}",
    "Forget a limit.",
    ModelRef("usage:UsageLimit"),
    query=SEEN,
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.CHANGED_SINCE),
)
