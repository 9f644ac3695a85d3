"""Rules that cannot be read any more: a newer engine wrote them, or the host no longer knows a time zone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from quarterdeck.contract.enums import AlertType
from quarterdeck.engine.alerts import quiet
from quarterdeck.engine.alerts.tables import alert_rules
from quarterdeck.engine.workers.tables import workers
from tests.engine.alerts.world import Day, breach

QUIET = {"timezone": "UTC", "windows": [{"days": ["mon"], "start": "08:00", "end": "10:00"}]}


async def test_one_bad_rule_silences_no_other(day: Day) -> None:
    unread = await day.rule(AlertType.WORKER_UNHEALTHY, 1, name="unread")
    nowhere = await day.rule(AlertType.WORKER_UNHEALTHY, 1, name="nowhere", quiet_hours=QUIET)
    outside = await day.external(quiet_hours=QUIET)
    await day.rule(AlertType.SLA_BREACH, 1, name="good", by=["item"])
    for number in (nowhere, outside):
        await change(day, number, quiet_hours={**QUIET, "timezone": "Mars/Olympus"})
    await day.worker("w1")
    await breach(day, 1)
    await day.post({"labels": {"alertname": "Down"}})
    await day.pass_(120)
    assert {notice.title for _, notice in day.said} == {"unread", "nowhere", "Down", "good"}
    for said in (await errors(day))[1:3]:
        assert said is not None
        assert said.startswith("Its quiet hours cannot be kept (timezone: 'Mars/Olympus' is no time zone")

    await change(day, unread, threshold="many", inhibits=[{"matchers": [{"name": "severity"}]}])
    await breach(day, 2)
    await day.empty(workers)
    day.said.clear()
    await day.pass_(300)
    assert {notice.title for _, notice in day.said} == {"good: 2 firing", "nowhere", "Down"}
    assert (await errors(day))[0] in {
        f"{what} (ValidationError); the engine's log says more."
        for what in ("It could not be evaluated", "What it has to say could not be told")
    }

    await change(day, unread, threshold=1, inhibits=[])
    await change(day, nowhere, quiet_hours=None)
    await change(day, outside, quiet_hours=None)
    await day.pass_(360)
    assert await errors(day) == [None] * 4
    assert "unread" in {notice.title for _, notice in day.said if notice.kind == "resolve"}


async def change(day: Day, number: int, **settings: Any) -> None:
    """What is kept of the rule, past whoever would refuse it."""
    quiet._cached.cache_clear()
    this = alert_rules.c.id == number
    async with day.engine.store.write() as transaction:
        before = (await transaction.connection.execute(select(alert_rules.c.settings).where(this))).scalar_one()
        changed = update(alert_rules).where(this).values(settings={**before, **settings})
        await transaction.connection.execute(changed)


async def errors(day: Day) -> list[str | None]:
    async with day.engine.store.read() as connection:
        return list((await connection.execute(select(alert_rules.c.error).order_by(alert_rules.c.id))).scalars())
