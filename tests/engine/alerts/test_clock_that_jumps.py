"""A machine whose clock is put back by an hour, and then forward by a day, while alerts fire."""

from __future__ import annotations

from dataclasses import replace

from quarterdeck.contract.clock import DAY, HOUR, MINUTE
from quarterdeck.contract.enums import AlertType
from quarterdeck.engine.workers.tables import workers
from tests.engine.alerts.world import FIRING, PENDING, RESOLVED, Day


async def test_nobody_waits_for_a_time_to_come_by_again(day: Day) -> None:
    few = replace(day.engine.settings.alerts, channel_per_minute=2)
    day.engine.settings = replace(day.engine.settings, alerts=few)
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], name="sick")
    await day.rule(AlertType.WORKER_UNHEALTHY, 1, by=["worker"], name="long sick", for_seconds=180, channels=[])
    await day.worker("w1")
    assert await day.pass_(120) == ["trigger"]
    assert {each.state for each in await day.list(name="long sick")} == {PENDING}

    day.now -= HOUR
    await day.worker("w2")
    assert await day.pass_(240) == ["trigger"]
    assert len(day.said[-1][1].alerts) == 2
    assert {each.state for each in await day.list(name="long sick")} == {FIRING}
    async with day.engine.store.write() as transaction:
        await transaction.connection.execute(workers.delete().where(workers.c.name == "w1"))
    assert await day.pass_(360) == ["trigger"]
    (ended,) = await day.list(name="sick", state=RESOLVED)
    assert ended.starts_at is not None
    assert ended.resolved_at is not None
    assert ended.resolved_at >= ended.starts_at

    day.now += DAY
    assert await day.pass_(60) == ["trigger"]  # it repeats, since that is long ago
    assert [each.labels["worker"] for each in await day.list(name="sick", state=FIRING)] == ["w2"]
    day.now -= DAY
    await day.empty(workers)
    assert await day.pass_(6 * MINUTE // 1_000) == ["resolve"]
    assert await day.list(state=FIRING) == []
