"""Tells consoles that dead letters have moved."""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.live import MOST_IDS_NAMED, Change
from quarterdeck.engine.acting import announce
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction


def touched(
    engine: Engine, transaction: Transaction, moved: Iterable[tuple[int, str]], change: Change = Change.UPDATED
) -> None:
    """Said after the commit. `moved` are (id, tenant)."""
    found = list(moved)
    if found:
        ids = [number for number, _ in found] if len(found) <= MOST_IDS_NAMED else None
        tenants = frozenset(tenant for _, tenant in found)
        announce(engine, transaction, MachineResource.DEAD_LETTERS, ids, tenants, change)
