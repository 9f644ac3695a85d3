"""A bulk operation from draft to end, with what may go wrong on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select

from quarterdeck.contract.actions import ACTIONS
from quarterdeck.contract.clock import HOUR, now_ms, to_datetime
from quarterdeck.contract.enums import BulkStatus, Outcome, Resource, Risk, Role
from quarterdeck.contract.models.bulk import BulkListQuery, Confirm
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.bulk import execution, lifecycle, service
from quarterdeck.engine.bulk.finding import anything_unfinished
from quarterdeck.engine.bulk.tables import bulk_items, bulk_operations
from quarterdeck.engine.runs.tables import runs
from tests.support.desk import ACME, ANA, BEN, ROOT, Desk, claim_run, make_engine, refused, work_off
from tests.support.hostile import TEXTS


async def audited(desk: Desk) -> list[Any]:
    async with desk.engine.store.read() as connection:
        wanted = select(audit_entries).where(audit_entries.c.target.like("bulk:%")).order_by(audit_entries.c.id)
        return list((await connection.execute(wanted)).all())


async def test_a_draft_says_what_would_happen_and_changes_nothing(desk: Desk) -> None:
    ids = await desk.new(5)
    await desk.act(ids[0], "resolve")
    await desk.act(ids[1], "set-category", category="vip")
    (foreign,) = await desk.at(Resource.RETURNS).new()
    before = await desk.rows(ids)
    preview = await desk.draft("resolve", [*ids, ids[4], foreign, 999_999], reason="spring clean")
    operation = preview.operation
    assert (operation.status, operation.kind, operation.label) == (BulkStatus.DRAFT, "action", "Resolve")
    assert (operation.total, operation.eligible, operation.skipped) == (7, 4, 3)
    assert (operation.risk, operation.undoable, operation.reason) == (Risk.MEDIUM, True, "spring clean")
    assert preview.states == {"open": 4, "resolved": 1, "missing": 2}
    reasons = {each.code: each for each in preview.skip_reasons}
    assert reasons[Code.NOT_FOUND].count == 2
    assert reasons[Code.WRONG_STATE].sentence == (
        "it is resolved and cannot become resolved; Resolve applies to in_progress, open, waiting."
    )
    assert [each.item_id for each in preview.first] == sorted([*ids, foreign, 999_999])
    assert [each.code for each in preview.first if each.code] == [Code.WRONG_STATE, Code.NOT_FOUND, Code.NOT_FOUND]
    assert preview.estimated_seconds > 0
    assert await desk.rows(ids) == before
    assert await audited(desk) == []
    assert not await anything_unfinished(desk.engine)


async def test_confirmed_it_is_carried_out_in_batches(desk: Desk) -> None:
    ids = await desk.new(10)
    preview = await desk.draft("assign", ids, assignee="zoe", batch=4)
    number = preview.operation.id
    assert preview.operation.batches == 3
    confirmed = await desk.confirm(number)
    assert confirmed.status is BulkStatus.PENDING
    assert await work_off(desk.engine, 1) == 1
    amid = await desk.operation(number)
    assert (amid.status, amid.succeeded, amid.batches_done) == (BulkStatus.IN_PROGRESS, 4, 1)
    assert amid.started_at is not None
    assert await work_off(desk.engine) == 2
    done = await desk.operation(number)
    assert (done.status, done.succeeded, done.failed, done.cancelled) == (BulkStatus.COMPLETED, 10, 0, 0)
    assert done.finished_at is not None
    assert {row["assignee"] for row in (await desk.rows(ids)).values()} == {"zoe"}
    for item in ids:
        told = (await desk.events(item))[-1]
        assert (told.type, told.operation_id, told.actor) == ("assigned", number, "root")
    started, finished = await audited(desk)
    assert (started.action, finished.action) == ("bulk.started", "bulk.finished")
    assert finished.details == {
        "operation": number,
        "status": "completed",
        "succeeded": 10,
        "failed": 0,
        "skipped": 0,
    }
    with refused(Code.WRONG_STATE, f"Operation {number} is completed; it can be confirmed when it is draft"):
        await desk.confirm(number)


@pytest.mark.parametrize("resource", Resource)
async def test_every_action_does_in_bulk_what_it_does_to_one(desk: Desk, resource: Resource) -> None:
    samples: dict[str, dict[str, Any]] = {
        "assign": {"assignee": "zoe"},
        "set-priority": {"priority": "urgent"},
        "set-category": {"category": "vip"},
        "update-status": {"status": {"support_tasks": "waiting", "returns": "approved"}.get(resource, "retrying")},
        "reject": {"reason": "broken"},
        "comment": {"body": "hello"},
    }
    there = desk.at(resource)
    for action in [action for action in ACTIONS.values() if action.resource is resource and action.verb != "retry"]:
        one, many = await there.new(2, category="old", priority="low")
        status = next(status for status in sorted(action.from_states) if status != action.to)
        if action.verb == "update-status":
            status = "requested" if resource is Resource.RETURNS else "open"
        await there.force([one, many], status=status)
        if action.verb == "release":
            await there.force([one, many], assignee="root")
        if action.verb == "restore":
            await there.force([one, many], deleted_at=5)
        params = samples.get(action.verb, {})
        await there.act(one, action.verb, **params)
        done = await there.bulk(action.verb, [many], **params)
        assert (done.succeeded, done.failed) == (1, 0), action.verb
        ones, manys = await there.row(one), await there.row(many)
        for name in set(ones) - {"id", "updated_at", "claimed_until", "deleted_at"}:
            assert ones[name] == manys[name], (action.verb, name)
        for name in ("claimed_until", "deleted_at"):
            assert (ones[name] is None) == (manys[name] is None), (action.verb, name)
        told, told_many = (await there.events(one))[-1], (await there.events(many))[-1]
        assert (told.type, told.body, told.version_after) == (told_many.type, told_many.body, told_many.version_after)
        assert set(told.changes or {}) == set(told_many.changes or {})


async def test_failures_are_each_items_own(desk: Desk) -> None:
    ids = await desk.new(6)
    preview = await desk.draft("resolve", ids, batch=3)
    await desk.act(ids[0], "set-priority", priority="low")  # changed, still in a state it applies to
    await desk.act(ids[1], "cancel")  # no longer in such a state
    await desk.act(ids[4], "delete")
    await desk.act(ids[5], "comment", body="no change")
    done = await desk.finish(preview.operation.id)
    assert (done.status, done.succeeded, done.failed) == (BulkStatus.COMPLETED, 3, 3)
    failed = await desk.results(done.id, Outcome.FAILED)
    assert {item: (each.code, each.retryable) for item, each in failed.items()} == {
        ids[0]: (Code.CHANGED_SINCE, True),
        ids[1]: (Code.WRONG_STATE, False),
        ids[4]: (Code.NOT_FOUND, False),
    }
    assert "it is cancelled and cannot become resolved" in (failed[ids[1]].sentence or "")
    assert failed[ids[4]].title == ""
    detail = await service.show(desk.engine, ROOT, done.id)
    assert sum(each.count for each in detail.failure_reasons) == 3
    assert set(await desk.results(done.id, Outcome.SUCCEEDED)) == {ids[2], ids[3], ids[5]}
    assert (await desk.row(ids[0]))["status"] == "open"


async def test_an_operation_whose_items_all_fail_has_failed(desk: Desk) -> None:
    ids = await desk.new(3)
    preview = await desk.draft("resolve", ids)
    for item in ids:
        await desk.act(item, "cancel")
    done = await desk.finish(preview.operation.id)
    assert (done.status, done.failed, done.error) == (BulkStatus.FAILED, 3, "Every item failed.")
    with refused(Code.WRONG_STATE, "has done all its batches"):
        await lifecycle.resume(desk.engine, ROOT, done.id)


async def test_retry_takes_just_those_that_failed(desk: Desk) -> None:
    ids = await desk.new(4)
    preview = await desk.draft("set-category", ids, category="x")
    for item in ids[:2]:
        await desk.act(item, "set-priority", priority="low")
    done = await desk.finish(preview.operation.id)
    again = await desk.retry_failed(done.id)
    assert (again.operation.kind, again.operation.parent_id, again.operation.total) == ("retry", done.id, 2)
    assert again.operation.label == f"Retry of #{done.id}: Set category"
    retried = await desk.finish(again.operation.id)
    assert (retried.succeeded, retried.failed) == (2, 0)
    assert await desk.count("category:x") == 4
    with refused(Code.NOTHING_ELIGIBLE, "nothing to retry"):
        await desk.retry_failed(retried.id)
    with refused(Code.WRONG_STATE, "it can be retried when it is completed, failed or cancelled"):
        await desk.retry_failed((await desk.draft("delete", ids)).operation.id)


async def test_nothing_to_act_on_is_refused_before_it_begins(desk: Desk) -> None:
    ids = await desk.new(2)
    await desk.bulk("resolve", ids)
    empty = await desk.draft("resolve", ids)
    with refused(Code.NOTHING_ELIGIBLE, "None of the 2 items can take this"):
        await desk.confirm(empty.operation.id)
    nobody = await desk.draft("delete", (await desk.select("kind:nothing")).token)
    assert (nobody.operation.total, nobody.operation.batches) == (0, 0)
    with refused(Code.NOTHING_ELIGIBLE):
        await desk.confirm(nobody.operation.id)


async def test_high_risk_asks_for_the_count(desk: Desk) -> None:
    ids = await desk.new(3)
    number = (await desk.draft("delete", ids)).operation.id
    for said, words in ((None, "confirm with the count, 3"), (4, "You confirmed 4 items, but 3 would change")):
        with refused(Code.COUNT_MISMATCH, words):
            await lifecycle.confirm(desk.engine, ROOT, number, Confirm(count=said))
    assert (await desk.finish(number)).succeeded == 3
    there = desk.at(Resource.RETURNS)
    goods = await there.new(2)
    await there.force(goods, status="received")
    refund = await there.draft("update-status", goods, status="refunded")
    assert refund.operation.risk is Risk.HIGH
    with refused(Code.COUNT_MISMATCH):
        await lifecycle.confirm(desk.engine, ROOT, refund.operation.id, Confirm())
    low = (await desk.draft("restore", ids)).operation.id
    assert (await lifecycle.confirm(desk.engine, ROOT, low, Confirm())).status is BulkStatus.PENDING


async def test_only_so_many_run_at_once_for_one_person(desk: Desk) -> None:
    ids = await desk.new(4)
    drafts = [(await desk.by(ANA).draft("set-category", ids, category=str(n))).operation.id for n in range(4)]
    for number in drafts[:3]:
        await desk.by(ANA).confirm(number)
    with refused(Code.TOO_MANY_OPERATIONS, "already have 3 bulk operations running") as caught:
        await desk.by(ANA).confirm(drafts[3])
    assert caught.value.retry_after == 5
    assert caught.value.status == 429
    other = await desk.by(BEN).draft("set-category", ids, category="ben")
    await desk.by(BEN).confirm(other.operation.id)
    await work_off(desk.engine)
    await desk.by(ANA).confirm(drafts[3])


async def test_confirmed_by_two_at_once_it_starts_once(desk: Desk) -> None:
    ids = await desk.new(6)
    numbers = [(await desk.by(ANA).draft("set-category", ids, category=str(n))).operation.id for n in range(4)]
    for number in numbers[:2]:
        said = await asyncio.gather(*(desk.by(ANA).confirm(number, 6) for _ in range(4)), return_exceptions=True)
        codes = [getattr(each, "code", None) for each in said]
        assert sorted(map(str, codes)) == ["None", *["wrong_state"] * 3]
    said = await asyncio.gather(*(desk.by(ANA).confirm(number, 6) for number in numbers[2:]), return_exceptions=True)
    assert sorted(str(getattr(each, "code", None)) for each in said) == ["None", "too_many_operations"]
    assert await work_off(desk.engine) == 3
    for item in ids:
        # The first writes, the others see that the item has changed.
        assert len(await desk.events(item)) == 2


# ----- cancel


async def test_cancelled_between_batches_what_is_done_is_kept(desk: Desk) -> None:
    ids = await desk.new(9)
    number = (await desk.draft("set-category", ids, category="x", batch=3)).operation.id
    await desk.confirm(number)
    await work_off(desk.engine, 1)
    cancelled = await lifecycle.cancel(desk.engine, ROOT, number)
    assert (cancelled.status, cancelled.succeeded, cancelled.cancelled) == (BulkStatus.CANCELLED, 3, 6)
    assert await work_off(desk.engine) == 0
    assert await desk.count("category:x") == 3
    results = await desk.results(number)
    assert [each.outcome for each in results.values()] == [Outcome.SUCCEEDED] * 3 + [Outcome.CANCELLED] * 6
    assert len(await desk.results(number, Outcome.CANCELLED)) == 6
    assert await desk.results(number, Outcome.PENDING) == {}
    assert [entry.action for entry in await audited(desk)] == ["bulk.started", "bulk.cancel", "bulk.finished"]
    with refused(Code.WRONG_STATE, "it can be cancelled when it is draft, scheduled, pending or in_progress"):
        await lifecycle.cancel(desk.engine, ROOT, number)
    undo = await desk.finish((await desk.undo_bulk(number)).operation.id)
    assert undo.succeeded == 3


async def test_a_batch_in_flight_is_finished_and_is_the_last(desk: Desk) -> None:
    ids = await desk.new(6)
    number = (await desk.draft("set-category", ids, category="x", batch=3)).operation.id
    await desk.confirm(number)
    run = await claim_run(desk.engine)
    assert run is not None
    asked = await lifecycle.cancel(desk.engine, ROOT, number)
    assert (asked.status, asked.cancel_requested) == (BulkStatus.PENDING, True)
    await execution.work(desk.engine, run)
    done = await desk.operation(number)
    assert (done.status, done.succeeded, done.cancelled) == (BulkStatus.CANCELLED, 0, 6)
    assert await work_off(desk.engine) == 0
    assert not await anything_unfinished(desk.engine)


async def test_cancelled_before_the_first_batch_everything_is_cancelled(desk: Desk) -> None:
    ids = await desk.new(3)
    number = (await desk.draft("set-category", ids, category="x")).operation.id
    await desk.confirm(number)
    cancelled = await lifecycle.cancel(desk.engine, ROOT, number)
    assert (cancelled.status, cancelled.cancelled) == (BulkStatus.CANCELLED, 3)
    draft = (await desk.draft("set-category", ids, category="x")).operation.id
    discarded = await lifecycle.cancel(desk.engine, ROOT, draft)
    assert (discarded.status, discarded.cancelled) == (BulkStatus.CANCELLED, 3)
    assert await desk.count("category:none") == 3


async def test_a_draft_nobody_wanted_leaves_the_history(desk: Desk) -> None:
    ids = await desk.new(3)
    draft = (await desk.draft("set-category", ids, category="x")).operation.id
    assert (await lifecycle.cancel(desk.engine, ROOT, draft)).status is BulkStatus.CANCELLED
    assert (await service.list_operations(desk.engine, ROOT, BulkListQuery())).items == []
    with refused(Code.NOT_FOUND):
        await desk.operation(draft)
    async with desk.engine.store.read() as connection:
        left = select(bulk_items).where(bulk_items.c.operation_id == draft)
        assert (await connection.execute(left)).all() == []


@pytest.mark.parametrize("kept", [True, False], ids=["runs kept", "runs removed"])
async def test_a_cancelled_operation_goes_on_where_it_was_stopped(desk: Desk, kept: bool) -> None:
    ids = await desk.new(9)
    number = (await desk.draft("set-category", ids, category="x", batch=3)).operation.id
    await desk.confirm(number)
    await work_off(desk.engine, 1)
    await lifecycle.cancel(desk.engine, ROOT, number)
    if not kept:  # an operation outlives the runs of its batches
        async with desk.engine.store.write() as transaction:
            await transaction.connection.execute(delete(runs))
    resumed = await lifecycle.resume(desk.engine, ROOT, number)
    assert (resumed.status, resumed.succeeded, resumed.cancelled) == (BulkStatus.PENDING, 3, 0)
    assert (resumed.cancel_requested, resumed.finished_at) == (False, None)
    assert len(await desk.results(number, Outcome.PENDING)) == 6
    await work_off(desk.engine, 1)
    again = await lifecycle.cancel(desk.engine, ROOT, number)
    assert (again.succeeded, again.cancelled) == (6, 3)
    await lifecycle.resume(desk.engine, ROOT, number)
    await work_off(desk.engine)
    done = await desk.operation(number)
    assert (done.status, done.succeeded, done.cancelled) == (BulkStatus.COMPLETED, 9, 0)
    for item in ids:
        assert [event.operation_id for event in await desk.events(item)].count(number) == 1
    with refused(Code.WRONG_STATE, "it can be resumed when it is failed or cancelled, with batches left"):
        await lifecycle.resume(desk.engine, ROOT, number)


async def test_what_never_began_is_not_resumed(desk: Desk) -> None:
    ids = await desk.new(3)
    later = (await desk.draft("delete", ids, run_at=to_datetime(now_ms() + HOUR))).operation.id
    with refused(Code.WRONG_STATE, "it can be resumed when it is failed or cancelled"):
        await lifecycle.resume(desk.engine, ROOT, later)
    await desk.confirm(later)
    await lifecycle.cancel(desk.engine, ROOT, later)
    with refused(Code.WRONG_STATE, "never began"):
        await lifecycle.resume(desk.engine, ROOT, later)


# ----- later


async def test_a_scheduled_operation_waits_for_its_time(desk: Desk) -> None:
    ids = await desk.new(3)
    at = to_datetime(now_ms() + HOUR)
    number = (await desk.draft("set-category", ids, category="x", run_at=at)).operation.id
    assert (await desk.confirm(number)).status is BulkStatus.SCHEDULED
    await lifecycle.start_scheduled(desk.engine)
    assert await work_off(desk.engine) == 0
    assert await anything_unfinished(desk.engine), "an engine with something scheduled does not stop by itself"
    await move(desk, number, run_at=now_ms() - 1)
    await lifecycle.start_scheduled(desk.engine)
    await lifecycle.start_scheduled(desk.engine)
    assert (await desk.operation(number)).status is BulkStatus.PENDING
    assert await work_off(desk.engine) == 1
    assert (await desk.operation(number)).succeeded == 3
    actions = [entry.action for entry in await audited(desk)]
    assert actions == ["bulk.scheduled", "bulk.started", "bulk.finished"]


async def test_a_time_that_has_passed_means_now_and_a_scheduled_one_can_be_cancelled(desk: Desk) -> None:
    ids = await desk.new(3)
    past = await desk.draft("set-category", ids, category="x", run_at=to_datetime(now_ms() - HOUR))
    assert (await desk.confirm(past.operation.id)).status is BulkStatus.PENDING
    await work_off(desk.engine)
    future = await desk.draft("set-category", ids, category="y", run_at=to_datetime(now_ms() + HOUR))
    await desk.confirm(future.operation.id)
    cancelled = await lifecycle.cancel(desk.engine, ROOT, future.operation.id)
    assert (cancelled.status, cancelled.cancelled) == (BulkStatus.CANCELLED, 3)
    await move(desk, future.operation.id, run_at=now_ms() - 1)
    await lifecycle.start_scheduled(desk.engine)
    assert await work_off(desk.engine) == 0


async def move(desk: Desk, number: int, **values: Any) -> None:
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(
            bulk_operations.update().where(bulk_operations.c.id == number).values(**values)
        )


# ----- whose


async def test_foreign_items_in_a_bulk_are_failures_of_their_own_and_told_nothing_of(desk: Desk) -> None:
    mine = await desk.new(2)
    foreign = await desk.new(2, tenant_id="globex", title="a secret")
    lead = desk.by(ACME)
    preview = await lead.draft("resolve", [*mine, *foreign])
    assert (preview.operation.eligible, preview.operation.skipped) == (2, 2)
    assert preview.states == {"open": 2, "missing": 2}
    assert "secret" not in preview.model_dump_json()
    assert {each.status for each in preview.first if each.item_id in foreign} == {"missing"}
    done = await lead.finish(preview.operation.id)
    assert (done.succeeded, done.skipped) == (2, 2)
    skipped = await lead.results(done.id, Outcome.SKIPPED)
    assert set(skipped) == set(foreign)
    assert {(each.code, each.title, each.tenant_id) for each in skipped.values()} == {(Code.NOT_FOUND, "", "")}
    assert {row["version"] for row in (await desk.rows(foreign)).values()} == {1}


async def test_items_that_move_to_another_tenant_fail_when_their_batch_comes(desk: Desk) -> None:
    mine, moving = await desk.new(2, title="a secret")
    lead = desk.by(ACME)
    preview = await lead.draft("resolve", [mine, moving])
    await desk.force(moving, tenant_id="globex")
    done = await lead.finish(preview.operation.id)
    assert (done.succeeded, done.failed) == (1, 1)
    assert (await lead.results(done.id, Outcome.FAILED))[moving].title == ""
    assert (await desk.row(moving))["status"] == "open"


async def test_operations_are_seen_by_who_made_them_and_who_sees_everything(desk: Desk) -> None:
    ids = await desk.new(2)
    lead, other = desk.by(ACME), desk.by(replace(ACME, actor="another lead"))
    number = (await lead.draft("set-category", ids, category="x")).operation.id
    query = BulkListQuery()
    for who, seen in ((lead.who, [number]), (ROOT, [number]), (ANA, [number]), (other.who, [])):
        page = await service.list_operations(desk.engine, who, query)
        assert [operation.id for operation in page.items] == seen
    for attempt in (
        other.operation(number),
        other.results(number),
        other.confirm(number, 2),
        other.undo_bulk(number),
        other.retry_failed(number),
        lifecycle.cancel(desk.engine, other.who, number),
        lifecycle.resume(desk.engine, other.who, number),
    ):
        with refused(Code.NOT_FOUND, f"There is no bulk operation {number}"):
            await attempt


async def test_roles_are_asked_for_at_every_step(desk: Desk) -> None:
    there = desk.at(Resource.RETURNS)
    goods = await there.new(1)
    await there.force(goods, status="received")
    for verb, params in (("refund", {}), ("update-status", {"status": "refunded"})):
        draft = (await there.draft(verb, goods, **params)).operation.id
        with refused(Code.FORBIDDEN, "Refund needs the role admin"):
            await there.by(ANA).draft(verb, goods, **params)
        done = await there.finish(draft)
        assert done.succeeded == 1
        with refused(Code.FORBIDDEN, "Refund needs the role admin"):
            await there.by(ANA).undo_bulk(done.id)
        await there.finish((await there.undo_bulk(done.id)).operation.id)
    viewer = there.by(replace(ANA, role=Role.VIEWER))
    with refused(Code.FORBIDDEN):
        await viewer.draft("comment", goods, body="x")


# ----- the rest


async def test_lists_are_pages_and_know_what_runs(desk: Desk) -> None:
    ids = await desk.new(2)
    numbers = [(await desk.draft("set-category", ids, category=str(n))).operation.id for n in range(7)]
    await desk.confirm(numbers[0])
    seen: list[int] = []
    cursor = None
    while True:
        page = await service.list_operations(desk.engine, ROOT, BulkListQuery(limit=3, cursor=cursor))
        seen += [operation.id for operation in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == numbers[::-1]
    for query, expected in (
        (BulkListQuery(running=True), numbers[:1]),
        (BulkListQuery(running=False), numbers[:0:-1]),
        (BulkListQuery(status=BulkStatus.DRAFT), numbers[:0:-1]),
        (BulkListQuery(status=BulkStatus.COMPLETED), []),
    ):
        page = await service.list_operations(desk.engine, ROOT, query)
        assert [operation.id for operation in page.items] == expected


async def test_hostile_words_go_through_every_step(desk: Desk) -> None:
    for text in TEXTS[::16]:
        ids = await desk.new(2, title=text, category="old")
        preview = await desk.draft("set-category", ids, category=text[:1_000], reason=text)
        assert preview.operation.reason == text
        done = await desk.finish(preview.operation.id)
        assert done.params["category"] == text[:1_000]
        assert {row["category"] for row in (await desk.rows(ids)).values()} == {text[:1_000]}
        undo = await desk.finish((await desk.undo_bulk(done.id)).operation.id)
        assert undo.succeeded == 2
        again = await desk.finish((await desk.undo_bulk(undo.id)).operation.id)
        assert again.succeeded == 2
        assert {row["category"] for row in (await desk.rows(ids)).values()} == {text[:1_000]}


async def test_a_hundred_thousand_ids_are_one_parameter(desk: Desk) -> None:
    ids = await desk.new(3)
    preview = await desk.draft("set-category", [*ids, *range(10**6, 10**6 + 40_000)], category="x")
    assert (preview.operation.total, preview.operation.eligible) == (40_003, 3)


async def test_settings_say_how_many_at_once(desk: Desk) -> None:
    ids = await desk.new(1)
    desk = replace(desk, engine=make_engine(desk.engine.store, desk.engine.home, bulk_per_user=1))
    first, second = [(await desk.draft("set-category", ids, category=str(n))).operation.id for n in range(2)]
    await desk.confirm(first)
    with refused(Code.TOO_MANY_OPERATIONS, "already have 1 bulk"):
        await desk.confirm(second)
