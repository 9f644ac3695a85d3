"""A bad morning: what services do makes each type of rule fire, and what they do then makes it end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from quarterdeck.contract.clock import HOUR, MINUTE, to_ms
from quarterdeck.contract.enums import AlertType, Dimension, HandlerKind
from quarterdeck.contract.models.queues import Pause, QueueSettings
from quarterdeck.contract.models.runs import LeaseRequest
from quarterdeck.engine.alerts import evaluation, trying
from quarterdeck.engine.alerts.sampling import WITH_A_PAST
from quarterdeck.engine.dead_letters import ticks as dead_letter_ticks
from quarterdeck.engine.queues import changes
from quarterdeck.engine.runs.outcomes import Completed
from quarterdeck.engine.series.folding import fold
from quarterdeck.engine.sla.sweep import sweep
from quarterdeck.engine.workers import leasing
from quarterdeck.engine.workers.attendance import attendance_of
from tests.engine.alerts.world import FIRING, MONDAY, Day
from tests.engine.runs import world as runs
from tests.engine.sla.world import enter, promise
from tests.support.desk import ROOT, Desk

assert dead_letter_ticks  # which hear of runs that die

MAIL = "mail"
RULES: dict[AlertType, dict[str, Any]] = {
    AlertType.SLA_BREACH: {"threshold": 1, "by": ["priority"]},
    AlertType.SLA_IMMINENT: {"threshold": 1, "by": ["resource"]},
    AlertType.DLQ_GROWTH: {"threshold": 10, "by": ["tenant"]},
    AlertType.WORKER_UNHEALTHY: {"threshold": 1, "by": ["worker"]},
    AlertType.ERROR_RATE_HIGH: {"threshold": 50, "by": ["queue"]},
    AlertType.THROUGHPUT_LOW: {"threshold": 50, "by": ["queue"], "minimum": 1},
    AlertType.QUEUE_STUCK: {"threshold": 10, "by": ["queue"]},
    AlertType.BULK_FAILURE_RATE: {"threshold": 20, "minimum": 5},
}


def minutes(moment: datetime | None) -> int | None:
    """Since Monday morning."""
    return None if moment is None else (to_ms(moment) - MONDAY) // MINUTE


async def complete(day: Day, number: int) -> None:
    """So many runs of the queue are done."""
    await runs.add(day.engine, *[{}] * number, queue=MAIL)
    claimed = await runs.claim(day.engine, number, queue=MAIL)
    await runs.finish(day.engine, *(Completed(*each.held) for each in claimed))


async def lease(day: Day, number: int) -> None:
    """A worker outside takes so many and does them."""
    asked = LeaseRequest(worker="w-1", count=number, wait_seconds=0)
    leased = (await leasing.lease(day.engine, ROOT, MAIL, asked)).items
    await runs.finish(day.engine, *(Completed(each.id, each.attempt, each.lease_token) for each in leased))
    await attendance_of(day.engine).write(day.engine)


async def fail(day: Day, number: int) -> None:
    claimed = await runs.claim(day.engine, number, queue=MAIL)
    await runs.finish(day.engine, *(runs.failed(each, retryable=False) for each in claimed))


async def spoil(desk: Desk) -> None:
    """A bulk operation of which a quarter fails, since somebody else was faster."""
    ids = await desk.new(8, tenant_id="globex")
    preview = await desk.draft("resolve", ids)
    for number in ids[:2]:
        await desk.act(number, "set-priority", priority="low")
    await desk.finish(preview.operation.id)


async def test_every_type_fires_and_is_over(day: Day, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> dict[str, str]:
        """What fires, of what."""
        await fold(day.engine)
        await sweep(day.engine)
        await evaluation.evaluate(day.engine)
        firing = await day.list(state=FIRING)
        return {each.name: "".join(each.labels.get(str(of), "") for of in Dimension) for each in firing}

    day.now = MONDAY - 2 * HOUR  # as usual
    await changes.put_queue(day.engine, ROOT, MAIL, QueueSettings(handler=HandlerKind.WORKER, concurrency=200))
    await complete(day, 120)
    day.now = MONDAY
    await promise(desk, tenant_id="acme", targets=[{"priority": "normal", "resolution_minutes": 60}])
    numbers = {each: await day.rule(each, name=str(each), **settings) for each, settings in RULES.items()}
    (item,) = await enter(desk)
    await complete(day, 3)
    await lease(day, 1)
    assert await look() == {}

    await runs.add(day.engine, *[{}] * 20, queue=MAIL)
    await fail(day, 10)
    await spoil(desk)
    day.now += MINUTE
    assert await look() == {"bulk_failure_rate": "", "error_rate_high": MAIL, "dlq_growth": "acme"}
    day.now += 15 * MINUTE  # their windows have passed; the rest of the runs waits, and the worker says nothing
    assert await look() == {"queue_stuck": MAIL, "throughput_low": MAIL, "worker_unhealthy": "w-1"}
    await lease(day, 10)
    assert await look() == {}
    day.now += 34 * MINUTE
    idle = {"throughput_low": MAIL, "worker_unhealthy": "w-1"}
    assert await look() == {**idle, "sla_imminent": "support_tasks"}
    day.now += 11 * MINUTE
    assert await look() == {**idle, "sla_breach": "normal"}
    await desk.act(item, "resolve")
    assert await look() == idle

    # What a rule says when it is tried is what it did; of an hour and a half, since a day takes longer to read.
    monkeypatch.setattr(trying, "DAY", 90 * MINUTE)
    tried = {}
    for type_, number in numbers.items():
        found = await trying.try_out(day.engine, ROOT, number)
        assert {each.labels["alertname"] for each in found.now if each.fires} <= idle.keys(), type_
        assert (found.why is None) == (type_ in WITH_A_PAST), type_
        tried[str(type_)] = [(minutes(each.since), minutes(each.until)) for each in found.episodes]
    assert {name: episodes for name, episodes in tried.items() if episodes} == {
        "sla_breach": [(60, 61)],
        "dlq_growth": [(0, 15)],
        "error_rate_high": [(0, 15)],
        "bulk_failure_rate": [(0, 15)],
        "throughput_low": [(-29, 1), (16, 17), (32, None)],  # of what has been, whole minutes count
    }

    # What somebody has paused completes nothing and waits, and what is gone is missed by nobody.
    await runs.add(day.engine, {}, queue=MAIL)
    await changes.pause_queue(day.engine, ROOT, MAIL, Pause(reason="Moving house."))
    day.now += 20 * MINUTE
    assert await look() == {"worker_unhealthy": "w-1"}
    await changes.resume_queue(day.engine, ROOT, MAIL, Pause())
    assert await look() == {**idle, "queue_stuck": MAIL}
    await lease(day, 1)
    await changes.delete_queue(day.engine, ROOT, MAIL)
    assert await look() == {}
