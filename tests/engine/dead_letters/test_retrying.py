"""A dead letter from the death of a run to the end of its retry."""

from __future__ import annotations

import pytest

from quarterdeck.contract.enums import MachineResource, Role
from quarterdeck.contract.models.items import ActionRequest
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import queries
from quarterdeck.engine.runs.outcomes import Cancelled
from quarterdeck.engine.subjects import subject_of
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ACME, ANA, ROOT, refused


@pytest.fixture(autouse=True)
async def a_queue(engine: Engine) -> None:
    await world.make_queue(engine, exceptions=False)


async def test_a_run_that_has_used_up_its_attempts_leaves_a_dead_letter(engine: Engine) -> None:
    run, number = await morgue.die(engine, {"order": 7})
    row = await morgue.letter(engine, number)
    assert (row.status, row.queue, row.event_type, row.tenant_id) == ("pending", "q", "kind", "acme")
    assert (row.error_class, row.error_code, row.error_message) == ("network", "503", "no answer")
    assert (row.attempts, row.retries, row.payload, row.version) == (1, 0, {"order": 7}, 1)
    shown = await queries.show_dead_letter(engine, ROOT, number)
    assert [(each.number, each.outcome) for each in shown.attempts] == [(1, "failed")]
    assert shown.dead_letter.run_id == run
    said, there = await morgue.counted(engine)
    assert said == there


async def test_a_retry_is_a_run_with_the_same_payload_in_the_same_queue(engine: Engine) -> None:
    _, number = await morgue.die(engine, {"order": 7})
    done = await morgue.act(engine, "retry", number)
    assert done.dead_letter is not None
    assert done.dead_letter.status == "retrying"
    (run,) = await world.claim(engine)
    assert (run.id, run.payload, run.kind, run.tenant_id) == (
        done.dead_letter.retry_run_id,
        {"order": 7},
        "kind",
        "acme",
    )
    assert (run.attempt, run.max_attempts, run.dead_letter_id) == (1, 5, number)


async def test_a_retry_that_completes_is_the_end_of_it(engine: Engine) -> None:
    _, number = await morgue.die(engine)
    await morgue.act(engine, "retry", number)
    await morgue.end_retry(engine)
    row = await morgue.letter(engine, number)
    assert (row.status, row.retries, row.attempts) == ("succeeded", 1, 2)
    with refused(Code.WRONG_STATE, "is succeeded"):
        await morgue.act(engine, "retry", number)
    said, there = await morgue.counted(engine)
    assert said == there


async def test_a_retry_that_dies_brings_it_back_with_what_went_wrong_now(engine: Engine) -> None:
    _, number = await morgue.die(engine)
    before = await morgue.letter(engine, number)
    await morgue.act(engine, "retry", number)
    await morgue.end_retry(engine, dies=True, code="422", message="no such order 8")
    row = await morgue.letter(engine, number)
    assert (row.status, row.retries, row.attempts) == ("pending", 1, 2)
    assert (row.error_code, row.error_message) == ("422", "no such order 8")
    assert row.group_id != before.group_id
    assert len((await queries.show_dead_letter(engine, ROOT, number)).attempts) == 2
    said, there = await morgue.counted(engine)
    assert said == there


async def test_a_retry_that_is_cancelled_counts_for_nothing(engine: Engine) -> None:
    _, number = await morgue.die(engine)
    await morgue.act(engine, "retry", number)
    (run,) = await world.claim(engine)
    await world.finish(engine, Cancelled(*run.held))
    row = await morgue.letter(engine, number)
    assert (row.status, row.retries) == ("pending", 0)


async def test_an_older_retry_does_not_speak_for_a_newer_one(engine: Engine) -> None:
    """Guards the comparison of retry_run_id in `endings.ended`."""
    _, number = await morgue.die(engine)
    await morgue.act(engine, "retry", number)
    (old,) = await world.claim(engine)
    await morgue.force(engine, number, retry_run_id=old.id + 100)
    await world.finish(engine, world.failed(old))
    assert (await morgue.letter(engine, number)).status == "retrying"


async def test_an_edited_retry_keeps_the_difference(engine: Engine) -> None:
    _, number = await morgue.die(engine, {"order": 7, "sum": "1"})
    await morgue.act(engine, "edit-retry", number, payload={"order": 7, "sum": 1})
    (run,) = await world.claim(engine)
    assert run.payload == {"order": 7, "sum": 1}
    shown = await queries.show_dead_letter(engine, ROOT, number)
    (edit,) = shown.edits
    assert (edit.actor, edit.patch) == ("root", [{"op": "replace", "path": "/sum", "value": 1}])


async def test_whoever_edits_a_masked_payload_does_not_lose_the_secret(engine: Engine) -> None:
    _, number = await morgue.die(engine, {"auth": {"api_key": "hunter2"}, "sum": 1})
    shown = await queries.show_dead_letter(engine, ANA, number)
    assert shown.payload == {"auth": {"api_key": "••••••"}, "sum": 1}
    await morgue.act(engine, "edit-retry", number, ANA, payload={**shown.payload, "sum": 2})
    (run,) = await world.claim(engine)
    assert run.payload == {"auth": {"api_key": "hunter2"}, "sum": 2}


async def test_discarded_it_can_be_brought_back(engine: Engine) -> None:
    _, number = await morgue.die(engine)
    await morgue.act(engine, "discard", number, reason="a test")
    assert (await morgue.letter(engine, number)).status == "discarded"
    with refused(Code.WRONG_STATE):
        await morgue.act(engine, "retry", number)
    await morgue.act(engine, "reopen", number)
    assert (await morgue.letter(engine, number)).status == "pending"
    said, there = await morgue.counted(engine)
    assert said == there


async def test_refusals(engine: Engine) -> None:
    _, number = await morgue.die(engine)
    with refused(Code.CHANGED_SINCE, "has changed since you looked"):
        await morgue.act(engine, "retry", number, version=2)
    with refused(Code.NOT_FOUND):
        await morgue.act(engine, "retry", number, Principal("eve", Role.ADMIN, frozenset({"globex"})))
    with refused(Code.FORBIDDEN):
        await morgue.act(engine, "retry", number, Principal("vic", Role.VIEWER))
    (gone,) = await morgue.post(engine)
    await morgue.force(engine, gone, queue="no-more")
    with refused(Code.NO_QUEUE, "no longer exists"):
        await morgue.act(engine, "retry", gone)
    await morgue.act(engine, "retry", number, ACME)


async def test_a_dead_run_that_is_done_again_takes_its_dead_letter_along(engine: Engine) -> None:
    run, number = await morgue.die(engine)
    again = await subject_of(MachineResource.RUNS).act(engine, ROOT, run, "retry", ActionRequest())
    assert again.run is not None
    assert (again.run.status, again.run.max_attempts) == ("waiting", 6)
    row = await morgue.letter(engine, number)
    assert (row.status, row.retry_run_id) == ("retrying", run)
    assert await morgue.end_retry(engine) == run
    row = await morgue.letter(engine, number)
    assert (row.status, row.retries, row.attempts) == ("succeeded", 1, 2)
    said, there = await morgue.counted(engine)
    assert said == there


async def test_a_dead_run_that_dies_again_has_one_dead_letter(engine: Engine) -> None:
    run, number = await morgue.die(engine)
    await subject_of(MachineResource.RUNS).act(engine, ROOT, run, "retry", ActionRequest())
    await morgue.end_retry(engine, dies=True)
    row = await morgue.of_run(engine, run)
    assert (row.id, row.status, row.retries, row.attempts) == (number, "pending", 1, 2)
