"""The bin: deleted items wait there, then go for good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.contract.enums import Outcome, Resource
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.items import bin as bin_
from quarterdeck.engine.items.tables import item_details, item_events
from tests.support.desk import Desk, make_engine, refused


async def test_after_its_days_an_item_is_gone_with_all_it_had(desk: Desk) -> None:
    old, young, alive = await desk.new(3, body="words")
    (other,) = await desk.at(Resource.RETURNS).new()
    await desk.bulk("delete", [old, young])
    await desk.at(Resource.RETURNS).act(other, "delete")
    await desk.force([old, other], deleted_at=now_ms() - 31 * DAY)
    await desk.force(young, deleted_at=now_ms() - 29 * DAY)
    await bin_.empty_bin(desk.engine)
    assert await desk.rows([old, other]) == {}
    assert set(await desk.rows([young, alive])) == {young, alive}
    async with desk.engine.store.read() as connection:
        for column in (item_details.c.item_id, item_events.c.item_id):
            found = set((await connection.execute(select(column))).scalars())
            assert found == {young, alive}
        last = (await connection.execute(select(audit_entries).order_by(audit_entries.c.id.desc()))).first()
    assert last is not None
    assert (last.action, last.actor, sorted(last.details["ids"])) == ("items.bin_emptied", "quarterdeck", [old, other])
    with refused(Code.NOT_FOUND):
        await desk.show(old)


async def test_numbers_are_never_given_again(desk: Desk) -> None:
    ids = await desk.new(3)
    await desk.bulk("delete", ids)
    await desk.force(ids, deleted_at=1)
    await bin_.empty_bin(desk.engine)
    assert min(await desk.new(2)) > max(ids)


async def test_the_days_are_those_configured_and_a_full_bin_takes_turns(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bin_, "_AT_ONCE", 4)
    ids = await desk.new(11)
    await desk.force(ids, deleted_at=now_ms() - 2 * DAY)
    await bin_.empty_bin(desk.engine)
    assert len(await desk.rows(ids)) == 11
    await bin_.empty_bin(replace(make_engine(desk.engine.store, desk.engine.home, bin_days=1)))
    assert await desk.rows(ids) == {}
    async with desk.engine.store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(audit_entries))).scalar() == 4


async def test_what_is_gone_meanwhile_is_a_failure_of_its_own(desk: Desk) -> None:
    kept, purged = await desk.new(2)
    preview = await desk.draft("set-priority", [kept, purged], priority="low")
    undone = await desk.bulk("assign", [purged], assignee="zoe")
    await desk.act(purged, "delete")
    await desk.force(purged, deleted_at=1)
    await bin_.empty_bin(desk.engine)
    done = await desk.finish(preview.operation.id)
    assert (done.succeeded, done.failed) == (1, 1)
    result = (await desk.results(done.id, Outcome.FAILED))[purged]
    assert (result.code, result.title, result.retryable) == (Code.NOT_FOUND, "", False)
    undo = await desk.undo_bulk(undone.id)
    assert (undo.operation.total, undo.operation.eligible) == (1, 0)
    assert undo.skip_reasons[0].code == Code.NOT_FOUND
