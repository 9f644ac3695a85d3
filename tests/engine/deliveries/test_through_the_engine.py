"""A queue with an address: what becomes of its runs, from enqueueing to the receiver and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from quarterdeck.config.settings import EngineSettings
from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import AttemptOutcome, HandlerKind, RunStatus
from quarterdeck.contract.models.queues import Backoff, QueueChange, QueueSettings
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.deliveries import ticks
from quarterdeck.engine.queues import changes
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.dispatcher import Dispatcher
from quarterdeck.engine.runs.tables import run_attempts, runs
from tests.support.desk import ROOT, refused
from tests.support.sinks import Received, Sink, answer, sink

assert ticks  # says who carries out the runs of http queues

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def running(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """An engine that carries out runs, and may call receivers on this machine."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    engine.settings = replace(engine.settings, engine=EngineSettings(allowed_addresses=["127.0.0.1/32"]))
    dispatcher = Dispatcher(engine)
    await dispatcher.start()
    yield engine
    await dispatcher.stop()
    for finish in engine.finishers:
        await finish()


async def make_queue(engine: Engine, made: Sink, **settings: Any) -> None:
    wanted = {"target": made.url(), "secret_env": "HOOK_SECRET", "backoff": Backoff(base=0), **settings}
    await changes.put_queue(engine, ROOT, "hooks", QueueSettings(handler=HandlerKind.HTTP, **wanted))


async def enqueue(engine: Engine, payload: Any, **values: Any) -> int:
    async with engine.store.write() as transaction:
        new = service.New("hooks", "refund.sent", "acme", payload, **values)
        return (await service.enqueue(engine, transaction, [new])).ids[0]


async def once(engine: Engine, run_id: int, *statuses: RunStatus) -> Any:
    async with asyncio.timeout(20):
        while True:
            async with engine.store.read() as connection:
                row = (await connection.execute(select(runs).where(runs.c.id == run_id))).one()
            if row.status in statuses:
                return row
            await asyncio.sleep(0.01)


async def attempts_of(engine: Engine, run_id: int) -> list[Any]:
    query = select(run_attempts).where(run_attempts.c.run_id == run_id).order_by(run_attempts.c.number)
    async with engine.store.read() as connection:
        return list(await connection.execute(query))


class Moody:
    """Answers with one status after the other, the last one again and again."""

    def __init__(self, *statuses: int, **headers: str) -> None:
        self._statuses, self._headers = list(statuses), headers

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> bytes:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return answer(status, b'{"said": "so"}', **(self._headers if status >= 300 else {}))


async def test_a_run_is_tried_until_it_is_taken_and_every_attempt_is_kept(running: Engine) -> None:
    async with sink(Moody(503, 500, 200)) as made:
        await make_queue(running, made)
        run_id = await enqueue(running, {"order": 7})
        row = await once(running, run_id, RunStatus.COMPLETED, RunStatus.DEAD)
    assert (row.status, row.attempt, row.result) == (RunStatus.COMPLETED, 3, {"status": 200, "body": '{"said": "so"}'})
    kept = await attempts_of(running, run_id)
    assert [each.error_code for each in kept] == ["http_503", "http_500", None]
    assert kept[0].detail == '{"said": "so"}'
    assert [each.headers["webhook-id"] for each in made.received] == [f"run_{run_id}"] * 3
    assert [each.headers["quarterdeck-attempt"] for each in made.received] == ["1", "2", "3"]
    for each in made.received:
        assert Webhook(SECRET).verify(each.body, each.headers) == {"order": 7}


async def test_retry_after_is_waited_for(running: Engine) -> None:
    async with sink(Moody(429, retry_after="120")) as made:
        await make_queue(running, made)
        run_id = await enqueue(running, None)
        row = await once(running, run_id, RunStatus.FAILED)
    assert (row.error_class, row.error_code) == ("rate_limit", "http_429")
    assert abs(row.run_at - now_ms() - 120 * SECOND) < 30 * SECOND


async def test_what_will_never_be_taken_is_dead_at_once(running: Engine) -> None:
    async with sink(Moody(422)) as made:
        await make_queue(running, made)
        run_id = await enqueue(running, None)
        row = await once(running, run_id, RunStatus.DEAD)
    assert (row.attempt, row.error_class, row.error_message) == (
        1, "validation", "127.0.0.1 answered 422 Unprocessable Entity.",
    )  # fmt: skip


async def test_a_receiver_that_says_nothing_is_a_matter_of_the_network(running: Engine) -> None:
    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with sink(hang) as made:
        await make_queue(running, made, timeout_seconds=0.3, max_attempts=1)
        run_id = await enqueue(running, None)
        row = await once(running, run_id, RunStatus.DEAD)
    assert (row.error_class, row.error_code) == ("network", "timed_out")


async def test_an_engine_that_stops_gives_back_what_was_on_its_way(engine: Engine) -> None:
    reached = asyncio.Event()

    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await asyncio.Event().wait()

    engine.settings = replace(engine.settings, engine=EngineSettings(allowed_addresses=["127.0.0.1/32"]))
    dispatcher = Dispatcher(engine)
    await dispatcher.start()
    async with sink(hang) as made:
        await make_queue(engine, made, secret_env="")
        run_id = await enqueue(engine, None)
        await asyncio.wait_for(reached.wait(), 20)
        await asyncio.wait_for(dispatcher.stop(), 20)
        row = await once(engine, run_id, RunStatus.WAITING)
        for finish in engine.finishers:
            await finish()
    assert row.lost == 0
    assert [each.outcome for each in await attempts_of(engine, run_id)] == [AttemptOutcome.GIVEN_BACK]


@pytest.mark.parametrize("payload", [{"order": 7, "ü": [None, True, 1.5]}, None])
async def test_a_replay_is_the_same_message_unless_it_was_edited(running: Engine, payload: Any) -> None:
    async with sink() as made:
        await make_queue(running, made)
        letter = {
            "tenant_id": "acme", "queue": "hooks", "event_type": "refund.sent", "status": "retrying",
            "error_class": "network", "error_code": "http_503", "error_message": "no", "group_id": "x", "run_id": 4_711,
            "created_at": 1, "updated_at": 1, "expires_at": 1, "payload": payload, "metadata": {},
        }  # fmt: skip
        async with running.store.write() as transaction:
            made_letter = await transaction.connection.execute(
                dead_letters.insert().returning(dead_letters.c.id), letter
            )
            letter_id = made_letter.scalar_one()
        same = await enqueue(running, payload, dead_letter_id=letter_id)
        edited = await enqueue(running, {"order": 8}, dead_letter_id=letter_id)
        for run_id in (same, edited):
            await once(running, run_id, RunStatus.COMPLETED)
    assert sorted(each.headers["webhook-id"] for each in made.received) == sorted(["run_4711", f"run_{edited}"])


async def test_an_inside_address_is_refused_when_the_queue_is_made(engine: Engine) -> None:
    for target in ("http://127.0.0.1/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/"):
        with refused(Code.ADDRESS_REFUSED, "engine.allowed_addresses"):
            await changes.put_queue(engine, ROOT, "hooks", QueueSettings(handler=HandlerKind.HTTP, target=target))
    await changes.put_queue(
        engine, ROOT, "hooks", QueueSettings(handler=HandlerKind.HTTP, target="https://example.org/")
    )
    with refused(Code.ADDRESS_REFUSED):
        await changes.change_queue(engine, ROOT, "hooks", QueueChange(target="http://10.0.0.1/"))
