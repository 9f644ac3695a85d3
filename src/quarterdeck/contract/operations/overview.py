"""What an operator is to know now."""

from quarterdeck.contract.operations.base import API, Operation
from quarterdeck.contract.reference import ModelRef

_OVERVIEW = f"{API}/ops/overview"

SHOW = Operation(
    "overview.show",
    "GET",
    _OVERVIEW,
    "What needs somebody now: items, promises, dead letters, alerts, workers, queues, bulk operations.",
    ModelRef("overview:Overview"),
)
CRITICAL = Operation(
    "overview.critical",
    "GET",
    f"{_OVERVIEW}/critical",
    "Critical alerts that nobody has acknowledged or silenced.",
    ModelRef("overview:CriticalAlerts"),
)
