"""Every operation of the API, declared once: routes bind to it, the client calls through it."""

from quarterdeck.contract.operations import (
    alerts,
    audit,
    bulk,
    channels,
    dead_letters,
    items,
    overview,
    queues,
    runs,
    sla,
    system,
    usage,
    workers,
)
from quarterdeck.contract.operations.base import API, Operation

_PACKAGES = (items, bulk, queues, runs, dead_letters, workers, sla, alerts, channels, usage, overview, audit, system)

OPERATIONS: dict[str, Operation] = {
    value.name: value for package in _PACKAGES for value in vars(package).values() if isinstance(value, Operation)
}

__all__ = [
    "API",
    "OPERATIONS",
    "Operation",
    "alerts",
    "audit",
    "bulk",
    "channels",
    "dead_letters",
    "items",
    "overview",
    "queues",
    "runs",
    "sla",
    "system",
    "usage",
    "workers",
]
