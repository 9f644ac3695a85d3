"""Queues as people see them: settings, counts and condition. All figures are read from what was counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.models.queues import Queue, QueueList
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.checks import mistake
from quarterdeck.engine.queues.conditions import Facts, judge
from quarterdeck.engine.queues.service import KnownQueue, get_queue, known_queues
from quarterdeck.engine.series.reading import Scope, began, oldest_waiting, sums, tallies
from quarterdeck.engine.series.tables import run_counts, run_errors
from quarterdeck.engine.workers.tables import workers

_MINUTE, _QUARTER = 60, 900  # seconds
_HOUR, _TREND, _RATE = 60, 30, 5  # minutes


async def list_queues(engine: Engine, principal: Principal) -> QueueList:
    """The engine's own queues are shown to whoever sees every tenant."""
    async with engine.store.read() as connection:
        known = (await known_queues(connection)).values()
        seen = [queue for queue in known if principal.tenants is None or not queue.is_built_in]
        return QueueList(items=await describe(engine, connection, principal, seen))


async def show_queue(engine: Engine, principal: Principal, name: str) -> Queue:
    """Raises Problem(NOT_FOUND)."""
    async with engine.store.read() as connection:
        return (await describe(engine, connection, principal, [await get_queue(connection, name)]))[0]


async def describe(
    engine: Engine, connection: AsyncConnection, principal: Principal, known: Iterable[KnownQueue]
) -> list[Queue]:
    """With the figures of the tenants that the principal sees."""
    queues = list(known)
    scope = Scope.of(principal, queue=queues[0].name if len(queues) == 1 else None)
    now = now_ms()
    counts = await tallies(connection, scope)
    waiting = [queue.name for queue in queues if counts.get(queue.name, {}).get(RunStatus.WAITING, 0) > 0]
    oldest = await oldest_waiting(connection, engine.store.dialect, scope, waiting) if waiting else {}
    minutes = await _minutes(connection, scope, now)
    errors = await _common_errors(connection, scope, now)
    leased = await _leased(connection, now - engine.settings.workers.silent_seconds * SECOND) if waiting else set()
    return [
        _queue(
            queue,
            now,
            counts.get(queue.name, {}),
            minutes.get(queue.name, {}),
            oldest.get(queue.name),
            common_error=errors.get(queue.name),
            leased=queue.name in leased,
            mistake=await mistake(engine, queue.settings),
        )
        for queue in queues
    ]


async def _minutes(connection: AsyncConnection, scope: Scope, now: int) -> dict[str, dict[int, Any]]:
    """Of each queue, what happened in the minutes of the last hour in which anything did."""
    found: dict[str, dict[int, Any]] = {}
    since = began(now, _MINUTE, _HOUR)
    by, what = ("queue", "at"), ("completed", "failed", "dead")
    for row in await sums(connection, scope, run_counts, by, what, _MINUTE, since):
        found.setdefault(row.queue, {})[row.at] = row
    return found


async def _common_errors(connection: AsyncConnection, scope: Scope, now: int) -> dict[str, str]:
    """With what attempts of each queue failed most often."""
    most: dict[str, tuple[int, str]] = {}
    by = ("queue", "error_code")
    for row in await sums(connection, scope, run_errors, by, ("number",), _QUARTER, began(now, _QUARTER, 4)):
        most[row.queue] = max(most.get(row.queue, (0, "")), (row.number, row.error_code))
    return {queue: code for queue, (_, code) in most.items()}


async def _leased(connection: AsyncConnection, since: int) -> set[str]:
    """The queues for which a worker has asked since then (ms)."""
    found = await connection.execute(select(workers.c.queues).where(workers.c.last_seen_at >= since))
    return {queue for (asked,) in found for queue in asked}


def _queue(
    queue: KnownQueue,
    now: int,
    counts: dict[str, int],
    minutes: dict[int, Any],
    at: int | None,
    **more: Any,
) -> Queue:
    """`minutes` by when they began, `at` when the oldest waiting run could have; `more` are further Facts."""
    completed = sum(row.completed for row in minutes.values())
    failed = sum(row.failed for row in minutes.values())
    ended = completed + failed
    lately = began(now, _MINUTE, _RATE + 1)
    rate = sum(row.completed for when, row in minutes.items() if when >= lately) / ((now - lately) / SECOND / 60)
    first = began(now, _MINUTE, _TREND)
    trend = [minutes.get(first + number * _MINUTE * SECOND) for number in range(_TREND)]
    number = {status: counts.get(status, 0) for status in RunStatus}
    facts = Facts(
        queue,
        now,
        waiting=number[RunStatus.WAITING],
        active=number[RunStatus.ACTIVE],
        oldest_waiting_at=at,
        ended=ended,
        failed=failed,
        **more,
    )
    condition, why = judge(facts)
    return Queue(
        name=queue.name,
        settings=queue.settings,
        from_config=queue.from_config,
        paused=queue.paused,
        paused_by=queue.paused_by,
        paused_at=None if queue.paused_at is None else to_datetime(queue.paused_at),
        pause_reason=queue.pause_reason,
        waiting=number[RunStatus.WAITING],
        scheduled=number[RunStatus.SCHEDULED],
        active=number[RunStatus.ACTIVE],
        failed=number[RunStatus.FAILED],
        completed=completed,
        dead=sum(row.dead for row in minutes.values()),
        per_minute=round(rate, 2),
        error_percent=round(100 * failed / ended, 1) if ended else None,
        oldest_waiting_at=None if at is None else to_datetime(at),
        trend=[row.completed if row else 0 for row in trend],
        condition=condition,
        why=why,
    )
