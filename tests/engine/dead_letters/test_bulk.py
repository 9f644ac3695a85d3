"""Bulk operations over dead letters and runs: the same machine as for items."""

from __future__ import annotations

import pytest

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AnyResource, MachineResource
from quarterdeck.contract.models.bulk import BulkOperation, Confirm, NewBulk
from quarterdeck.contract.models.dead_letters import RetryBatch
from quarterdeck.contract.models.items import NewSelection
from quarterdeck.contract.problems import Code
from quarterdeck.engine.bulk import drafts, lifecycle, service
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import service as letters_service
from quarterdeck.engine.listing.selections import make_selection
from quarterdeck.engine.subjects import subject_of
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ROOT, Desk, refused, work_off

LETTERS, RUNS = MachineResource.DEAD_LETTERS, MachineResource.RUNS


@pytest.fixture(autouse=True)
async def a_queue(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)


async def bulk(
    engine: Engine, resource: AnyResource, verb: str, chosen: list[int] | str, **params: object
) -> BulkOperation:
    """Draft, confirm, carried out; `chosen` is a list of ids or a filter."""
    if isinstance(chosen, str):
        wanted = NewSelection(filter=chosen)
        token = (await make_selection(engine, ROOT, subject_of(resource).listing, wanted)).token
        new = NewBulk(selection=token, params=params, batch_size=3)
    else:
        new = NewBulk(ids=chosen, params=params, batch_size=3)
    return await finish(engine, (await drafts.draft(engine, ROOT, resource, verb, new)).operation)


async def finish(engine: Engine, draft: BulkOperation) -> BulkOperation:
    await lifecycle.confirm(engine, ROOT, draft.id, Confirm(count=draft.eligible))
    await work_off(engine)
    return (await service.show(engine, ROOT, draft.id)).operation


async def test_all_that_match_are_retried_and_what_comes_later_is_not(engine: Engine) -> None:
    ids = await morgue.post(engine, 7, error_code="503")
    await morgue.post(engine, 2, error_code="422")
    draft = await letters_service.retry_batch(engine, ROOT, RetryBatch(filter="error:503"))
    (late,) = await morgue.post(engine, error_code="503")
    assert (draft.operation.resource, draft.operation.eligible) == (LETTERS, 7)
    done = await finish(engine, draft.operation)
    assert (done.status, done.succeeded) == ("completed", 7)
    assert [(await morgue.letter(engine, number)).status for number in ids] == ["retrying"] * 7
    assert (await morgue.letter(engine, late)).status == "pending"
    claimed = await world.claim(engine, 20)
    assert sorted(run.dead_letter_id or 0 for run in claimed) == ids
    assert (await world.tallied(engine))["active"] == 7
    said, there = await morgue.counted(engine)
    assert said == there


async def test_a_rate_spreads_the_retries_over_all_batches(engine: Engine) -> None:
    ids = await morgue.post(engine, 8)
    done = await bulk(engine, LETTERS, "retry", ids, rate=2.0)
    assert done.succeeded == 8
    at = [(await world.row(engine, (await morgue.letter(engine, number)).retry_run_id)).run_at for number in ids]
    assert [later - at[0] for later in at] == [each * SECOND // 2 for each in range(8)]


async def test_discarding_many_can_be_undone_where_nothing_happened_since(engine: Engine) -> None:
    ids = await morgue.post(engine, 4)
    done = await bulk(engine, LETTERS, "discard", ids, reason="old orders")
    assert (done.succeeded, done.risk, done.undoable) == (4, "high", True)
    await morgue.act(engine, "reopen", ids[0])
    undo = await drafts.draft_undo(engine, ROOT, done.id)
    assert (undo.operation.eligible, undo.operation.skipped) == (3, 1)
    back = await finish(engine, undo.operation)
    assert back.succeeded == 3
    assert {(await morgue.letter(engine, number)).status for number in ids} == {"pending"}
    again = await finish(engine, (await drafts.draft_undo(engine, ROOT, back.id)).operation)
    assert again.succeeded == 3
    assert [(await morgue.letter(engine, number)).status for number in ids] == ["pending"] + ["discarded"] * 3
    said, there = await morgue.counted(engine)
    assert said == there


async def test_what_moved_since_the_draft_fails_alone(engine: Engine) -> None:
    ids = await morgue.post(engine, 3)
    draft = await letters_service.retry_batch(engine, ROOT, RetryBatch(ids=ids))
    await morgue.act(engine, "discard", ids[1], reason="no")
    done = await finish(engine, draft.operation)
    assert (done.succeeded, done.failed) == (2, 1)
    detail = await service.show(engine, ROOT, done.id)
    (reason,) = detail.failure_reasons
    assert (reason.code, reason.sentence) == (
        Code.WRONG_STATE,
        "it is discarded and cannot become retrying; Retry applies to pending.",
    )


async def test_runs_are_cancelled_and_done_again_in_bulk(engine: Engine, desk: Desk) -> None:
    ids = await world.add(engine, *range(5))
    assert (await bulk(engine, RUNS, "cancel", "status:waiting queue:q")).succeeded == 5
    assert set(await world.status(engine, *ids)) == {"cancelled"}
    done = await bulk(engine, RUNS, "retry", ids)
    assert (done.succeeded, done.undoable) == (5, False)
    assert set(await world.status(engine, *ids)) == {"waiting"}
    tallies = await world.tallied(engine)
    assert tallies.pop("waiting") == 5
    assert set(tallies) <= {"completed"}  # batches of the two operations


async def test_what_is_scheduled_or_waits_for_its_next_attempt_runs_now(engine: Engine) -> None:
    (later,) = await world.add(engine, run_at=2**50)
    (tried,) = await world.add(engine)
    (run,) = await world.claim(engine)
    await world.finish(engine, world.failed(run, retry_after=3_600))
    assert await world.status(engine, later, tried) == ["scheduled", "failed"]
    assert (await bulk(engine, RUNS, "run-now", [later, tried])).succeeded == 2
    assert sorted(run.id for run in await world.claim(engine, 5)) == [later, tried]


async def test_the_engines_own_runs_are_left_alone(engine: Engine, desk: Desk) -> None:
    items = await desk.new(2)
    preview = await desk.draft("set-category", items, category="x")
    await desk.confirm(preview.operation.id)
    batch = (await morgue.runs_of(engine, "bulk"))[0]
    with refused(Code.ENGINES_OWN, "act on the bulk operation it belongs to"):
        await morgue.act_on_run(engine, "cancel", batch)
