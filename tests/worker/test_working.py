"""What somebody who writes a worker with the helper sees."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from quarterdeck.client.client import Client
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import AttemptOutcome, RunStatus
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from quarterdeck.engine.workers import overview
from quarterdeck.worker import Failed, Job, Worker
from quarterdeck.worker import job as jobs
from quarterdeck.worker.running import WorkerError, _Desk, work
from tests.support.desk import ROOT
from tests.support.serving import served


async def enqueue(engine: Engine, count: int = 1, **values: Any) -> list[int]:
    new = [service.New("refunds", **{"kind": "refund.send", "tenant_id": "acme", **values}) for _ in range(count)]
    async with engine.store.write() as transaction:
        return (await service.enqueue(engine, transaction, new)).ids


async def rows(engine: Engine, *columns: Any) -> list[Any]:
    async with engine.store.read() as connection:
        return list(await connection.execute(select(*columns)))


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.01)


async def ended(engine: Engine, count: int = 1) -> list[Any]:
    """Runs, once so many of them have come to an end."""

    async def all_of_them() -> list[Any]:
        found = await rows(engine, runs)
        over = [row for row in found if row.status not in (RunStatus.WAITING, RunStatus.ACTIVE)]
        return over if len(over) >= count else []

    found: list[Any] = await until(all_of_them)
    return found


def worker_of(engine: Engine, **options: Any) -> Worker:
    return Worker("refunds", **{"name": "w-1", "home": engine.home.path, "grace_seconds": 5, **options})


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work(worker))
    try:
        yield task
    finally:
        worker.stopping.set()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 60)


async def test_ten_lines_make_a_worker(engine: Engine) -> None:
    worker = worker_of(engine)

    @worker.handles("refund.send")
    async def send(job: Job) -> dict[str, Any]:
        job.log(f"refunding {job.payload['order']}")
        return {"refunded": job.payload["order"]}

    await enqueue(engine, 3, payload={"order": 7})
    async with at_work(worker):
        found = await ended(engine, 3)
    assert {row.status for row in found} == {RunStatus.COMPLETED}
    assert [row.result for row in found] == [{"refunded": 7}] * 3
    assert [row.text for row in await rows(engine, run_logs.c.text)] == ["refunding 7"] * 3
    assert {row.worker for row in await rows(engine, run_attempts.c.worker)} == {"w-1"}


async def test_an_engine_behind_a_url_is_worked_for_as_well(engine: Engine) -> None:
    await enqueue(engine)
    async with served(engine, port=True) as url:
        worker = Worker("refunds", name="w-1", url=url)
        worker.handles()(lambda job: "done")
        async with at_work(worker):
            (row,) = await ended(engine)
    assert (row.status, row.result) == (RunStatus.COMPLETED, "done")


async def test_a_plain_function_gets_a_thread_of_its_own(engine: Engine) -> None:
    worker = worker_of(engine, concurrency=12)
    together = threading.Barrier(12)

    @worker.handles()
    def send(job: Job) -> str:
        together.wait(10)  # all twelve at once, more than asyncio has threads
        job.log("from a thread")
        job.progress(0.5)
        return threading.current_thread().name

    await enqueue(engine, 12)
    async with at_work(worker):
        found = await ended(engine, 12)
    assert len({row.result for row in found}) == 12
    assert len(await rows(engine, run_logs)) == 12


def _raise(error: BaseException) -> Any:
    raise error


FAILURES: dict[str, tuple[Callable[[], Any], tuple[str, str], str, bool]] = {
    "as it says": (
        lambda: _raise(Failed("No such order.", code="no_order", error_class="validation")),
        ("validation", "no_order"), "No such order.", False,
    ),
    "an exception": (lambda: _raise(KeyError("x")), ("unknown", "KeyError"), "KeyError: 'x'", True),
    "a connection": (lambda: _raise(ConnectionResetError("gone")), ("network", "ConnectionResetError"), "gone", True),
    "not allowed": (lambda: _raise(PermissionError("no")), ("permission", "PermissionError"), "no", False),
    "nothing said": (lambda: _raise(Failed("")), ("unknown", "failed"), "without saying why", True),
    "the way out": (lambda: _raise(SystemExit(3)), ("unknown", "RuntimeError"), "SystemExit", True),
    "no JSON": (lambda: object(), ("validation", "bad_result"), "what JSON cannot hold", False),
    "not a number": (lambda: float("nan"), ("validation", "bad_result"), "what JSON cannot hold", False),
    "half a character": (lambda: _raise(ValueError("\ud800\0 ")), ("unknown", "ValueError"), "ValueError", True),
    "a result that is no text": (lambda: "\ud800", ("validation", "bad_result"), "cannot be kept", False),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
async def test_a_handler_that_fails(engine: Engine, name: str) -> None:
    handler, (kind, code), words, again = FAILURES[name]
    worker = worker_of(engine)
    worker.handles()(lambda job: handler())
    await enqueue(engine, max_attempts=2)
    async with at_work(worker):
        (row,) = await ended(engine)
    assert (row.error_class, row.error_code) == (kind, code)
    assert words in row.error_message
    assert row.status == (RunStatus.FAILED if again else RunStatus.DEAD)
    (attempt, *_) = await rows(engine, run_attempts)
    assert attempt.outcome == AttemptOutcome.FAILED
    if code in ("KeyError", "ValueError"):
        assert "Traceback" in attempt.detail


@pytest.mark.parametrize("is_plain", [True, False])
async def test_a_handler_that_hangs_costs_its_time_and_no_more(engine: Engine, is_plain: bool) -> None:
    worker = worker_of(engine)
    release = threading.Event()
    told: list[bool] = []

    def plain(job: Job) -> None:
        release.wait(20)
        told.append(job.cancelled.is_set())

    async def hang(job: Job) -> None:
        await asyncio.Event().wait()

    worker.handles()(plain if is_plain else hang)
    await enqueue(engine, timeout_ms=200)
    async with at_work(worker):
        (row,) = await ended(engine)
    assert (row.error_class, row.error_code) == ("timeout", "timed_out")
    release.set()


async def test_a_run_that_is_cancelled_stops(engine: Engine) -> None:
    worker = worker_of(engine, lease_seconds=5)
    began, stopped = asyncio.Event(), asyncio.Event()

    @worker.handles()
    async def send(job: Job) -> None:
        began.set()
        job.progress(0.1)
        try:
            await asyncio.Event().wait()
        finally:
            assert job.cancelled.is_set()
            stopped.set()

    (run_id,) = await enqueue(engine)
    async with at_work(worker):
        await asyncio.wait_for(began.wait(), 10)
        async with engine.store.write() as transaction:
            await transaction.connection.execute(update(runs).values(cancel_requested=True))
        await asyncio.wait_for(stopped.wait(), 10)
        (row,) = await ended(engine)
    assert (row.id, row.status) == (run_id, RunStatus.CANCELLED)


async def test_a_run_that_passed_to_another_is_left_alone(engine: Engine) -> None:
    worker = worker_of(engine, lease_seconds=5)
    began, stopped = asyncio.Event(), asyncio.Event()

    @worker.handles()
    async def send(job: Job) -> None:
        job.progress(0.1)
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    (run_id,) = await enqueue(engine)
    async with at_work(worker):
        await asyncio.wait_for(began.wait(), 10)
        async with engine.store.write() as transaction:
            changed = update(runs).values(lease_token="another's", worker="w-2", lease_until=now_ms() + 60_000)
            await transaction.connection.execute(changed)
        await asyncio.wait_for(stopped.wait(), 10)
    (row,) = await rows(engine, runs)
    assert (row.id, row.status, row.worker) == (run_id, RunStatus.ACTIVE, "w-2")


async def test_a_lease_is_kept_while_the_handler_works(engine: Engine) -> None:
    worker = worker_of(engine, lease_seconds=5)
    release = asyncio.Event()

    @worker.handles()
    async def send(job: Job) -> None:
        await release.wait()

    await enqueue(engine)
    async with at_work(worker):

        async def lease_until() -> int:
            return int((await rows(engine, runs.c.lease_until))[0].lease_until or 0)

        first = await until(lease_until)
        await until(lambda: _later(lease_until, first))
        release.set()
        (row,) = await ended(engine)
    assert row.attempt == 1


async def _later(lease_until: Callable[[], Awaitable[int]], first: int) -> bool:
    return await lease_until() > first


async def test_told_to_stop_it_gives_back_what_is_on_its_way(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, told, ask = worker_of(engine), asyncio.Event(), _Desk._ask
    worker.handles()(lambda job: "done")

    async def slowly(self: _Desk, client: Client, free: int, *, leaving: bool = False) -> list[Any]:
        found = await ask(self, client, free, leaving=leaving)
        if leaving:
            told.set()
        else:
            worker.stopping.set()
            await told.wait()
        return found

    monkeypatch.setattr(_Desk, "_ask", slowly)
    await enqueue(engine)
    async with at_work(worker) as task:
        await asyncio.wait_for(task, 10)
    (row,) = await rows(engine, runs)
    assert (row.status, row.lost, row.retry_count) == (RunStatus.WAITING, 0, 0)


async def test_told_to_stop_it_finishes_what_it_can_and_gives_back_the_rest(engine: Engine) -> None:
    worker = worker_of(engine, grace_seconds=0.3)
    began: list[int] = []

    @worker.handles()
    async def send(job: Job) -> str:
        began.append(job.id)
        await asyncio.sleep(0 if job.payload == "quick" else 60)
        return "done"

    async with at_work(worker) as task:
        (slow,) = await enqueue(engine, payload="slow")
        (quick,) = await enqueue(engine, payload="quick")
        await until(lambda: _both(began))
        worker.stopping.set()
        await asyncio.wait_for(task, 10)
    found = {row.id: row for row in await rows(engine, runs)}
    assert (found[quick].status, found[slow].status) == (RunStatus.COMPLETED, RunStatus.WAITING)
    assert found[slow].lease_token is None
    assert (await overview.health(engine)).instances == []  # it said goodbye


async def _both(began: list[int]) -> bool:
    return len(began) == 2


async def test_stopping_while_nothing_is_there_takes_no_time_and_no_run(engine: Engine) -> None:
    worker = worker_of(engine)
    worker.handles()(lambda job: None)
    async with at_work(worker) as task:
        await until(lambda: _known(engine))
        began = time.monotonic()
        worker.stopping.set()
        await asyncio.wait_for(task, 10)
        assert time.monotonic() - began < 3
    await enqueue(engine)
    (row,) = await rows(engine, runs)
    assert row.status == RunStatus.WAITING


async def _known(engine: Engine) -> bool:
    return bool((await overview.health(engine)).instances)


async def test_it_says_how_it_is(engine: Engine) -> None:
    worker = worker_of(engine, health_port=0, type="refund workers")
    worker.handles()(lambda job: None)
    async with at_work(worker):
        await until(lambda: _known(engine))
        (instance,) = (await overview.health(engine)).instances
        assert (instance.type, instance.queues) == ("refund workers", ["refunds"])
        async with httpx.AsyncClient(base_url=instance.url or "", trust_env=False) as http:
            alive = await http.get("/healthz")
            assert (alive.status_code, alive.json()["name"]) == (200, "w-1")

            async def ready() -> bool:  # once it has heard of its engine
                await enqueue(engine)
                return (await http.get("/readyz")).status_code == 200

            await until(ready)
            assert (await http.get("/passwd")).status_code == 404
            assert (await http.post("/healthz")).status_code == 405
            worker.stopping.set()


async def test_what_the_engine_will_never_allow_ends_the_worker_with_a_sentence(engine: Engine) -> None:
    other = Worker("bulk", home=engine.home.path)
    other.handles()(lambda job: None)
    with pytest.raises(WorkerError, match="carried out by engine"):
        await asyncio.wait_for(work(other), 10)
    with pytest.raises(WorkerError, match="has no handler"):
        await work(worker_of(engine))


async def test_a_queue_that_is_made_later_is_waited_for(engine: Engine) -> None:
    worker = Worker("mail", home=engine.home.path)
    done = asyncio.Event()

    @worker.handles()
    async def send(job: Job) -> None:
        done.set()

    async with at_work(worker):
        await changes.put_queue(engine, ROOT, "mail", QueueSettings())
        async with engine.store.write() as transaction:
            await service.enqueue(engine, transaction, [service.New("mail", "letter", "acme")])
        await asyncio.wait_for(done.wait(), 10)


async def test_a_handler_that_writes_without_end_keeps_memory_bounded(engine: Engine) -> None:
    worker = worker_of(engine)

    @worker.handles()
    def shout(job: Job) -> int:
        for number in range(50_000):
            job.log(f"line {number}")
        return len(job._lines)

    await enqueue(engine)
    async with at_work(worker):
        (row,) = await ended(engine)
    assert row.status == RunStatus.COMPLETED
    assert row.result <= jobs.MOST_LINES_WAITING
    kept = await rows(engine, run_logs.c.text)
    assert len(kept) <= 10_100
    assert any("too fast to be kept" in each.text for each in kept)


def test_what_cannot_be_a_worker_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="concurrency"):
        Worker("refunds", concurrency=0)
    with pytest.raises(ValueError, match="lease_seconds"):
        Worker("refunds", lease_seconds=1)
    worker = Worker("refunds")
    worker.handles("a")(lambda job: None)
    with pytest.raises(ValueError, match="a has a handler"):
        worker.handles("a")(lambda job: None)
    assert worker.kinds == ["a"]
