"""Tells consoles that runs have moved, and who watches one run that it has."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.live import MOST_IDS_NAMED, Change, Message
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction


def touched(
    engine: Engine, transaction: Transaction, moved: Sequence[tuple[int, str]], change: Change = Change.UPDATED
) -> None:
    """Said after the commit. `moved` are (id, tenant)."""
    if not moved:
        return
    ids = [number for number, _ in moved]

    def tell() -> None:
        engine.hub.publish_figures(Message.QUEUES_CHANGED)
        if engine.hub.subscribers:
            named = ids if len(ids) <= MOST_IDS_NAMED else None
            message = {
                "type": Message.RESOURCE_CHANGED,
                "resource": MachineResource.RUNS,
                "change": change,
                "ids": named,
            }
            engine.hub.publish(message, frozenset(tenant for _, tenant in moved))
        engine.run_watches.touch(ids)

    transaction.after_commit(tell)
