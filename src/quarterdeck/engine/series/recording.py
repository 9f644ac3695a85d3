"""Counting what happens to runs, in the transaction in which it happens."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, Text, bindparam, select

from quarterdeck.contract.enums import ErrorClass, RunStatus
from quarterdeck.engine.series.histogram import bucket_of
from quarterdeck.engine.series.tables import run_moves, run_tallies
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

TOOK, WAITED = range(2)

_Scope = tuple[str, str, str]  # queue, kind, tenant


class Moves:
    """What one transaction did to runs. States are words of RunStatus."""

    def __init__(self) -> None:
        self.tallies: Counter[tuple[str, str, str]] = Counter()  # queue, tenant, status
        self.counts: Counter[tuple[str, str, str, str]] = Counter()  # scope, which column
        self.latencies: Counter[tuple[str, str, str, int, int]] = Counter()  # scope, measure, bucket
        self.errors: Counter[tuple[str, str, str, str, str]] = Counter()  # scope, class, code

    def enqueued(self, queue: str, kind: str, tenant: str, status: str, number: int = 1) -> None:
        """Runs that are new."""
        self.tallies[queue, tenant, str(status)] += number
        self.counts[queue, kind, tenant, "enqueued"] += number

    def moved(self, queue: str, tenant: str, before: str, after: str, number: int = 1) -> None:
        """Runs that changed their state where no attempt ended: due, claimed, given back, cancelled, retried."""
        self.tallies[queue, tenant, str(before)] -= number
        self.tallies[queue, tenant, str(after)] += number

    def removed(self, queue: str, tenant: str, status: str, number: int = 1) -> None:
        """Runs that are no longer kept."""
        self.tallies[queue, tenant, str(status)] -= number

    def ended(
        self,
        queue: str,
        kind: str,
        tenant: str,
        before: str,
        after: str,
        *,
        took_ms: float,
        waited_ms: float | None = None,
        error_class: str | None = None,
        error_code: str | None = None,
    ) -> None:
        """One attempt that ended. With an error class it failed, whatever the run does next.

        `waited_ms` is from when the run could have begun until it did, said of first attempts only.
        """
        self.moved(queue, tenant, before, after)
        self.latencies[queue, kind, tenant, TOOK, bucket_of(took_ms)] += 1
        if waited_ms is not None:
            self.latencies[queue, kind, tenant, WAITED, bucket_of(waited_ms)] += 1
        if after == RunStatus.COMPLETED:
            self.counts[queue, kind, tenant, "completed"] += 1
        if after == RunStatus.DEAD:
            self.counts[queue, kind, tenant, "dead"] += 1
        if error_class is not None or after in (RunStatus.FAILED, RunStatus.DEAD):
            self.counts[queue, kind, tenant, "failed"] += 1
            self.errors[queue, kind, tenant, str(error_class or ErrorClass.UNKNOWN), error_code or ""] += 1

    def said(self, now: int) -> dict[str, Any]:
        """The parameters of the statements that write it down. `moves` is None where there are only tallies."""
        moves = [
            [[*key, number] for key, number in each.items()] for each in (self.counts, self.latencies, self.errors)
        ]
        return {
            "differences": json.dumps([[*key, number] for key, number in self.tallies.items() if number]),
            "at": now,
            "moves": moves if any(moves) else None,
        }

    def clear(self) -> None:
        """It was written down."""
        for each in (self.tallies, self.counts, self.latencies, self.errors):
            each.clear()


async def record(transaction: Transaction, dialect: Dialect, moves: Moves) -> None:
    """Two statements at most, however many runs moved. Counts are true at once, figures over time within a second
    or two."""
    given = moves.said(transaction.now)
    connection = transaction.connection
    if given["moves"] is None:
        if given["differences"] != "[]":
            await connection.execute(_tallying(dialect), given)
    elif dialect.nests_writes:
        await connection.execute(_both(dialect), given)
    else:
        await connection.execute(_tallying(dialect), given)
        await connection.execute(_moving(), given)


_NAMES = ("queue", "tenant_id", "status", "difference")


def counting(dialect: Dialect, more: Sequence[Select[Any]] = ()) -> tuple[Any, Any]:
    """Statements for `Moves.said`, to stand in one that moves runs; `more` are further rows of differences."""
    return _tallying(dialect, *more), _moving()


@cache
def _tallying(dialect: Dialect, *more: Select[Any]) -> Any:
    listed = dialect.listed("differences", dict(zip(_NAMES, (Text, Text, Text, BigInteger), strict=True)))
    differences = select(*(listed.c[name] for name in _NAMES))
    return run_tallies.insert().from_select(_NAMES, differences.union_all(*more) if more else differences)


@cache
def _moving() -> Any:
    at, moves = (bindparam(name, type_=run_moves.c[name].type) for name in ("at", "moves"))
    return run_moves.insert().from_select(["at", "moves"], select(at, moves).where(moves.is_not(None)))


@cache
def _both(dialect: Dialect) -> Any:
    return _moving().add_cte(_tallying(dialect).cte("tallied"))
