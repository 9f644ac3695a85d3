"""What was kept long enough goes: counted, announced, audited."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.dead_letters import StatsQuery
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import expiry, figures
from quarterdeck.engine.dead_letters.tables import dead_letter_groups
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ROOT, Desk


@pytest.mark.parametrize("at_once", [2, 1_000])
async def test_dead_letters_expire_but_for_those_being_retried(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(expiry, "_AT_ONCE", at_once)
    await world.make_queue(engine, exceptions=False)
    ids = await morgue.post(engine, 6)
    await morgue.act(engine, "retry", ids[0])
    await morgue.act(engine, "edit-retry", ids[1], payload=1)
    await morgue.end_retry(engine)
    await morgue.end_retry(engine)
    await morgue.act(engine, "retry", ids[2])
    for number in ids[:5]:
        await morgue.force(engine, number, expires_at=1)
    subscription = engine.hub.subscribe(ROOT)
    await expiry.expire(engine)
    assert sorted(await morgue.ids(engine)) == [ids[2], ids[5]]
    said, there = await morgue.counted(engine)
    assert said == there
    stats = await figures.stats(engine, ROOT, StatsQuery(period="hour"))
    assert sum(each.expired for each in stats.growth) == 4
    async with asyncio.timeout(5):
        async for message in subscription:
            if message.get("change") == "deleted":
                break
    assert (message["resource"], message["change"]) == ("dead_letters", "deleted")
    subscription.close()
    async with engine.store.read() as connection:
        query = select(audit_entries.c.details).where(audit_entries.c.action == "dead_letters.expired")
        entries = (await connection.execute(query)).scalars().all()
    assert sum(each["count"] for each in entries) == 4
    assert all(each["queues"] == {"q": each["count"]} for each in entries)


async def test_its_exception_stays_and_says_why_nothing_is_left_to_retry(engine: Engine) -> None:
    await world.make_queue(engine)
    _, number = await morgue.die(engine)
    desk = Desk(engine, ROOT, Resource.EXCEPTIONS)
    item = (await morgue.letter(engine, number)).exception_id
    await morgue.force(engine, number, expires_at=1)
    await expiry.expire(engine)
    assert (await desk.show(item)).status == "open"
    last = (await desk.events(item))[-1]
    assert (last.type, last.body) == (
        "dead_letter_expired",
        f"Dead letter {number} was kept for its time; nothing is left to retry.",
    )


async def test_a_queue_says_how_long(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False, keep={"dead_days": 2})
    _, number = await morgue.die(engine)
    row = await morgue.letter(engine, number)
    assert row.expires_at - row.created_at == 2 * 24 * 3_600 * 1_000


async def test_errors_nobody_has_any_more_are_forgotten(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)
    (gone,) = await morgue.post(engine, error_message="once")
    await morgue.post(engine, error_message="still")
    await morgue.force(engine, gone, expires_at=1)
    await expiry.expire(engine)
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(dead_letter_groups).values(last_at=1))
    await expiry.forget_groups(engine)
    async with engine.store.read() as connection:
        assert (await connection.execute(select(dead_letter_groups.c.message))).scalars().all() == ["still"]
