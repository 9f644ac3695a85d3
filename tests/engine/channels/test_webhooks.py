"""Webhooks to receivers that take them, refuse them, and misbehave: what is tried again, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import NotificationState
from quarterdeck.contract.models import items as item_models
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.channels import managing, schedule, sending
from quarterdeck.engine.channels.schedule import JITTER, WAITS
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import ticks as dead_letter_ticks
from quarterdeck.engine.dead_letters.subject import DEAD_LETTER_SUBJECT
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.queues import changes
from quarterdeck.engine.queues.service import NOTIFICATIONS
from quarterdeck.engine.runs import finishing, service
from tests.engine.channels import world
from tests.support.desk import ROOT
from tests.support.sinks import Received, Sink, always, in_turn, sink

assert dead_letter_ticks

HOURS = 3_600


@pytest.fixture
async def home(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setenv(world.ENV, world.SECRET)
    yield world.at_home(engine)
    for finish in engine.finishers:
        await finish()


async def hook(engine: Engine, made: Sink, **values: Any) -> Any:
    return await world.make(engine, settings={"kind": "webhook", "url": made.url()}, secret_env=world.ENV, **values)


async def test_what_is_sent_verifies_and_says_what_fires(home: Engine) -> None:
    async with sink() as made:
        await hook(home, made)
        (number,) = await world.send(home, url="https://qd.example/alerts/1")
        assert (await world.status(home, number)).state is NotificationState.PENDING
        assert await world.work_off(home) == 1
    (request,) = made.received
    said = Webhook(world.SECRET).verify(request.body, request.headers)
    assert request.headers["webhook-id"] == f"notification_{number}"
    assert said["type"] == "alert.trigger"
    assert said["data"]["key"] == "group/1"
    assert said["data"]["alerts"][0]["value"] == 12.5
    found = await world.status(home, number)
    assert (found.state, found.attempts, found.error_code, found.next_at) == (
        NotificationState.DELIVERED,
        1,
        None,
        None,
    )
    assert found.ended_at is not None


async def test_the_whole_schedule_is_kept_with_one_id_and_ends_as_a_dead_letter(home: Engine) -> None:
    waits = []
    async with sink(always(500, b"no")) as made:
        await hook(home, made)
        (number,) = await world.send(home)
        while True:
            before = now_ms()
            assert await world.work_off(home) == 1
            run = await world.run_of(home, number)
            if run.status != "failed":
                break
            waits.append((run.run_at - before) / SECOND)
            await world.due(home)
        assert [len(made.received), run.status] == [len(WAITS), "dead"]
        assert WAITS == (0, 5, 300, 1_800, 2 * HOURS, 5 * HOURS, 10 * HOURS, 14 * HOURS, 20 * HOURS, 24 * HOURS)
        for waited, planned in zip(waits, WAITS[1:], strict=True):
            assert planned * (1 - JITTER) <= waited <= planned * (1 + JITTER) + 5
        assert {each.headers["webhook-id"] for each in made.received} == {f"notification_{number}"}
        assert len({each.body for each in made.received}) == 1
        assert (await world.status(home, number)).state is NotificationState.FAILED
        async with home.store.read() as connection:
            letter = (await connection.execute(select(dead_letters))).one()
        assert (letter.run_id, letter.queue, letter.error_code) == (run.id, NOTIFICATIONS, "http_500")
        assert letter.exception_id is None
    # Somebody has it done again: the same message, with the same id.
    async with sink() as repaired:
        channel = (await managing.list_channels(home, ROOT)).items[0]
        change = managing.ChannelChange(settings={"kind": "webhook", "url": repaired.url()})
        await managing.change_channel(home, ROOT, channel.id, change)
        await DEAD_LETTER_SUBJECT.act(home, ROOT, letter.id, "retry", item_models.ActionRequest())
        assert await world.work_off(home) == 1
    assert repaired.received[0].headers["webhook-id"] == f"notification_{number}"
    assert repaired.received[0].body == made.received[0].body
    assert (await world.status(home, number)).state is NotificationState.DELIVERED


async def test_whoever_is_gone_is_not_asked_again(home: Engine) -> None:
    async with sink(always(410)) as made:
        channel = await hook(home, made)
        first, second = [*await world.send(home), *await world.send(home, key="group/2")]
        await world.work_off(home)
        assert len(made.received) == 1
        shown = await managing.show_channel(home, ROOT, channel.id)
        assert not shown.enabled
        assert "410" in (shown.disabled_reason or "")
        assert (await world.run_of(home, first)).status == "dead"
        assert (await world.status(home, second)).error_code == "channel_off"
        (third,) = await world.send(home, key="group/3")
        skipped = await world.status(home, third)
        assert (skipped.state, skipped.run_id, skipped.error_code) == (NotificationState.SKIPPED, None, "channel_off")
        async with home.store.read() as connection:
            said = (
                (await connection.execute(select(audit_entries.c.action).order_by(audit_entries.c.id))).scalars().all()
            )
        assert said[-1] == "channels.disable"
        again = await managing.change_channel(home, ROOT, channel.id, managing.ChannelChange(enabled=True))
        assert again.disabled_reason is None


async def test_a_name_nobody_has_is_told_and_not_swallowed(home: Engine) -> None:
    (number,) = await world.send(home, "nobody")
    found = await world.status(home, number)
    assert (found.state, found.error_message) == (NotificationState.SKIPPED, "There is no channel nobody.")


async def test_an_engine_that_is_killed_sends_it_again_with_the_same_id(home: Engine) -> None:
    async with sink(in_turn(*[always(200)] * 4, always(503), always(200))) as made:
        await hook(home, made)
        (number,) = await world.send(home)
        for _ in range(4):  # more often than would make poison of any other work of the engine
            async with home.store.write() as transaction:
                (run,) = await service.claim(home, transaction, NOTIFICATIONS, "engine-gone", 1, seconds=30)
            # The message is out, and the engine dies before it can say so.
            row, channel, _ = await sending._look(home, run)
            await sending._attempt(home, run, row, channel)
            async with home.store.write() as transaction:
                assert await finishing.rescue(home, transaction, all_of_engines=True) == [run.id]
            await world.due(home)
        assert await world.work_off(home) == 1
        refused = (await world.attempts_of(home, run.id))[-1]
        waits = (refused.retry_at - refused.ended_at) / SECOND
        assert WAITS[1] * (1 - JITTER) <= waits <= WAITS[1] * (1 + JITTER), "it was refused for the first time"
        await world.due(home)
        assert await world.work_off(home) == 1
    assert len(made.received) == 6
    assert {each.headers["webhook-id"] for each in made.received} == {f"notification_{number}"}
    assert (await world.status(home, number)).state is NotificationState.DELIVERED


async def test_what_a_later_message_has_overtaken_is_not_sent_any_more(home: Engine) -> None:
    """It would open an incident anew that is over."""
    async with sink(in_turn(always(503), always(503), always(200))) as made:
        await hook(home, made)
        (begun,) = await world.send(home)
        (other,) = await world.send(home, key="group/2")
        assert await world.work_off(home) == 2
        (over,) = await world.send(home, kind="resolve")
        assert await world.work_off(home) == 1
        await world.due(home)
        assert await world.work_off(home) == 2
    assert [json.loads(each.body)["data"]["key"] for each in made.received[2:]] == ["group/1", "group/2"]
    found = [await world.status(home, number) for number in (begun, other, over)]
    assert [each.state for each in found] == [
        NotificationState.SKIPPED,
        NotificationState.DELIVERED,
        NotificationState.DELIVERED,
    ]
    assert str(found[0].error_message).startswith("A later message of the same group was taken first")
    assert (await world.run_of(home, begun)).status == "cancelled"


async def test_an_engine_that_stops_gives_the_attempt_back(home: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_GRACE", 0)
    arrived = asyncio.Event()

    async def hold(request: Received, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with sink(hold) as made:
        await hook(home, made)
        (number,) = await world.send(home)
        work = asyncio.create_task(world.work_off(home))
        await asyncio.wait_for(arrived.wait(), 10)
        await changes.pause_queue(home, ROOT, NOTIFICATIONS, changes.Pause())
        home.stopping.set()
        await asyncio.wait_for(work, 10)
    run = await world.run_of(home, number)
    assert (run.status, run.retry_count, run.max_attempts) == ("waiting", 0, 11)


async def test_a_secret_that_is_not_there_yet_is_waited_for(home: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sink() as made:
        await hook(home, made)
        (number,) = await world.send(home)
        monkeypatch.delenv(world.ENV)
        await world.work_off(home)
        assert (await world.run_of(home, number)).error_code == "no_secret"
        monkeypatch.setenv(world.ENV, world.SECRET)
        await world.due(home)
        await world.work_off(home)
        assert len(made.received) == 1


async def test_a_verification_says_what_the_other_side_said(home: Engine) -> None:
    async with sink(in_turn(always(200, b"hello \x1b]52;"), always(503, world.SECRET.encode()))) as made:
        channel = await hook(home, made)
        good = await world.verify(home, channel)
        bad = await world.verify(home, channel)
    assert (good.delivered, good.code, good.said) == (True, None, "127.0.0.1 answered 200.")
    assert good.detail == "hello \ufffd]52;"
    assert (bad.delivered, bad.code) == (False, "http_503")
    assert world.SECRET not in f"{bad}"
    first, second = made.received
    assert first.headers["webhook-id"].startswith("test_")
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert json.loads(first.body)["data"]["severity"] == "info"


async def test_no_secret_is_ever_kept(home: Engine) -> None:
    async with sink(always(500, f"you said {world.SECRET}".encode())) as made:
        channel = await hook(home, made)
        await world.verify(home, channel)
        await world.send(home)
        await world.work_off(home)
    kept = await world.everything(home)
    assert world.SECRET not in kept
    assert world.SECRET.removeprefix("whsec_") not in kept
    assert "you said" in kept


def test_waits_are_never_shorter_than_asked_for() -> None:
    for retries, planned in enumerate(WAITS[1:]):
        for asked in (None, 0.0, 7.0, 1e6):
            waited = schedule.wait(retries, asked)
            assert waited >= max(planned * (1 - JITTER), asked or 0)
            assert waited <= max(planned * (1 + JITTER), asked or 0)
