"""Every known worker and how it does, from what the last round found."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, func, select

from quarterdeck.contract.clock import SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import Condition
from quarterdeck.contract.models.workers import WorkerInstance, WorkersHealth, WorkerType
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.sql import active
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.workers.attendance import attendance_of
from quarterdeck.engine.workers.judging import Standing, alone, rules_of, standing_of, together
from quarterdeck.engine.workers.tables import workers

MOST_SHOWN = 5_000


async def health(engine: Engine) -> WorkersHealth:
    await attendance_of(engine).write(engine)
    query = select(workers).order_by(workers.c.type, workers.c.name).limit(MOST_SHOWN)
    # Few runs are at work, and only those are read.
    at_work = select(runs.c.worker, func.count().label("number")).where(active()).group_by(runs.c.worker)
    async with engine.store.read() as connection:
        rows = (await connection.execute(query)).all()
        busy = {row.worker: row.number for row in await connection.execute(at_work)}
    now, rules, attendance = now_ms(), rules_of(engine), attendance_of(engine)
    since = now - rules.silent_seconds * SECOND
    instances = [
        _instance(row, alone(standing_of(row, now, rules), attendance.shared(row.name, since)), busy.get(row.name, 0))
        for row in rows
    ]
    types: defaultdict[str, list[WorkerInstance]] = defaultdict(list)
    for each in instances:
        types[each.type].append(each)
    return WorkersHealth(
        types=[_type(name, found) for name, found in types.items()],
        instances=instances,
        cached_seconds=engine.settings.workers.check_seconds,
    )


def _instance(row: Row[Any], standing: Standing, at_work: int) -> WorkerInstance:
    return WorkerInstance(
        name=row.name,
        type=row.type,
        queues=row.queues,
        condition=standing.condition,
        why=standing.why,
        url=row.url,
        checked_at=None if row.checked_at is None else to_datetime(row.checked_at),
        response_ms=row.response_ms,
        failures=row.failures,
        last_seen_at=None if row.last_seen_at is None else to_datetime(row.last_seen_at),
        active=at_work,
        completed=row.completed,
        failed=row.failed,
    )


def _type(name: str, found: list[WorkerInstance]) -> WorkerType:
    conditions = [each.condition for each in found]
    return WorkerType(
        type=name,
        condition=together(conditions),
        healthy=conditions.count(Condition.HEALTHY),
        degraded=conditions.count(Condition.DEGRADED),
        unhealthy=conditions.count(Condition.UNHEALTHY),
        active=sum(each.active for each in found),
        completed=sum(each.completed for each in found),
        failed=sum(each.failed for each in found),
    )
