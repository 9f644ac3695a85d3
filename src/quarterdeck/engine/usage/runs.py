"""Runs as usage: counted where what happened to them is folded, so that it costs no write of its own and loses none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from quarterdeck.contract.enums import Metered
from quarterdeck.engine.queues.service import BUILT_IN, NOTIFICATIONS
from quarterdeck.engine.runs.service import OURS
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.sums import add_ours, kept_name
from quarterdeck.engine.usage.tables import NOBODY

# A run has been executed when it is done, or when no attempt at it is left.
_EXECUTED = ("completed", "dead")


async def add_runs(transaction: Transaction, dialect: Dialect, counts: Mapping[tuple[Any, ...], int]) -> bool:
    """`counts`: (minute, queue, kind, tenant, what happened) -> of how many runs. The engine's own runs are nobody's
    usage, but for notifications that were sent. Whether there was any usage."""
    amounts: Counter[tuple[int, str, str]] = Counter()
    for (minute, queue, _, tenant, happened), number in counts.items():
        if queue == NOTIFICATIONS and happened == "completed":
            whose = NOBODY if tenant == OURS else kept_name(tenant)
            amounts[minute, whose, str(Metered.NOTIFICATIONS_SENT)] += number
        elif queue not in BUILT_IN and happened in _EXECUTED:
            amounts[minute, kept_name(tenant), str(Metered.RUNS_EXECUTED)] += number
    await add_ours(transaction, dialect, amounts)
    return bool(amounts)
