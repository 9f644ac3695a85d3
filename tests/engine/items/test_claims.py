"""The queue: who gets what, in which order, and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, now_ms
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.contract.transitions import CLAIMABLE
from quarterdeck.engine.items import acts
from quarterdeck.engine.items.claims import claim_next, give_back_lapsed
from quarterdeck.engine.items.tables import READY, item_skips
from tests.engine.items import world
from tests.support.desk import ANA, BEN, SUPPORT, Desk, make_engine, refused


async def claim(desk: Desk, filter_: str = "") -> int:
    return (await claim_next(desk.engine, desk.who, desk.resource, filter_)).item.id


async def drain(desk: Desk, filter_: str = "") -> list[int]:
    """Everything that claim-next gives, in its order."""
    found = []
    while True:
        try:
            found.append(await claim(desk, filter_))
        except Problem as problem:
            assert problem.code is Code.NOTHING_TO_CLAIM  # noqa: PT017 - so the queue ends
            return found


def test_the_index_of_what_is_ready_knows_the_states_of_the_contract() -> None:
    known = {status for states in CLAIMABLE.values() for status in states}
    assert known == set(READY.split("IN (")[1].rstrip(")").replace("'", "").split(", "))


async def test_the_best_comes_first_and_nothing_that_does_not_wait(desk: Desk) -> None:
    rows = world.make_rows(seed=5)
    await world.fill(desk.engine.store, rows)
    for resource in Resource:
        ready = [
            row
            for row in rows
            if row["resource"] == resource
            and row["assignee"] is None
            and row["deleted_at"] is None
            and row["status"] in CLAIMABLE[resource]
        ]
        assert await drain(desk.at(resource)) == world.ordered(ready, "priority"), resource


async def test_a_filter_narrows_what_is_offered(desk: Desk) -> None:
    rows = world.make_rows(seed=6, count=150)
    await world.fill(desk.engine.store, rows)
    for text in (
        "kind:refund",
        "created:<12h tenant:acme",
        "-category:spam due:any",
        "field.amount:12",
        "order",
        "is:deleted",
    ):
        ready = [
            row
            for row in world.matching(rows, world.frozen(text, SUPPORT, "ana"), SUPPORT)
            if row["assignee"] is None and row["status"] == "open" and row["deleted_at"] is None
        ]
        taken = await drain(desk.by(ANA), text)
        assert taken == world.ordered(ready, "priority"), text
        for row in rows:
            if row["id"] in taken:
                row.update(assignee="ana", status="in_progress")


async def test_many_hands_never_take_the_same(desk: Desk) -> None:
    ids = await desk.new(24)
    people = [replace(ANA, actor=f"person {number}") for number in range(8)]
    taken = await asyncio.gather(*(drain(desk.by(person)) for person in people))
    assert sorted(item for each in taken for item in each) == ids
    for person, each in zip(people, taken, strict=True):
        for item in each:
            assert (await desk.row(item))["assignee"] == person.actor
            assert [event.type for event in await desk.events(item)] == ["created", "claimed"]


async def test_a_claim_that_nobody_works_on_goes_back(desk: Desk) -> None:
    lost, worked_on, resolved, returned = await desk.new(4)
    for item in (lost, worked_on, resolved, returned):
        await desk.by(ANA).act(item, "claim")
    await desk.by(ANA).act(resolved, "resolve")
    await desk.by(ANA).act(returned, "release")
    (goods,) = await desk.at(Resource.RETURNS).new()
    await desk.at(Resource.RETURNS).by(ANA).act(goods, "claim")
    await desk.force([lost, goods], claimed_until=now_ms() - 1)
    await give_back_lapsed(desk.engine)
    row = await desk.row(lost)
    assert (row["assignee"], row["status"], row["claimed_until"]) == (None, "open", None)
    told = (await desk.events(lost))[-1]
    assert (told.type, told.actor) == ("claim_lapsed", "quarterdeck")
    row = await desk.row(goods)
    assert (row["assignee"], row["status"]) == (None, "requested")
    assert (await desk.row(worked_on))["assignee"] == "ana"
    assert (await desk.row(resolved))["assignee"] == "ana"
    before = await desk.rows([lost, worked_on, resolved, returned, goods])
    await give_back_lapsed(desk.engine)
    assert await desk.rows(list(before)) == before
    assert await claim(desk.by(BEN)) == lost


async def test_more_claims_than_one_transaction_takes_all_lapse(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("quarterdeck.engine.items.claims._LAPSED_AT_ONCE", 5)
    ids = await desk.new(13)
    await desk.force(ids, assignee="ana", status="in_progress", claimed_until=now_ms() - 1)
    await give_back_lapsed(desk.engine)
    assert await desk.count("assignee:none status:open") == 13


async def test_lapsed_claims_can_be_had_back(desk: Desk) -> None:
    (item,) = await desk.new()
    await desk.by(ANA).act(item, "claim")
    await desk.force(item, claimed_until=now_ms() - 1)
    await give_back_lapsed(desk.engine)
    lapsed = (await desk.events(item))[-1]
    back = await desk.undo(item, lapsed.id)
    assert (back.item.assignee, back.item.status) == ("ana", "in_progress")


async def test_after_its_while_a_skipped_item_is_offered_again(desk: Desk) -> None:
    (item,) = await desk.new()
    await claim(desk.by(ANA))
    await acts.skip(desk.engine, ANA, SUPPORT, item, "later")
    with refused(Code.NOTHING_TO_CLAIM):
        await claim(desk.by(ANA))
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(item_skips.update().values(until=now_ms() - 1))
    assert await claim(desk.by(ANA)) == item
    await give_back_lapsed(desk.engine)
    async with desk.engine.store.read() as connection:
        assert not (await connection.execute(item_skips.select())).all()


async def test_leases_last_as_configured(desk: Desk) -> None:
    await desk.new(2)
    desk = replace(desk, engine=make_engine(desk.engine.store, desk.engine.home, claim_minutes=5, skip_minutes=1))
    item = await claim(desk.by(ANA))
    assert 4 * MINUTE < (await desk.row(item))["claimed_until"] - now_ms() <= 5 * MINUTE
    await acts.skip(desk.engine, ANA, SUPPORT, item, "x")
    async with desk.engine.store.read() as connection:
        until = (await connection.execute(item_skips.select())).one().until
    assert 0 < until - now_ms() <= MINUTE


async def test_age_and_due_decide_between_equals(desk: Desk) -> None:
    late, early, old, low = await desk.new(4)
    now = now_ms()
    await desk.force(late, sla_due_at=now + 2 * HOUR, created_at=now - 2 * DAY)
    await desk.force(early, sla_due_at=now + HOUR)
    await desk.force(old, sla_due_at=now + 2 * HOUR, created_at=now - 3 * DAY)
    await desk.force(low, priority=3, sla_due_at=now - HOUR)
    assert await drain(desk) == [early, old, late, low]
