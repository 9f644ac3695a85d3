"""Reading what was counted. Nothing here looks at runs, but for the age of the oldest that waits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SmallInteger, Table, Text, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Priority
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.runs.tables import WAITING, runs
from quarterdeck.engine.series.tables import EVERYONE, LONG, run_errors, run_tallies
from quarterdeck.engine.store.dialect import Dialect

# Runs of each queue and priority among which the oldest of some tenants, or of a kind, is looked for.
LOOKED_AT, ROWS_READ = 2_000, 500


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures, and of what. `tenants` None: of all of them. The rest: None narrows nothing."""

    tenants: frozenset[str] | None = None
    queue: str | None = None
    kind: str | None = None

    @classmethod
    def of(
        cls, principal: Principal, *, queue: str | None = None, kind: str | None = None, tenant: str | None = None
    ) -> Scope:
        """What the principal sees of what was asked for; a tenant they do not see has no figures."""
        tenants = principal.tenants
        if tenant is not None:
            tenants = frozenset({tenant} if principal.sees(tenant) else ())
        return cls(None if tenants is None else tenants - {EVERYONE}, queue, kind)

    def tenant_is(self, column: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """Conditions on a table that has a row for each tenant."""
        if self.tenants is None:
            return []
        return [column.in_(sorted(self.tenants))]

    def time(self, table: Table, step: int, since: int, *, by_queue: bool) -> list[ColumnElement[bool]]:
        """Conditions on a table of buckets of time: those of `step` seconds from `since` (ms) on."""
        whose = [table.c.tenant_id == EVERYONE] if self.tenants is None else self.tenant_is(table.c.tenant_id)
        whole = step == LONG and table is not run_errors and self.queue is None and self.kind is None and not by_queue
        found = [*whose, table.c.step == step, table.c.whole == int(whole), table.c.at >= since]
        if self.queue is not None:
            found.append(table.c.queue == self.queue)
        if self.kind is not None:
            found.append(table.c.kind == self.kind)
        return found


def began(now: int, step: int, steps: int) -> int:
    """When the first of so many steps of `step` seconds began; the last is the one that is not over."""
    return now - now % (step * SECOND) - (steps - 1) * step * SECOND


async def tallies(connection: AsyncConnection, scope: Scope) -> dict[str, dict[str, int]]:
    """How many runs are in which state, by queue."""
    query = (
        select(run_tallies.c.queue, run_tallies.c.status, func.sum(run_tallies.c.difference))
        .where(*scope.tenant_is(run_tallies.c.tenant_id))
        .group_by(run_tallies.c.queue, run_tallies.c.status)
    )
    if scope.queue is not None:
        query = query.where(run_tallies.c.queue == scope.queue)
    found: dict[str, dict[str, int]] = {}
    for queue, status, number in await connection.execute(query):
        found.setdefault(queue, {})[status] = int(number)
    return found


async def sums(
    connection: AsyncConnection,
    scope: Scope,
    table: Table,
    by: Sequence[str],
    what: Sequence[str],
    step: int,
    since: int,
) -> Sequence[Any]:
    """Rows of the columns `by` and the sums of the columns `what`, one for each combination of `by`."""
    key = [table.c[name] for name in by]
    query: Select[Any] = (
        select(*key, *(cast(func.sum(table.c[name]), table.c[name].type).label(name) for name in what))
        .where(*scope.time(table, step, since, by_queue="queue" in by))
        .group_by(*key)
    )
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def oldest_waiting(
    connection: AsyncConnection, dialect: Dialect, scope: Scope, queues: Sequence[str]
) -> dict[str, int]:
    """When the longest waiting run of each of these queues could have begun (ms).

    Each priority of a queue is a stretch of the index, in the order of that time. Where the scope is narrow its first
    run may stand far behind those of others; one that is too far is not found. Queues without one are left out.
    """
    place = dialect.listed("places", {"queue": Text, "priority": SmallInteger})
    stretch = (
        select(runs.c.run_at, runs.c.tenant_id, *([] if scope.kind is None else [runs.c.kind]))
        .where(literal_column(WAITING), runs.c.queue == place.c.queue, runs.c.priority == place.c.priority)
        .order_by(runs.c.run_at)
        .limit(1 if scope.tenants is None and scope.kind is None else LOOKED_AT if scope.kind is None else ROWS_READ)
        .correlate(place)
        .subquery()
    )
    first = select(func.min(stretch.c.run_at)).where(*scope.tenant_is(stretch.c.tenant_id))
    if scope.kind is not None:
        first = first.where(stretch.c.kind == scope.kind)
    query = select(place.c.queue, first.correlate(place).scalar_subquery())
    places = json.dumps([[queue, priority.rank] for queue in queues for priority in Priority])
    found: dict[str, int] = {}
    for queue, at in await connection.execute(query, {"places": places}):
        if at is not None:
            found[queue] = min(at, found.get(queue, at))
    return found
