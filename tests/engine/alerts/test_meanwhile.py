"""What others do while groups speak, rules are looked at, and summaries go out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.contract.clock import SECOND, iso
from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.models.alert_rules import RuleChange
from quarterdeck.engine.alerts import acting, evaluation, flood, notices, rules
from quarterdeck.engine.alerts.tables import alert_notices, alerts
from tests.engine.alerts.world import Day, breach
from tests.engine.runs.world import until_somebody_waits
from tests.support.desk import ANA, ROOT

A, B = ({"labels": {"alertname": "Down", "host": host}} for host in "ab")
two_writers = pytest.mark.parametrize("store_kind", ["postgresql"])  # SQLite has one at a time


def hosts(day: Day) -> list[list[str]]:
    return [[each["labels"]["host"] for each in notice.alerts] for _, notice in day.said]


@two_writers
async def test_what_begins_while_its_group_speaks_is_told_with_the_next_notice(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    await day.external()
    await day.post(A)
    day.now += 31 * SECOND
    hand_over = flood.hand_over
    posted: list[models.PostResult] = []

    async def meanwhile(*given: Any) -> None:
        if not posted:
            posted.append(await day.post(B))
        await hand_over(*given)

    monkeypatch.setattr(flood, "hand_over", meanwhile)
    await notices.flush(day.engine)
    assert hosts(day) == [["a"]]
    await day.post({**A, "endsAt": iso(day.now + 3_600_000)}, {**B, "endsAt": iso(day.now + 3_600_000)})
    assert await day.pass_(300) == ["trigger"]
    assert hosts(day)[-1] == ["b", "a"]


@two_writers
async def test_two_engines_send_one_summary(day: Day) -> None:
    await day.external(group_by=["alertname", "host"])
    await day.post(*({"labels": {"alertname": "Down", "host": f"h{number}"}} for number in range(45)))
    await day.pass_(31, step=31)
    assert len(day.said) == 29
    day.now += 65 * SECOND
    both = asyncio.Barrier(2)

    async def release() -> None:
        async with day.engine.store.write() as transaction:
            await flood.release(day.engine, transaction)
            await both.wait()

    await asyncio.gather(release(), release())
    assert [notice.kind for _, notice in day.said[29:]] == ["trigger"]


@two_writers
async def test_a_rule_that_is_switched_off_waits_for_a_group_that_speaks(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await day.external()
    await day.post(A)
    day.now += 31 * SECOND
    hand_over = flood.hand_over
    switching: list[asyncio.Task[Any]] = []

    async def meanwhile(*given: Any) -> None:
        change = rules.change_rule(day.engine, ROOT, number, RuleChange(enabled=False))
        switching.append(asyncio.create_task(change))
        await until_somebody_waits(day.engine)
        await hand_over(*given)

    monkeypatch.setattr(flood, "hand_over", meanwhile)
    await notices.flush(day.engine)
    await switching[0]
    monkeypatch.setattr(flood, "hand_over", hand_over)
    await day.pass_(360)
    assert [notice.kind for _, notice in day.said] == ["trigger", "resolve"]


@pytest.mark.parametrize("act", ["resolve", "acknowledge"])
async def test_what_somebody_does_while_an_alert_gets_worse_stays(
    day: Day, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """They saw what it had become, or that it is over."""
    await day.rule(AlertType.SLA_BREACH, 1)
    for item in range(1, 11):
        await breach(day, item)
    assert await day.pass_(120) == ["trigger"]
    (alert,) = await day.list()
    await acting.acknowledge(day.engine, ANA, models.Acknowledge(ids=[alert.id]))
    assert await day.pass_(300) == ["acknowledge"]
    for item in range(11, 15):
        await breach(day, item)
    compare, loop = evaluation.compare, asyncio.get_running_loop()

    def meanwhile(*given: Any) -> evaluation.Changes:
        found = compare(*given)
        assert set(found.worse) == {alert.id}
        work = (
            acting.resolve(day.engine, ANA, models.Resolve(ids=[alert.id], note="Done."))
            if act == "resolve"
            else worse(day, alert.id)
        )
        asyncio.run_coroutine_threadsafe(work, loop).result(timeout=10)
        return found

    monkeypatch.setattr(evaluation, "compare", meanwhile)
    await evaluation.evaluate(day.engine)
    monkeypatch.setattr(evaluation, "compare", compare)
    assert await day.pass_(900) == (["resolve"] if act == "resolve" else [])


async def worse(day: Day, number: int) -> None:
    """It is acknowledged as bad as it has become."""
    async with day.engine.store.write() as transaction:
        await transaction.connection.execute(update(alerts).where(alerts.c.id == number).values(value=14))
    await acting.acknowledge(day.engine, ANA, models.Acknowledge(ids=[number]))


async def test_a_channel_hears_the_end_of_what_it_was_told_before_a_storm(day: Day) -> None:
    await day.external()
    await day.post(A)
    assert await day.pass_(60) == ["trigger"]
    day.now += 300 * SECOND
    told = {"at": day.now, "channel": "ops", "kind": "trigger", "severity": "info", "title": "x", "held": False}
    for _ in range(29):
        await day.put(alert_notices, **told, notification_id=1)
    await day.post(A, B)
    assert await day.pass_(5, step=1) == []  # held back, as is its end
    await acting.resolve(day.engine, ANA, models.Resolve(ids=[each.id for each in await day.list()], note="Done."))
    await day.pass_(120, step=5)
    ((_, first), *rest) = day.said
    assert {notice.kind for _, notice in rest} == {"resolve"}, "a summary of what is over opens nothing either"
    assert [notice.key for _, notice in rest if not notice.key.startswith("summary:")] == [first.key]
