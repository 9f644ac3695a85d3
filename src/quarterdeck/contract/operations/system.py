"""The engine itself."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Answers, Operation
from quarterdeck.contract.reference import ModelRef

ENGINE = Operation(
    "system.engine",
    "GET",
    f"{API}/engine",
    "Which engine this is and who it takes the caller for.",
    ModelRef("system:EngineInfo"),
)
STOP = Operation(
    "system.stop",
    "POST",
    f"{API}/engine/stop",
    "Stop the engine after the batches in flight; what is left goes on at the next start.",
    ModelRef("system:Stopped"),
    status=202,
    role=Role.SUPER_ADMIN,
)
EVENTS = Operation(
    "system.events",
    "GET",
    f"{API}/ws/events",
    "Changes of items and operations as they happen.",
    answers=Answers.SOCKET,
)
HEALTHZ = Operation("system.healthz", "GET", "/healthz", "The process is alive.", ModelRef("system:Health"))
READYZ = Operation(
    "system.readyz", "GET", "/readyz", "The store answers and the clock runs.", ModelRef("system:Health")
)
METRICS = Operation("system.metrics", "GET", "/metrics", "Numbers in the Prometheus text format.", answers=Answers.TEXT)
