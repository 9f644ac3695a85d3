"""A failure is handed to a person: the exception and the dead letter behind it move together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quarterdeck.config.settings import ExceptionsSettings
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import ticks
from tests.engine.dead_letters import morgue
from tests.engine.runs import world
from tests.support.desk import ANA, ROOT, Desk, refused


@pytest.fixture(autouse=True)
async def a_queue(engine: Engine) -> None:
    await world.make_queue(engine)


@pytest.fixture
def exceptions(engine: Engine) -> Desk:
    return Desk(engine, ROOT, Resource.EXCEPTIONS)


def with_rule(engine: Engine, **values: Any) -> None:
    engine.settings = replace(engine.settings, exceptions=ExceptionsSettings(**values))


async def exception_of(engine: Engine, letter: int) -> int:
    found = (await morgue.letter(engine, letter)).exception_id
    assert found is not None
    return int(found)


async def told(desk: Desk, item: int) -> list[str]:
    return [event.type for event in await desk.events(item)]


async def test_a_dead_letter_opens_an_exception_that_says_what_happened(engine: Engine, exceptions: Desk) -> None:
    run, number = await morgue.die(engine)
    item = await exceptions.show(await exception_of(engine, number))
    assert (item.status, item.kind, item.tenant_id, item.category) == ("open", "kind", "acme", "network")
    assert item.title == "q: 503: no answer"
    assert (item.fields["dead_letter"], item.fields["run"], item.fields["queue"]) == (number, run, "q")
    assert await told(exceptions, item.id) == ["attempt_failed", "died"]
    first = (await exceptions.events(item.id))[0]
    assert (first.actor, first.body) == ("w", f"Run {run}, attempt 1 · 503: no answer")


async def test_one_timeline_tells_the_whole_story(engine: Engine, exceptions: Desk) -> None:
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    await morgue.act(engine, "retry", number, ANA, reason="they say it works again")
    assert (await exceptions.show(item)).status == "retrying"
    await morgue.end_retry(engine, dies=True)
    assert (await exceptions.show(item)).status == "open"
    await exceptions.by(ANA).act(item, "comment", body="called them")
    await exceptions.by(ANA).act(item, "retry", reason="now it does")
    assert (await morgue.letter(engine, number)).status == "retrying"
    await morgue.end_retry(engine)
    assert (await exceptions.show(item)).status == "resolved"
    assert (await morgue.letter(engine, number)).status == "succeeded"
    assert await told(exceptions, item) == [
        "attempt_failed",
        "died",
        "retrying",
        "attempt_failed",
        "retry_failed",
        "comment",
        "retrying",
        "attempt_completed",
        "resolved",
    ]
    retrying = [event for event in await exceptions.events(item) if event.type == "retrying"]
    assert [(event.actor, event.body) for event in retrying] == [
        ("ana", "they say it works again"),
        ("ana", "now it does"),
    ]


async def test_after_some_failed_retries_somebody_has_to_look(engine: Engine, exceptions: Desk) -> None:
    with_rule(engine, retries_before_review=2)
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    for expected in ("open", "needs_manual_review", "needs_manual_review"):
        await exceptions.act(item, "retry")
        await morgue.end_retry(engine, dies=True)
        assert (await exceptions.show(item)).status == expected


async def test_discarding_cancels_it_and_bringing_back_opens_it(engine: Engine, exceptions: Desk) -> None:
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    await morgue.act(engine, "discard", number, reason="a test order")
    assert (await exceptions.show(item)).status == "cancelled"
    with refused(Code.WRONG_STATE):
        await exceptions.act(item, "retry")
    await morgue.act(engine, "reopen", number)
    assert (await exceptions.show(item)).status == "open"


async def test_an_exception_without_a_dead_letter_says_so(engine: Engine, exceptions: Desk) -> None:
    (item,) = await exceptions.new()
    with refused(Code.NOTHING_TO_RETRY, "no dead letter behind it waits for a retry"):
        await exceptions.act(item, "retry")


async def test_only_what_the_rule_and_the_queue_want_becomes_one(engine: Engine, exceptions: Desk) -> None:
    with_rule(engine, filter="error:503 -tenant:globex")
    await world.make_queue(engine, "quiet", exceptions=False)
    await morgue.post(engine, error_code="503")
    await morgue.post(engine, error_code="422")
    await morgue.post(engine, error_code="503", tenant_id="globex")
    await morgue.post(engine, error_code="503", queue="quiet")
    assert await exceptions.count() == 1


async def test_a_cancelled_retry_leaves_it_open(engine: Engine, exceptions: Desk) -> None:
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    done = await morgue.act(engine, "retry", number)
    assert done.dead_letter is not None
    await morgue.act_on_run(engine, "cancel", done.dead_letter.retry_run_id)
    assert (await exceptions.show(item)).status == "open"
    assert (await told(exceptions, item))[-1] == "retry_cancelled"


async def test_many_are_retried_at_once(engine: Engine, exceptions: Desk) -> None:
    letters = await morgue.post(engine, 5)
    others = await exceptions.new(2)
    chosen = [await exception_of(engine, number) for number in letters]
    done = await exceptions.bulk("retry", [*chosen, *others], reason="the provider is back")
    assert (done.succeeded, done.skipped, done.failed) == (5, 2, 0)
    assert {(await morgue.letter(engine, number)).status for number in letters} == {"retrying"}
    assert {(await exceptions.show(item)).status for item in chosen} == {"retrying"}
    event = (await exceptions.events(chosen[0]))[-1]
    assert (event.type, event.operation_id) == ("retrying", done.id)
    said, there = await morgue.counted(engine)
    assert said == there


async def test_what_a_person_has_closed_is_left_alone(engine: Engine, exceptions: Desk) -> None:
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    await exceptions.act(item, "cancel")
    await morgue.act(engine, "retry", number)
    await morgue.end_retry(engine)
    assert (await exceptions.show(item)).status == "cancelled"
    assert (await morgue.letter(engine, number)).status == "succeeded"


async def test_moving_it_to_retrying_by_hand_retries_too(engine: Engine, exceptions: Desk) -> None:
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    await exceptions.act(item, "update-status", status="retrying", reason="once more")
    assert (await morgue.letter(engine, number)).status == "retrying"
    await morgue.end_retry(engine, dies=True)
    assert (await exceptions.show(item)).status == "open"
    (bare,) = await exceptions.new()
    done = await exceptions.bulk("update-status", [item, bare], status="retrying")
    assert done.succeeded == 2
    assert (await morgue.letter(engine, number)).status == "retrying"
    assert (await exceptions.show(bare)).status == "retrying"


async def test_a_retry_that_succeeds_resolves_what_somebody_took_back(engine: Engine, exceptions: Desk) -> None:
    _, number = await morgue.die(engine)
    item = await exception_of(engine, number)
    await exceptions.act(item, "retry")
    await exceptions.act(item, "update-status", status="open")
    await morgue.end_retry(engine)
    assert (await exceptions.show(item)).status == "resolved"


async def test_a_rule_that_cannot_be_read_is_said_at_the_start(engine: Engine) -> None:
    with_rule(engine, filter="eror:503")
    with refused(Code.FILTER_INVALID, r"section \[exceptions\], filter: Column 1: 'eror' is no key"):
        ticks.register(engine)
