"""Every table of the store, gathered so that the metadata is complete."""

from quarterdeck.engine.audit import tables as audit
from quarterdeck.engine.bulk import tables as bulk
from quarterdeck.engine.idempotency import tables as idempotency
from quarterdeck.engine.items import tables as items
from quarterdeck.engine.runs import tables as runs

__all__ = ["audit", "bulk", "idempotency", "items", "runs"]
