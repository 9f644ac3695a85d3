"""Counting what happens to runs, in the transaction in which it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import Any

from sqlalchemy import Table

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import ErrorClass, RunStatus
from quarterdeck.engine.series.histogram import bucket_of
from quarterdeck.engine.series.tables import EVERYONE, STEPS, run_counts, run_errors, run_latencies, run_tallies
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

TOOK, WAITED = range(2)

_Scope = tuple[str, str, str]  # queue, kind, tenant


class Moves:
    """What one transaction did to runs. States are words of RunStatus."""

    def __init__(self) -> None:
        self.tallies: Counter[tuple[str, str, str]] = Counter()  # queue, tenant, status
        self.counts: Counter[tuple[_Scope, str]] = Counter()  # which column
        self.latencies: Counter[tuple[_Scope, int, int]] = Counter()  # measure, bucket
        self.errors: Counter[tuple[_Scope, str, str]] = Counter()  # class, code

    def enqueued(self, queue: str, kind: str, tenant: str, status: str, number: int = 1) -> None:
        """Runs that are new."""
        self.tallies[queue, tenant, str(status)] += number
        self.counts[(queue, kind, tenant), "enqueued"] += number

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
        scope = (queue, kind, tenant)
        self.latencies[scope, TOOK, bucket_of(took_ms)] += 1
        if waited_ms is not None:
            self.latencies[scope, WAITED, bucket_of(waited_ms)] += 1
        if after == RunStatus.COMPLETED:
            self.counts[scope, "completed"] += 1
        if after == RunStatus.DEAD:
            self.counts[scope, "dead"] += 1
        if error_class is not None or after in (RunStatus.FAILED, RunStatus.DEAD):
            self.counts[scope, "failed"] += 1
            self.errors[scope, str(error_class or ErrorClass.UNKNOWN), error_code or ""] += 1

    def __bool__(self) -> bool:
        return bool(self.tallies or self.counts or self.latencies or self.errors)


async def record(transaction: Transaction, dialect: Dialect, moves: Moves) -> None:
    """A handful of statements, however many runs moved.

    Call it last: on PostgreSQL the newest buckets of time stay locked from here to the commit.
    """
    connection = transaction.connection
    differences = [
        {"queue": queue, "tenant_id": tenant, "status": status, "difference": number}
        for (queue, tenant, status), number in moves.tallies.items()
        if number
    ]
    if differences:
        await connection.execute(run_tallies.insert(), differences)

    counts: Counter[tuple[Any, ...]] = Counter()
    for (scope, column), number in moves.counts.items():
        _add(counts, scope, (column,), number, transaction.now)
    if counts:
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for (*key, column), number in counts.items():
            row = rows.setdefault(tuple(key), {**_named(key), **dict.fromkeys(_COLUMNS, 0)})
            row[column] = number
        await connection.execute(_upsert(dialect, run_counts, _COLUMNS), [rows[key] for key in sorted(rows)])

    for table, found, names in (
        (run_latencies, moves.latencies, ("measure", "bucket")),
        (run_errors, moves.errors, ("error_class", "error_code")),
    ):
        numbers: Counter[tuple[Any, ...]] = Counter()
        for (scope, *more), number in found.items():
            _add(numbers, scope, more, number, transaction.now)
        if numbers:
            ordered = [{**_named(key, names), "number": numbers[key]} for key in sorted(numbers)]
            await connection.execute(_upsert(dialect, table, ("number",)), ordered)


_COLUMNS = ("enqueued", "completed", "failed", "dead")
_KEY = ("tenant_id", "step", "at", "queue", "kind")


def _add(counter: Counter[tuple[Any, ...]], scope: _Scope, more: Iterable[Any], number: int, now: int) -> None:
    """Under its tenant and under everyone, in each step of time."""
    queue, kind, tenant = scope
    for whose, step in product((tenant, EVERYONE), STEPS):
        counter[whose, step, now - now % (step * SECOND), queue, kind, *more] += number


def _named(key: Sequence[Any], names: tuple[str, ...] = ()) -> dict[str, Any]:
    return dict(zip((*_KEY, *names), key, strict=True))


@cache
def _upsert(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> Any:
    # Rows come in the order of the key, so that two transactions never wait for each other.
    new = dialect.insert(table)
    added = {column: table.c[column] + new.excluded[column] for column in columns}
    return new.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added)
