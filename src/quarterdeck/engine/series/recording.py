"""Counting what happens to runs, in the transaction in which it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import ErrorClass, RunStatus
from quarterdeck.engine.series.histogram import bucket_of
from quarterdeck.engine.series.tables import EVERYONE, LONG, STEPS, run_counts, run_errors, run_latencies, run_tallies
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

    now = transaction.now
    if moves.counts:
        rows: dict[_Key, dict[str, Any]] = {}
        for (scope, column), number in moves.counts.items():
            for key in buckets_of_time(scope, now):
                row = rows.setdefault(key, {**key._asdict(), **dict.fromkeys(_COLUMNS, 0)})
                row[column] += number
        ordered = [rows[key] for key in sorted(rows)]
        await connection.execute(_upsert(dialect, run_counts, _COLUMNS), ordered)
    if moves.latencies:
        latencies: Counter[tuple[_Key, int, int]] = Counter()
        for (scope, measure, bucket), number in moves.latencies.items():
            for key in buckets_of_time(scope, now):
                latencies[key, measure, bucket] += number
        ordered = [
            {**key._asdict(), "measure": measure, "bucket": bucket, "number": latencies[key, measure, bucket]}
            for key, measure, bucket in sorted(latencies)
        ]
        await connection.execute(_upsert(dialect, run_latencies, _NUMBER), ordered)
    if moves.errors:
        errors: Counter[tuple[_Key, str, str]] = Counter()
        for (scope, error_class, code), number in moves.errors.items():
            for key in buckets_of_time(scope, now, whole=False):
                errors[key, error_class, code] += number
        ordered = [
            {**key._asdict(), "error_class": error_class, "error_code": code, "number": errors[key, error_class, code]}
            for key, error_class, code in sorted(errors)
        ]
        await connection.execute(_upsert(dialect, run_errors, _NUMBER), ordered)


_COLUMNS = ("enqueued", "completed", "failed", "dead")
_NUMBER = ("number",)


class _Key(NamedTuple):
    tenant_id: str
    step: int
    whole: int
    at: int
    queue: str
    kind: str


def buckets_of_time(scope: _Scope, now: int, *, whole: bool = True) -> Iterator[_Key]:
    """Where something that happens now is counted: under its tenant and under everyone, in each step of time."""
    queue, kind, tenant = scope
    for name in (tenant, EVERYONE):
        for step in STEPS:
            at = now - now % (step * SECOND)
            yield _Key(name, step, 0, at, queue, kind)
            if whole and step == LONG:
                yield _Key(name, step, 1, at, "", "")


@cache
def _upsert(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> Any:
    # Rows come in the same order from everybody, so that two transactions never wait for each other.
    new = dialect.insert(table)
    added = {column: table.c[column] + new.excluded[column] for column in columns}
    return new.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added)
