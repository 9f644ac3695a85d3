"""Every table of the store, gathered so that the metadata is complete."""

from quarterdeck.engine.alerts import tables as alerts
from quarterdeck.engine.audit import tables as audit
from quarterdeck.engine.bulk import tables as bulk
from quarterdeck.engine.channels import tables as channels
from quarterdeck.engine.dead_letters import tables as dead_letters
from quarterdeck.engine.idempotency import tables as idempotency
from quarterdeck.engine.items import tables as items
from quarterdeck.engine.listing import tables as listing
from quarterdeck.engine.queues import tables as queues
from quarterdeck.engine.runs import tables as runs
from quarterdeck.engine.series import tables as series
from quarterdeck.engine.sla import tables as sla
from quarterdeck.engine.usage import tables as usage
from quarterdeck.engine.workers import tables as workers

__all__ = [
    "alerts",
    "audit",
    "bulk",
    "channels",
    "dead_letters",
    "idempotency",
    "items",
    "listing",
    "queues",
    "runs",
    "series",
    "sla",
    "usage",
    "workers",
]
