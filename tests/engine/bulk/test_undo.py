"""Undo of a bulk operation: every unchanged item as it was, in every column; the rest is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.contract.enums import Outcome, Resource
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk import lifecycle
from quarterdeck.engine.bulk.retention import forget_old
from quarterdeck.engine.bulk.tables import bulk_operations
from quarterdeck.engine.items.tables import NO_DUE
from tests.support.desk import ACME, BEN, Desk, refused, work_off

# Undo is a change itself: counted and dated as one. Nothing else differs afterwards.
_NOT_RESTORED = {"version", "updated_at"}

ACTS: list[tuple[str, dict[str, Any]]] = [
    ("claim", {}),
    ("release", {}),
    ("assign", {"assignee": "zoé"}),
    ("assign", {"assignee": None}),
    ("set-priority", {"priority": "urgent"}),
    ("set-category", {"category": "null"}),
    ("set-category", {"category": None}),
    ("update-status", {"status": "waiting"}),
    ("resolve", {}),
    ("reopen", {}),
    ("cancel", {}),
    ("delete", {}),
    ("restore", {}),
]


async def varied(desk: Desk) -> list[int]:
    """Items that differ in everything an action can change."""
    ids = await desk.new(12)
    states = ("open", "in_progress", "waiting", "resolved", "closed", "cancelled")
    for number, item in enumerate(ids):
        await desk.force(
            item,
            status=states[number % 6],
            priority=number % 4,
            category=(None, "vip", "it's", "5")[number % 4],
            assignee=("root", None, "ben")[number % 3],
            claimed_until=10**12 + number if number % 5 == 0 else None,
            sla_due_at=NO_DUE if number % 2 else 10**12,
            deleted_at=10**12 + number if number in (5, 9) else None,
            version=number + 1,
        )
    return ids


def values(rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {item: {n: v for n, v in row.items() if n not in _NOT_RESTORED} for item, row in rows.items()}


@pytest.mark.parametrize(("verb", "params"), ACTS)
async def test_every_action_is_undone_exactly_and_the_undo_too(desk: Desk, verb: str, params: dict[str, Any]) -> None:
    ids = await varied(desk)
    before = await desk.rows(ids)
    done = await desk.bulk(verb, ids, batch=5, **params)
    assert done.succeeded > 0
    after = await desk.rows(ids)
    undo = await desk.finish((await desk.undo_bulk(done.id)).operation.id)
    assert (undo.total, undo.succeeded, undo.failed, undo.skipped) == (done.succeeded, done.succeeded, 0, 0)
    assert (undo.kind, undo.parent_id, undo.label) == ("undo", done.id, f"Undo of #{done.id}: {done.label}")
    assert values(await desk.rows(ids)) == values(before)
    again = await desk.finish((await desk.undo_bulk(undo.id)).operation.id)
    assert (again.succeeded, again.failed) == (done.succeeded, 0)
    assert values(await desk.rows(ids)) == values(after)
    back = await desk.finish((await desk.undo_bulk(again.id)).operation.id)
    assert back.succeeded == done.succeeded
    assert values(await desk.rows(ids)) == values(before)


async def test_what_has_changed_since_is_reported_and_left_alone(desk: Desk) -> None:
    ids = await desk.new(6)
    done = await desk.bulk("assign", ids, assignee="zoe")
    await desk.by(BEN).act(ids[0], "set-priority", priority="urgent")
    await desk.act(ids[1], "comment", body="a comment changes nothing")
    await desk.act(ids[2], "delete")
    preview = await desk.undo_bulk(done.id)
    assert (preview.operation.eligible, preview.operation.skipped) == (4, 2)
    assert {each.code: each.count for each in preview.skip_reasons} == {Code.CHANGED_SINCE: 2}
    await desk.act(ids[3], "resolve")  # after the draft
    undo = await desk.finish(preview.operation.id)
    assert (undo.succeeded, undo.failed) == (3, 1)
    assert (await desk.results(undo.id, Outcome.FAILED))[ids[3]].code == Code.CHANGED_SINCE
    assert [row["assignee"] for row in (await desk.rows(ids)).values()] == ["zoe", None, "zoe", "zoe", None, None]


async def test_a_retried_undo_still_leaves_alone_what_others_changed(desk: Desk) -> None:
    ids = await desk.new(2)
    done = await desk.bulk("assign", ids, assignee="zoe")
    preview = await desk.undo_bulk(done.id)
    await desk.by(BEN).act(ids[0], "assign", assignee="mia")
    undo = await desk.finish(preview.operation.id)
    assert undo.failed == 1
    await desk.by(BEN).act(ids[0], "set-priority", priority="urgent")
    again = await desk.retry_failed(undo.id)
    assert (again.operation.kind, again.operation.eligible, again.operation.skipped) == ("undo", 0, 1)
    assert again.skip_reasons[0].code == Code.CHANGED_SINCE
    assert (await desk.row(ids[0]))["assignee"] == "mia"


async def test_what_cannot_be_undone_says_so(desk: Desk) -> None:
    ids = await desk.new(2)
    said = await desk.bulk("comment", ids, body="hello")
    with refused(Code.NOT_UNDOABLE, "Comment cannot be undone"):
        await desk.undo_bulk(said.id)
    draft = await desk.draft("resolve", ids)
    with refused(Code.WRONG_STATE, "it can be undone when it is completed, failed or cancelled"):
        await desk.undo_bulk(draft.operation.id)
    for item in ids:
        await desk.act(item, "cancel")
    failed = await desk.finish(draft.operation.id)
    with refused(Code.NOTHING_ELIGIBLE, "changed nothing"):
        await desk.undo_bulk(failed.id)


async def test_twice_undone_changes_nothing_more(desk: Desk) -> None:
    ids = await desk.new(2)
    done = await desk.bulk("resolve", ids)
    first, second = [(await desk.undo_bulk(done.id)).operation.id for _ in range(2)]
    assert (await desk.finish(first)).succeeded == 2
    late = await desk.finish(second)
    assert (late.succeeded, late.failed) == (0, 2)
    third = await desk.undo_bulk(done.id)
    assert third.operation.eligible == 0


async def test_an_undo_stays_within_its_tenants(desk: Desk) -> None:
    ids = await desk.new(2)
    lead = desk.by(ACME)
    done = await lead.bulk("resolve", ids)
    await desk.force(ids[0], tenant_id="globex")
    preview = await lead.undo_bulk(done.id)
    assert (preview.operation.eligible, preview.skip_reasons[0].code) == (1, Code.NOT_FOUND)
    await lead.finish(preview.operation.id)
    assert [row["status"] for row in (await desk.rows(ids)).values()] == ["resolved", "open"]


async def test_after_its_results_are_gone_there_is_nothing_to_undo_from(desk: Desk) -> None:
    ids = await desk.new(3)
    done = await desk.bulk("resolve", ids)
    kept = await desk.bulk("reopen", ids)
    old_draft, draft = [(await desk.draft("resolve", ids)).operation.id for _ in range(2)]
    async with desk.engine.store.write() as transaction:
        table = bulk_operations
        await transaction.connection.execute(table.update().where(table.c.id == done.id).values(finished_at=1))
        await transaction.connection.execute(table.update().where(table.c.id == old_draft).values(created_at=1))
    await forget_old(desk.engine)
    await forget_old(desk.engine)
    assert (await desk.operation(done.id)).succeeded == 3
    assert await desk.results(done.id) == {}
    with refused(Code.NOTHING_ELIGIBLE, "were removed after 90 days"):
        await desk.undo_bulk(done.id)
    with refused(Code.NOT_FOUND):
        await desk.operation(old_draft)
    assert len(await desk.results(kept.id)) == len(await desk.results(draft)) == 3


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
@given(data=st.data())
async def test_counters_add_up_whatever_happens_in_between(desk: Desk, data: Any) -> None:
    """Several operations over the same items, taking turns, with people acting, cancelling and undoing."""
    ids = await varied(desk)
    numbers: list[int] = []
    for _ in range(data.draw(st.integers(1, 3))):
        verb, params = data.draw(st.sampled_from(ACTS))
        chosen = data.draw(st.lists(st.sampled_from([*ids, 10**9]), min_size=1, max_size=12))
        preview = await desk.draft(verb, chosen, batch=data.draw(st.integers(1, 6)), **params)
        if preview.operation.eligible:
            numbers.append(preview.operation.id)
            await desk.confirm(preview.operation.id)
    for _ in range(data.draw(st.integers(0, 6))):
        await disturb(desk, data, ids, numbers)
    await work_off(desk.engine)
    for number in list(numbers):
        operation = await desk.operation(number)
        if operation.succeeded and data.draw(st.booleans()):
            before = await desk.rows(ids)
            undo = await desk.undo_bulk(number)
            if undo.operation.eligible:
                numbers.append((await desk.finish(undo.operation.id)).id)
            await check_undo(desk, number, numbers[-1], before)
    for number in numbers:
        await check_counters(desk, number)


async def disturb(desk: Desk, data: Any, ids: list[int], numbers: list[int]) -> None:
    what = data.draw(st.sampled_from(["batch", "batch", "act", "cancel", "resume"]))
    if what == "batch":
        await work_off(desk.engine, 1)
        return
    try:
        if what == "act":
            verb, params = data.draw(st.sampled_from(ACTS))
            await desk.by(BEN).act(data.draw(st.sampled_from(ids)), verb, **params)
        elif numbers and what == "resume":
            await lifecycle.resume(desk.engine, desk.who, data.draw(st.sampled_from(numbers)))
        elif numbers:
            await lifecycle.cancel(desk.engine, desk.who, data.draw(st.sampled_from(numbers)))
    except Problem as problem:
        assert problem.status in (404, 409, 429)  # noqa: PT017 - either way is fine


async def check_counters(desk: Desk, number: int) -> None:
    operation = await desk.operation(number)
    assert operation.status.is_final
    assert operation.total == operation.eligible + operation.skipped
    assert operation.eligible == operation.succeeded + operation.failed + operation.cancelled
    results = await desk.results(number)
    assert len(results) == operation.total
    for outcome, count in (
        (Outcome.SUCCEEDED, operation.succeeded),
        (Outcome.FAILED, operation.failed),
        (Outcome.SKIPPED, operation.skipped),
        (Outcome.CANCELLED, operation.cancelled),
        (Outcome.PENDING, 0),
    ):
        assert len(await desk.results(number, outcome)) == count
    for item, result in results.items():
        events = [event for event in await desk.events(item) if event.operation_id == number]
        assert len(events) == (1 if result.outcome is Outcome.SUCCEEDED else 0)


async def check_undo(desk: Desk, number: int, undo: int, before: dict[int, dict[str, Any]]) -> None:
    """What the undo took back is as it was before the operation; what it did not is as it was before the undo."""
    after = await desk.rows(list(before))
    taken_back = set(await desk.results(undo, Outcome.SUCCEEDED)) if undo != number else set()
    for item, row in after.items():
        if item not in taken_back:
            assert row == before[item]
            continue
        told = {event.operation_id: event.changes for event in await desk.events(item)}
        for name, (was, _) in told[number].items():
            shown = ["urgent", "high", "normal", "low"][row[name]] if name == "priority" else row[name]
            assert shown == was, name


async def test_refunds_of_returns_are_taken_back(desk: Desk) -> None:
    there = desk.at(Resource.RETURNS)
    goods = await there.new(3)
    await there.force(goods, status="received")
    done = await there.bulk("refund", goods)
    undo = await there.finish((await there.undo_bulk(done.id)).operation.id)
    assert undo.succeeded == 3
    assert {row["status"] for row in (await there.rows(goods)).values()} == {"received"}
