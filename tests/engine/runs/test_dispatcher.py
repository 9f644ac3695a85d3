"""The dispatcher: takes what may start, has it done, and notes how it ended, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from quarterdeck.config.home import Home
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import ErrorClass, HandlerKind, LogLevel
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import beating, dispatcher, finishing, leases, relaying, rules, service
from quarterdeck.engine.runs.dispatcher import Dispatcher
from quarterdeck.engine.runs.executors import EXECUTORS, Context, Failure
from quarterdeck.engine.runs.logs import DROPPED, MOST_LINES
from quarterdeck.engine.runs.outcomes import Claimed
from quarterdeck.engine.runs.relaying import Relay
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.store import Store
from tests.engine.runs.world import (
    add,
    attempts,
    claim,
    finish,
    log_of,
    make_queue,
    rescue,
    row,
    status,
    tallied,
    until,
)
from tests.support.desk import make_engine


class Work:
    """What an executor does with each run, said by the test: by payload, or for all."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.stopped: list[int] = []

    async def __call__(self, engine: Engine, run: Claimed, settings: Any, context: Context) -> Any:
        self.begun.append(run.id)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(0)
            match run.payload:
                case "wait":
                    await self.gate.wait()
                case "for ever":
                    await asyncio.sleep(600)
                case "fail":
                    raise Failure(ErrorClass.NETWORK, "503", "no answer")
                case "fail once" if run.attempt == 1:
                    raise Failure(ErrorClass.RATE_LIMIT, "429", "slow down", retry_after=0.05)
                case "mistake":
                    raise ZeroDivisionError
                case "set":
                    return {1, 2}
                case "chatter":
                    for number in range(MOST_LINES + 500):
                        await context.log(LogLevel.INFO, f"line {number}")
            return {"attempt": run.attempt}
        except asyncio.CancelledError:
            self.stopped.append(run.id)
            raise
        finally:
            self.at_once -= 1


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setitem(EXECUTORS, HandlerKind.HTTP, made)
    monkeypatch.setattr(rules.random, "uniform", lambda low, high: 0.0)
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(dispatcher, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", {True: 600.0, False: 600.0})
    monkeypatch.setattr(beating, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr("quarterdeck.engine.runs.attempts.STOP_SECONDS", 0.02)
    return made


@pytest.fixture
async def running(engine: Engine, work: Work) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(engine)
    await made.start()
    yield made
    work.gate.set()
    await made.stop()


async def http_queue(engine: Engine, **settings: Any) -> None:
    await make_queue(engine, handler=HandlerKind.HTTP, target="https://example.org/", **settings)


async def ended(engine: Engine, *ids: int) -> list[str]:
    async def over() -> bool:
        return all(each in ("completed", "dead", "cancelled") for each in await status(engine, *ids))

    await until(over)
    return await status(engine, *ids)


async def begun(work: Work, count: int) -> None:
    async def there() -> bool:
        return len(work.begun) >= count

    await until(there)


async def test_what_is_enqueued_is_taken_at_once(engine: Engine, running: Dispatcher) -> None:
    """Guards `arrivals`: looks of its own come every ten minutes here."""
    await http_queue(engine)
    began = time.monotonic()
    for _ in range(10):
        (number,) = await add(engine)
        assert await ended(engine, number) == ["completed"]
    assert time.monotonic() - began < 5
    assert (await row(engine, number)).result == {"attempt": 1}
    assert await tallied(engine) == {"completed": 10}


async def test_large_payloads_come_a_few_at_a_time(
    engine: Engine, running: Dispatcher, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards the memory of the engine: whatever the queue's concurrency, only so much of them is held."""
    monkeypatch.setattr(dispatcher, "MOST_CHARACTERS", 250_000)
    work.gate.clear()
    await http_queue(engine, concurrency=100)
    await make_queue(engine, "other", handler=HandlerKind.HTTP, target="https://example.org/", concurrency=100)
    ids = await add(engine, *(["x" * 100_000] * 20))
    assert await ended(engine, *ids) == ["completed"] * 20
    assert work.most_at_once <= 3
    small = await add(engine, *(["wait"] * 50), queue="other")
    await begun(work, 70)
    work.gate.set()
    assert await ended(engine, *small) == ["completed"] * 50


async def test_a_queue_whose_payloads_had_no_room_is_looked_at_when_there_is_some(
    engine: Engine, running: Dispatcher, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "MOST_CHARACTERS", 10)
    await http_queue(engine, concurrency=100)
    await make_queue(engine, "other", handler=HandlerKind.HTTP, target="https://example.org/", concurrency=100)
    ids = [*await add(engine, *(["x" * 20] * 5)), *await add(engine, *(["x" * 20] * 5), queue="other")]
    assert await ended(engine, *ids) == ["completed"] * 10
    assert work.most_at_once <= 2  # one of each queue


async def test_a_run_that_fails_comes_again_and_every_attempt_is_kept(engine: Engine, running: Dispatcher) -> None:
    await http_queue(engine, max_attempts=3)
    once, always = await add(engine, "fail once", "fail")
    assert await ended(engine, once, always) == ["completed", "dead"]
    assert [(each.outcome, each.error_code) for each in await attempts(engine, once)] == [
        ("failed", "429"), ("completed", None),
    ]  # fmt: skip
    first, second = await attempts(engine, once)
    assert second.started_at >= first.retry_at >= first.ended_at + 50, "the receiver said when"
    assert [each.number for each in await attempts(engine, always)] == [1, 2, 3]
    assert (await row(engine, always)).error_message == "no answer"


async def test_a_scheduled_run_is_taken_at_its_time(engine: Engine, running: Dispatcher) -> None:
    await http_queue(engine)
    due = now_ms() + 1_500
    (number,) = await add(engine, run_at=due)
    assert await status(engine, number) == ["scheduled"]
    assert await ended(engine, number) == ["completed"]
    assert due <= (await row(engine, number)).started_at < due + 2_000


async def test_a_deadline_during_a_blocked_loop_is_not_lost(
    store: Store, engine: Engine, engine_home: Home, running: Dispatcher
) -> None:
    """Guards the `due` of a survey: what is due lives in the table, so a timer that came late has missed nothing."""
    await http_queue(engine)
    scheduled = await add(make_engine(store, engine_home), 1, 2, run_at=now_ms() + 300)  # nobody here heard of it
    running.look_everywhere()
    await asyncio.sleep(0.1)
    time.sleep(0.5)  # noqa: ASYNC251
    assert await ended(engine, *scheduled) == ["completed"] * 2


async def test_an_attempt_gets_its_time_and_no_more(engine: Engine, running: Dispatcher) -> None:
    await http_queue(engine, timeout_seconds=0.1, max_attempts=1)
    (number,) = await add(engine, "for ever")
    assert await ended(engine, number) == ["dead"]
    dead = await row(engine, number)
    assert (dead.error_class, dead.error_code) == ("timeout", "timeout")
    assert "after 0.1 seconds" in dead.error_message


async def test_a_pause_starts_nothing_new_and_what_is_at_work_goes_on(
    engine: Engine, running: Dispatcher, work: Work
) -> None:
    await http_queue(engine, concurrency=1)
    work.gate.clear()
    first, second = await add(engine, "wait", "wait")
    await begun(work, 1)
    await http_queue(engine, concurrency=1, paused=True)
    work.gate.set()
    assert await ended(engine, first) == ["completed"]
    assert await status(engine, second) == ["waiting"]
    assert work.begun == [first]
    await http_queue(engine, concurrency=1)
    assert await ended(engine, second) == ["completed"]


async def test_no_more_are_at_work_than_allowed_and_more_at_once_after_a_change(
    engine: Engine, running: Dispatcher, work: Work
) -> None:
    await http_queue(engine, concurrency=3)
    work.gate.clear()
    ids = await add(engine, *["wait"] * 12)
    await begun(work, 3)
    assert await status(engine, *ids) == ["active"] * 3 + ["waiting"] * 9
    await http_queue(engine, concurrency=5)
    await begun(work, 5)
    assert work.most_at_once == 5
    work.gate.set()
    assert await ended(engine, *ids) == ["completed"] * 12
    assert work.most_at_once == 5
    assert sorted(work.begun) == ids


async def test_a_mistake_is_a_failure_that_is_not_tried_again(engine: Engine, running: Dispatcher) -> None:
    await http_queue(engine)
    mistake, odd = await add(engine, "mistake", "set")
    assert await ended(engine, mistake, odd) == ["dead", "dead"]
    assert (await row(engine, mistake)).error_message == "The engine made a mistake; its log says more."
    assert (await row(engine, odd)).error_code == "bad_result"


async def test_what_is_cancelled_at_work_is_told(engine: Engine, running: Dispatcher, work: Work) -> None:
    await http_queue(engine)
    (number,) = await add(engine, "for ever")
    await begun(work, 1)
    async with engine.store.write() as transaction:
        await service.cancel(engine, transaction, runs.c.id == number)
    assert await ended(engine, number) == ["cancelled"]
    assert work.stopped == [number]
    assert [each.outcome for each in await attempts(engine, number)] == ["cancelled"]


async def test_a_lease_that_passed_on_stops_the_work_here(
    engine: Engine, running: Dispatcher, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards the check of `alive` in `beating.once`: two at work on one run."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1)
    await http_queue(engine, paused=False)
    (number,) = await add(engine, "for ever")
    await begun(work, 1)
    await http_queue(engine, paused=True)
    assert await rescue(engine, number) == [number]

    async def stopped() -> bool:
        return work.stopped == [number] and not running.at_work

    await until(stopped)
    assert await status(engine, number) == ["waiting"]
    assert [each.outcome for each in await attempts(engine, number)] == ["lost"]


async def test_an_orderly_stop_gives_back_and_takes_nothing(engine: Engine, work: Work) -> None:
    made = Dispatcher(engine)
    await made.start()
    await http_queue(engine, concurrency=1)
    working, waiting = await add(engine, "for ever", "wait")
    await begun(work, 1)
    await made.stop()
    assert await status(engine, working, waiting) == ["waiting", "waiting"]
    assert [each.outcome for each in await attempts(engine, working)] == ["given_back"]
    assert (await row(engine, working)).retry_count == 0
    assert work.begun == [working]


async def test_what_the_store_does_not_take_is_noted_when_it_does(
    engine: Engine, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = 0
    end = finishing.end

    async def refusing(*args: Any) -> Any:
        nonlocal refusals
        refusals += 1
        if refusals <= 3:
            raise Problem(Code.STORE_FULL, "The disk is full.")
        return await end(*args)

    monkeypatch.setattr(finishing, "end", refusing)
    await http_queue(engine)
    ids = await add(engine, 1, 2, 3)
    assert await ended(engine, *ids) == ["completed"] * 3
    for number in ids:
        assert len(await attempts(engine, number)) == 1


async def test_one_end_that_cannot_be_written_does_not_keep_the_others(
    engine: Engine, running: Dispatcher, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards `_one_by_one`."""
    end = finishing.end
    bad: list[int] = []

    async def choking(engine_: Any, transaction: Any, moves: Any, outcomes: Any) -> Any:
        if any(each.id in bad and type(each).__name__ == "Completed" for each in outcomes):
            raise ValueError("cannot be written")
        return await end(engine_, transaction, moves, outcomes)

    monkeypatch.setattr(finishing, "end", choking)
    await http_queue(engine, max_attempts=1)
    work.gate.clear()
    ids = await add(engine, "wait", "wait", "wait")
    bad.append(ids[1])
    work.gate.set()
    assert await ended(engine, *ids) == ["completed", "dead", "completed"]
    assert "could not be written down" in (await row(engine, ids[1])).error_message


async def test_what_an_attempt_writes_is_kept_in_order_up_to_a_bound(engine: Engine, running: Dispatcher) -> None:
    await http_queue(engine)
    (number,) = await add(engine, "chatter")
    await ended(engine, number)

    async def written() -> bool:
        return len(await log_of(engine, number)) > MOST_LINES

    await until(written)
    lines = await log_of(engine, number)
    assert lines == [f"line {each}" for each in range(MOST_LINES)] + [DROPPED]


async def test_queues_of_workers_outside_are_left_to_them(engine: Engine, running: Dispatcher, work: Work) -> None:
    await make_queue(engine, "outside")
    await http_queue(engine)
    (outside,) = await add(engine, queue="outside")
    (inside,) = await add(engine)
    assert await ended(engine, inside) == ["completed"]
    assert await status(engine, outside) == ["waiting"]
    (run,) = await claim(engine, queue="outside")
    await finish(engine, service.Completed(*run.held))
    assert work.begun == [inside]


@pytest.mark.parametrize("store_kind", ["postgresql"])
async def test_two_engines_on_one_store_do_each_run_once(
    store: Store, engine: Engine, engine_home: Home, running: Dispatcher, work: Work
) -> None:
    """Its limit holds for both together; see also the claims at once in `test_service`."""
    other = make_engine(store, engine_home)
    second = Dispatcher(other)
    await second.start()
    try:
        await http_queue(engine, concurrency=4)
        scheduled = await add(engine, *range(30), run_at=now_ms() + 100)
        made = await add(engine, *range(30))
        for _ in range(30):
            made += await add(other, "wait")
        running.look_everywhere()
        second.look_everywhere()

        async def over() -> bool:
            running.look_everywhere()
            second.look_everywhere()
            return all(each == "completed" for each in await status(engine, *made, *scheduled))

        await until(over, 30)
        assert sorted(work.begun) == sorted([*made, *scheduled]), "each once"
        assert work.most_at_once <= 4
        assert await tallied(engine) == {"completed": 90}
    finally:
        await second.stop()


async def test_what_another_engine_enqueues_is_taken_at_once(
    store: Store, engine: Engine, engine_home: Home, running: Dispatcher
) -> None:
    """Guards `relaying`: looks of its own come every ten minutes here."""
    if not store.dialect.skips_locked:
        return  # one engine a store
    other = make_engine(store, engine_home)
    relay = Relay(other)
    relay.start()
    try:
        async with asyncio.timeout(20):
            await asyncio.gather(relay.listens.wait(), running.relay.listens.wait())
        await http_queue(engine)
        for moment in (None, now_ms() + 200):
            for _ in range(3):
                (number,) = await add(other, run_at=moment)
                assert await ended(engine, number) == ["completed"]
    finally:
        await relay.stop()


async def test_engines_that_lost_their_line_to_each_other_find_it_again(
    store: Store, engine: Engine, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not store.dialect.skips_locked:
        return
    monkeypatch.setattr(relaying, "RETRY_SECONDS", 0.05)
    async with asyncio.timeout(20):
        await running.relay.listens.wait()
        async with store.read() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            await connection.execute(text(others + " AND datname = current_database()"))

        async def is_lost() -> bool:
            return not running.relay.listens.is_set()

        await until(is_lost)
        await running.relay.listens.wait()
