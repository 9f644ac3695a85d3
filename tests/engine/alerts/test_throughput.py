"""A queue that goes on as it always did is not slow, whenever it is looked at."""

from __future__ import annotations

import pytest

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND
from quarterdeck.contract.enums import AlertType, HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.alerts import sampling
from quarterdeck.engine.alerts.rules import alive, rule_of
from quarterdeck.engine.alerts.tables import alert_rules
from quarterdeck.engine.queues.changes import put_queue
from quarterdeck.engine.series.tables import EVERYONE, LONG, SHORT, run_counts
from tests.engine.alerts.world import Day
from tests.support.desk import ROOT

PER_SECOND = 2


async def completed(day: Day, step: int, at: int, seconds: int) -> None:
    place = {"tenant_id": EVERYONE, "queue": "mail", "kind": "mail", "whole": 0, "step": step, "at": at}
    numbers = {"enqueued": 0, "completed": PER_SECOND * seconds, "failed": 0, "dead": 0}
    await day.put(run_counts, **place, **numbers)


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("late", [0, 1, 2, 30, 59])
async def test_a_minute_that_has_just_begun_is_no_slow_one(day: Day, late: int) -> None:
    """What is done in a second is counted a second later."""
    await put_queue(day.engine, ROOT, "mail", QueueSettings(handler=HandlerKind.WORKER))
    start = day.now
    for quarter in range(start - 26 * HOUR, start, LONG * SECOND):
        await completed(day, LONG, quarter, LONG)
    for minute in range(start - HOUR, start, MINUTE):
        await completed(day, SHORT, minute, 60)
    if late > 1:
        await completed(day, SHORT, start, late - 1)
    day.now += late * SECOND
    for window in (1, 2, 15):
        settings = {"window_minutes": window, "minimum": 1, "by": ["queue"], "name": f"within {window}"}
        number = await day.rule(AlertType.THROUGHPUT_LOW, 95, **settings)
        async with day.engine.store.read() as connection:
            rule = rule_of((await connection.execute(alive().where(alert_rules.c.id == number))).one())
            for ago in (0, 1, 20):
                (sample,) = await sampling.read(connection, day.engine, rule, day.now - ago * MINUTE)
                assert 97 <= sample.value <= 110
