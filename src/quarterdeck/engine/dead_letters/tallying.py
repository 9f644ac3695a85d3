"""Counting dead letters as they come and go, in the transaction in which they do."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import ColumnElement, Text, func, insert, literal, select

from quarterdeck.contract.clock import MINUTE
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.series.tables import dead_letter_minutes, dead_letter_tallies
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

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

    def moved(self, before: Heading, status: str, after: Heading, to: str) -> None:
        self.tallies[before, status] -= 1
        self.tallies[after, to] += 1

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
    minute = transaction.now - transaction.now % MINUTE
    for (tenant, column), number in sorted(moves.minutes.items()):
        new = dialect.insert(dead_letter_minutes).values(minute=minute, tenant_id=tenant, **{column: number})
        added = {column: dead_letter_minutes.c[column] + number}
        await transaction.connection.execute(
            new.on_conflict_do_update(index_elements=["minute", "tenant_id"], set_=added)
        )


async def record_all(transaction: Transaction, scope: ColumnElement[bool], before: str, after: str) -> None:
    """Every dead letter in `scope` goes from one state to another; call it before they do."""
    headings = [dead_letters.c[name] for name in _HEADINGS]
    for status, number in ((before, -func.count()), (after, func.count())):
        moved = select(*headings, literal(status, Text), number).where(scope).group_by(*headings)
        await transaction.connection.execute(
            insert(dead_letter_tallies).from_select([*_HEADINGS, "status", "difference"], moved)
        )
