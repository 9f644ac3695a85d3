"""Counting dead letters as they come and go, in the transaction in which they do."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, func, select

from quarterdeck.contract.clock import MINUTE
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.series.tables import dead_letter_minutes, dead_letter_tallies
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

_COLUMNS = ("added", "resolved", "expired")
_HEADINGS = ("tenant_id", "queue", "event_type", "group_id")
Heading = tuple[str, str, str, str]


class Moves:
    """What one transaction did to dead letters. A heading is (tenant, queue, type, group)."""

    def __init__(self) -> None:
        self.tallies: Counter[tuple[Heading, str]] = Counter()
        self.minutes: Counter[tuple[str, str]] = Counter()  # tenant; added, resolved or expired

    def added(self, heading: Heading, status: str) -> None:
        self.tallies[heading, status] += 1
        self.minutes[heading[0], "added"] += 1

    def moved(self, before: Heading, status: str, after: Heading, to: str, number: int = 1) -> None:
        self.tallies[before, status] -= number
        self.tallies[after, to] += number

    def resolved(self, tenant: str) -> None:
        self.minutes[tenant, "resolved"] += 1

    def expired(self, heading: Heading, status: str, number: int = 1) -> None:
        self.tallies[heading, status] -= number
        self.minutes[heading[0], "expired"] += number


async def record(transaction: Transaction, dialect: Dialect, moves: Moves) -> None:
    rows = [
        {**dict(zip(_HEADINGS, heading, strict=True)), "status": status, "difference": number}
        for (heading, status), number in moves.tallies.items()
        if number
    ]
    if rows:
        await transaction.connection.execute(dead_letter_tallies.insert(), rows)
    if not moves.minutes:
        return
    minute = transaction.now - transaction.now % MINUTE
    minutes: dict[str, dict[str, Any]] = {}
    for (tenant, column), number in moves.minutes.items():
        row = minutes.setdefault(tenant, {"minute": minute, "tenant_id": tenant, **dict.fromkeys(_COLUMNS, 0)})
        row[column] = number
    # In the order of the key, so that two transactions never wait for each other.
    await transaction.connection.execute(_upsert(dialect), [minutes[tenant] for tenant in sorted(minutes)])


@cache
def _upsert(dialect: Dialect) -> Any:
    new = dialect.insert(dead_letter_minutes)
    added = {column: dead_letter_minutes.c[column] + new.excluded[column] for column in _COLUMNS}
    return new.on_conflict_do_update(index_elements=["minute", "tenant_id"], set_=added)


async def headings_of(transaction: Transaction, scope: ColumnElement[bool]) -> dict[Heading, int]:
    """How many dead letters in `scope` stand under each heading."""
    columns = [dead_letters.c[name] for name in _HEADINGS]
    query = select(*columns, func.count()).where(scope).group_by(*columns)
    return {tuple(row[:4]): int(row[4]) for row in await transaction.connection.execute(query)}


async def record_all(
    transaction: Transaction, dialect: Dialect, headings: dict[Heading, int], before: str, after: str
) -> None:
    """That many go from one state to another."""
    moves = Moves()
    for heading, number in headings.items():
        moves.moved(heading, before, heading, after, number)
    await record(transaction, dialect, moves)
