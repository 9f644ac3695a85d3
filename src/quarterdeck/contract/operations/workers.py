"""How machine work goes."""

from quarterdeck.contract.operations.base import API, Operation
from quarterdeck.contract.reference import ModelRef

_WORKERS = f"{API}/ops/workers"
_QUERY = ModelRef("workers:SeriesQuery")

THROUGHPUT = Operation(
    "workers.throughput",
    "GET",
    f"{_WORKERS}/throughput",
    "Runs enqueued, completed, failed and dead over time.",
    ModelRef("workers:Throughput"),
    query=_QUERY,
)
LATENCY = Operation(
    "workers.latency",
    "GET",
    f"{_WORKERS}/latency",
    "How long attempts took and runs waited: median, 95th and 99th percentile.",
    ModelRef("workers:Latency"),
    query=_QUERY,
)
ERRORS = Operation(
    "workers.errors",
    "GET",
    f"{_WORKERS}/errors",
    "The share of attempts that failed, and with what.",
    ModelRef("workers:Errors"),
    query=_QUERY,
)
HEALTH = Operation(
    "workers.health",
    "GET",
    f"{_WORKERS}/health",
    "Every known worker: healthy, degraded or unhealthy.",
    ModelRef("workers:WorkersHealth"),
)
