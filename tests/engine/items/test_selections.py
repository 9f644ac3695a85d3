"""Selection tokens: all that match, as of the moment they were made."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from quarterdeck.contract.clock import HOUR, now_ms
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.problems import Code
from quarterdeck.engine.listing.selections import forget_expired
from quarterdeck.engine.listing.tables import selections
from tests.support.desk import ACME, ANA, BEN, Desk, refused


async def test_what_arrives_later_is_not_touched(desk: Desk) -> None:
    ids = await desk.new(5)
    made = await desk.select("status:open", except_ids=[ids[0]])
    assert (made.count, made.except_ids, made.boundary) == (4, 1, ids[-1])
    late = await desk.new(3)
    done = await desk.bulk("set-priority", made.token, priority="urgent")
    assert (done.total, done.succeeded) == (4, 4)
    assert set(await desk.results(done.id)) == set(ids[1:])
    assert await desk.count("priority:urgent") == 4
    assert {row["version"] for row in (await desk.rows([ids[0], *late])).values()} == {1}


async def test_exceptions_are_made_later_and_the_moment_stays(desk: Desk) -> None:
    ids = await desk.new(5)
    all_of_them = await desk.select("status:open")
    late = await desk.new(3)
    assert (await desk.select("status:open")).count == 8
    made = await desk.select(all_of_them.filter, [ids[0], late[0]], boundary=all_of_them.boundary)
    assert (made.count, made.boundary) == (4, all_of_them.boundary)
    preview = await desk.draft("set-priority", made.token, priority="low")
    assert set(await desk.results(preview.operation.id)) == set(ids[1:])
    # Nobody can select what is not there yet.
    assert (await desk.select(boundary=late[-1] + 1_000)).boundary == late[-1]


async def test_what_no_longer_matches_is_not_touched_either(desk: Desk) -> None:
    stays, leaves = await desk.new(2, kind="refund")
    token = (await desk.select("kind:refund status:open")).token
    await desk.act(leaves, "resolve")
    assert set(await desk.results((await desk.draft("delete", token)).operation.id)) == {stays}


async def test_relative_times_stay_what_they_were(desk: Desk) -> None:
    young, old = await desk.new(2)
    await desk.force(old, created_at=now_ms() - 3 * HOUR)
    made = await desk.select("created:<2h")
    assert made.count == 1
    assert "created:" in made.filter
    assert "2h" not in made.filter
    async with desk.engine.store.read() as connection:
        kept = (await connection.execute(select(selections.c.filter))).scalar_one()
    assert kept == made.filter
    assert await desk.ids(made.filter) == [young]


async def test_me_is_whoever_made_it(desk: Desk) -> None:
    (mine,) = await desk.new()
    await desk.act(mine, "assign", assignee="ana")
    made = await desk.by(ANA).select("assignee:me")
    assert (made.filter, made.count) == ("assignee:ana", 1)


@pytest.mark.parametrize("count", [1, 40_000])
async def test_any_number_of_exceptions(desk: Desk, count: int) -> None:
    ids = await desk.new(3)
    made = await desk.select(except_ids=[ids[0], *range(10**6, 10**6 + count)])
    assert made.count == 2
    preview = await desk.draft("set-priority", made.token, priority="low")
    assert preview.operation.total == 2


async def test_exceptions_that_do_not_match_count_nothing(desk: Desk) -> None:
    ids = await desk.new(3)
    await desk.act(ids[0], "resolve")
    assert (await desk.select("status:open", except_ids=[ids[0], ids[1], ids[1]])).count == 1


async def test_a_token_is_one_persons_for_one_queue_for_a_day(desk: Desk) -> None:
    await desk.new(2)
    token = (await desk.by(ANA).select()).token
    for who, resource in ((BEN, desk.resource), (ANA, Resource.RETURNS)):
        with refused(Code.SELECTION_EXPIRED):
            await desk.by(who).at(resource).draft("set-category", token, category="x")
    with refused(Code.SELECTION_EXPIRED, "mark the items again"):
        await desk.by(ANA).draft("set-category", "no such token", category="x")
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(selections.update().values(expires_at=now_ms()))
    with refused(Code.SELECTION_EXPIRED, "has expired"):
        await desk.by(ANA).draft("set-category", token, category="x")
    await forget_expired(desk.engine)
    async with desk.engine.store.read() as connection:
        assert not (await connection.execute(select(selections))).all()


async def test_a_token_never_reaches_further_than_its_maker_or_its_user(desk: Desk) -> None:
    (acme,), (globex,) = await desk.new(1), await desk.new(1, tenant_id="globex")
    narrow, wide = desk.by(ACME), desk.by(replace(ACME, tenants=None))
    made_narrow, made_wide = (await narrow.select()).token, (await wide.select()).token
    for used_by in (narrow, wide):
        preview = await used_by.draft("set-category", made_narrow, category="x")
        assert set(await used_by.results(preview.operation.id)) == {acme}
    preview = await narrow.draft("set-category", made_wide, category="x")
    assert set(await narrow.results(preview.operation.id)) == {acme}
    assert {acme, globex} == set(await wide.results((await wide.draft("delete", made_wide)).operation.id))


async def test_a_filter_that_cannot_be_read_is_pointed_at(desk: Desk) -> None:
    with refused(Code.FILTER_INVALID, "Column 8: 'opne' is no status") as caught:
        await desk.select("status:opne")
    assert caught.value.extra["column"] == 8
    assert "open" in caught.value.extra["valid"]  # type: ignore[operator]
