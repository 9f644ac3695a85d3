"""Batches of bulk operations are runs: carried out when due, tried again when that can help, given up otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import BulkStatus
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk import execution, lifecycle
from quarterdeck.engine.bulk.pace import PACES
from quarterdeck.engine.bulk.tables import bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import beating, dispatcher, finishing, handlers, leases, rules, survey
from quarterdeck.engine.runs.dispatcher import Dispatcher
from quarterdeck.engine.runs.handlers import HANDLERS, Handler
from quarterdeck.engine.runs.tables import runs
from tests.engine.runs.world import until
from tests.support.desk import ROOT, Desk, claim_run

Work = Callable[[Engine, Any], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(rules.random, "uniform", lambda low, high: 0.0)


@pytest.fixture
async def running(engine: Engine) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(engine)
    await made.start()
    yield made
    await made.stop()


def carried_out_by(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    kept = HANDLERS["bulk.batch"]
    monkeypatch.setitem(handlers.HANDLERS, "bulk.batch", Handler(work, kept.stalled))


async def started(desk: Desk, count: int = 6, batch: int = 2) -> tuple[int, list[int]]:
    ids = await desk.new(count)
    number = (await desk.draft("set-category", ids, category="x", batch=batch)).operation.id
    await desk.confirm(number)
    return number, ids


async def ended(desk: Desk, number: int) -> Any:
    async def over() -> bool:
        return (await desk.operation(number)).status.is_final

    await until(over)
    return await desk.operation(number)


async def test_a_confirmed_operation_goes_by_itself(desk: Desk, running: Dispatcher) -> None:
    number, _ = await started(desk)
    done = await ended(desk, number)
    assert (done.status, done.succeeded, done.batches_done) == (BulkStatus.COMPLETED, 6, 3)


async def test_what_can_pass_is_tried_again(desk: Desk, running: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    async def busy_twice(engine: Engine, run: Any) -> None:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise Problem(Code.STORE_BUSY, "The store is busy.")
        await execution.work(engine, run)

    carried_out_by(monkeypatch, busy_twice)
    number, ids = await started(desk)
    done = await ended(desk, number)
    assert (done.status, done.succeeded, tries) == (BulkStatus.COMPLETED, 6, 5)
    for item in ids:
        assert len([event for event in await desk.events(item) if event.operation_id == number]) == 1


async def test_a_full_disk_stops_the_operation_and_resume_goes_on(
    desk: Desk, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True

    async def work(engine: Engine, run: Any) -> None:
        if full and run.payload["batch"] == 1:
            raise Problem(Code.STORE_FULL, "The disk under here is full; free some space, then try again.")
        await execution.work(engine, run)

    carried_out_by(monkeypatch, work)
    number, ids = await started(desk, count=7)
    stopped = await ended(desk, number)
    assert (stopped.status, stopped.succeeded, stopped.batches_done) == (BulkStatus.FAILED, 2, 1)
    assert (
        stopped.error
        == "The disk under here is full; free some space, then try again. 2 items are done; resume to go on."
    )
    assert await desk.count("category:x") == 2
    full = False
    resumed = await lifecycle.resume(desk.engine, ROOT, number)
    assert (resumed.status, resumed.error) == (BulkStatus.PENDING, None)
    done = await ended(desk, number)
    assert (done.status, done.succeeded, done.batches_done) == (BulkStatus.COMPLETED, 7, 4)
    for item in ids:
        assert len([event for event in await desk.events(item) if event.operation_id == number]) == 1


async def test_a_mistake_of_ours_stops_the_operation_with_a_sentence(
    desk: Desk, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(engine: Engine, run: Any) -> None:
        raise ZeroDivisionError

    carried_out_by(monkeypatch, work)
    number, _ = await started(desk)
    stopped = await ended(desk, number)
    assert stopped.status is BulkStatus.FAILED
    assert stopped.error == "The engine made a mistake; its log says more. 0 items are done; resume to go on."


async def test_while_the_store_takes_no_note_the_reason_is_told_all_the_same(
    desk: Desk, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    end = finishing.end

    async def work(engine: Engine, run: Any) -> None:
        raise Problem(Code.STORE_FULL, "The disk is full.")

    async def note(*args: Any, **named: Any) -> Any:
        if full:
            raise Problem(Code.STORE_FULL, "The disk is still full.")
        return await end(*args, **named)

    carried_out_by(monkeypatch, work)
    monkeypatch.setattr(finishing, "end", note)
    number, _ = await started(desk)

    async def said() -> bool:
        return (await desk.operation(number)).error is not None

    await until(said)
    stalled = await desk.operation(number)
    assert (stalled.status, stalled.error) == (BulkStatus.PENDING, "The disk is full.")
    full = False
    stopped = await ended(desk, number)
    assert stopped.error == "The disk is full. 0 items are done; resume to go on."
    assert number not in PACES.stalled


async def test_a_restart_takes_up_what_a_dead_engine_held(desk: Desk) -> None:
    number, _ = await started(desk)
    run = await claim_run(desk.engine)
    assert run is not None
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(runs.update().values(worker="engine-dead"))
    if desk.engine.store.dialect.skips_locked:  # several engines share it: the lease has to lapse
        async with desk.engine.store.write() as transaction:
            await transaction.connection.execute(runs.update().values(lease_until=now_ms() - 1))
    again = Dispatcher(desk.engine)
    await again.start()
    try:
        done = await ended(desk, number)
        assert (done.status, done.succeeded) == (BulkStatus.COMPLETED, 6)
    finally:
        await again.stop()


async def test_a_batch_that_kills_its_engine_every_time_is_given_up(desk: Desk) -> None:
    number, _ = await started(desk)
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(runs.update().values(max_attempts=1))
    await claim_run(desk.engine)
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(runs.update().values(lease_until=now_ms() - 1))
    await Dispatcher(desk.engine).rescue()
    stopped = await desk.operation(number)
    assert stopped.status is BulkStatus.FAILED
    assert "The worker stopped each time" in (stopped.error or "")
    await lifecycle.resume(desk.engine, ROOT, number)
    async with desk.engine.store.read() as connection:
        assert len((await connection.execute(select(runs).where(runs.c.status == "waiting"))).all()) == 3


async def test_stopping_finishes_the_batch_in_flight_and_begins_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(engine: Engine, run: Any) -> None:
        began.set()
        await go_on.wait()
        await execution.work(engine, run)

    carried_out_by(monkeypatch, slow)
    made = Dispatcher(desk.engine)
    await made.start()
    number, _ = await started(desk)
    await asyncio.wait_for(began.wait(), 10)
    stopping = asyncio.create_task(made.stop())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(stopping, 10)
    amid = await desk.operation(number)
    assert (amid.status, amid.batches_done, amid.succeeded) == (BulkStatus.IN_PROGRESS, 1, 2)
    async with desk.engine.store.read() as connection:
        statuses = list((await connection.execute(select(runs.c.status).order_by(runs.c.id))).scalars())
    assert statuses == ["completed", "waiting"]


async def test_the_queue_survives_a_store_that_stumbles(
    desk: Desk, running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    stumbles = iter([Problem(Code.STORE_BROKEN, "gone"), ValueError("odd"), Problem(Code.STORE_BUSY, "busy")])
    look = survey.look

    async def stumbling(*args: Any) -> Any:
        for stumble in stumbles:
            raise stumble
        return await look(*args)

    monkeypatch.setattr(survey, "look", stumbling)
    running.look_everywhere()
    number, _ = await started(desk)
    assert (await ended(desk, number)).succeeded == 6


async def test_a_lease_is_kept_while_the_work_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1)
    monkeypatch.setattr(beating, "LOOK_SECONDS", 0.02)
    began = asyncio.Event()
    ends: list[int] = []

    async def slow(engine: Engine, run: Any) -> None:
        async def renewed() -> bool:
            async with engine.store.read() as connection:
                query = select(runs.c.lease_until).where(runs.c.id == run.id)
                ends.append((await connection.execute(query)).scalar_one())
            return len(set(ends)) > 2

        began.set()
        await until(renewed)
        await execution.work(engine, run)

    carried_out_by(monkeypatch, slow)
    made = Dispatcher(desk.engine)
    await made.start()
    try:
        number, _ = await started(desk, count=2)
        await asyncio.wait_for(began.wait(), 10)
        assert (await ended(desk, number)).succeeded == 2
        async with desk.engine.store.read() as connection:
            assert (await connection.execute(select(runs.c.attempt))).scalar_one() == 1
    finally:
        await made.stop()


async def test_resume_waits_for_the_batch_in_flight(desk: Desk) -> None:
    number, _ = await started(desk)
    run = await claim_run(desk.engine)
    assert run is not None
    async with desk.engine.store.write() as transaction:
        await lifecycle.gave_up(desk.engine, transaction, number, Problem(Code.STORE_FULL, "The disk is full."))
    with pytest.raises(Problem, match="still in flight"):
        await lifecycle.resume(desk.engine, ROOT, number)
    await execution.work(desk.engine, run)
    assert (await desk.operation(number)).succeeded == 0
    await lifecycle.resume(desk.engine, ROOT, number)
    async with desk.engine.store.read() as connection:
        assert (await connection.execute(select(bulk_operations.c.cancel_requested))).scalar_one() in (0, False)
