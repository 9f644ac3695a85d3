"""Workers outside: they take runs, keep them, and say how it went; nobody else can say it for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from quarterdeck.contract.clock import MINUTE, SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import AttemptOutcome, ErrorClass, HandlerKind, LogLevel, RunStatus
from quarterdeck.contract.models import runs as models
from quarterdeck.contract.models.queues import Pause, QueueChange, QueueSettings
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from quarterdeck.engine.workers import leasing, reporting
from tests.support.desk import ACME, ROOT, refused

QUEUE = "refunds"


@pytest.fixture(autouse=True)
async def queue(engine: Engine) -> None:
    """One that workers lease."""
    await make_queue(engine, QUEUE)


async def make_queue(engine: Engine, name: str, **settings: Any) -> None:
    wanted = QueueSettings(**{"handler": HandlerKind.WORKER, **settings})
    await changes.put_queue(engine, ROOT, name, wanted)


async def enqueue(engine: Engine, count: int = 1, *, queue: str = QUEUE, **values: Any) -> list[int]:
    new = [service.New(queue, **{"kind": "refund.send", "tenant_id": "acme", **values}) for _ in range(count)]
    async with engine.store.write() as transaction:
        return (await service.enqueue(engine, transaction, new)).ids


async def lease(engine: Engine, count: int = 1, *, queue: str = QUEUE, gone: Any = None, **asked: Any) -> Any:
    request = models.LeaseRequest(**{"worker": "w-1", "count": count, **asked})
    return (await leasing.lease(engine, ROOT, queue, request, gone)).items


async def row_of(engine: Engine, run_id: int) -> Any:
    async with engine.store.read() as connection:
        return (await connection.execute(select(runs).where(runs.c.id == run_id))).one()


async def attempts_of(engine: Engine, run_id: int) -> list[Any]:
    query = select(run_attempts).where(run_attempts.c.run_id == run_id).order_by(run_attempts.c.number)
    async with engine.store.read() as connection:
        return list(await connection.execute(query))


async def force(engine: Engine, run_id: int, **values: Any) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(runs).where(runs.c.id == run_id).values(**values))


def proof(leased: Any, **more: Any) -> dict[str, Any]:
    return {"attempt": leased.attempt, "lease_token": leased.lease_token, **more}


# ----- taking


async def test_a_worker_takes_what_waits_and_nobody_else_gets_it(engine: Engine) -> None:
    await enqueue(engine, 5, payload={"order": 7})
    first, second = await lease(engine, 3), await lease(engine, 10, worker="w-2")
    assert (len(first), len(second)) == (3, 2)
    assert len({each.id for each in (*first, *second)}) == 5
    taken = first[0]
    assert (taken.queue, taken.kind, taken.tenant_id, taken.payload) == (QUEUE, "refund.send", "acme", {"order": 7})
    assert (taken.attempt, taken.max_attempts, taken.timeout_seconds) == (1, 5, 300)
    row = await row_of(engine, taken.id)
    assert (row.status, row.worker) == (RunStatus.ACTIVE, "w-1")
    assert to_datetime(row.lease_until) == taken.lease_until


async def test_as_many_as_were_asked_for_unless_they_are_too_large_together(engine: Engine) -> None:
    await make_queue(engine, QUEUE, concurrency=1_000)
    await enqueue(engine, 300)
    assert len(await lease(engine, 250)) == 250
    assert len(await lease(engine, 250)) == 50
    await enqueue(engine, 60, payload="x" * 1_000_000)
    assert len(await lease(engine, 250)) == 34  # 32 MiB and a bit
    assert len(await lease(engine, 5)) == 5


async def test_only_the_kinds_that_were_asked_for(engine: Engine) -> None:
    await enqueue(engine, kind="refund.send")
    (wanted,) = await enqueue(engine, kind="refund.check")
    (taken,) = await lease(engine, 5, kinds=["refund.check"])
    assert taken.id == wanted


async def test_where_nothing_waits_the_answer_is_empty_at_once(engine: Engine) -> None:
    assert await lease(engine) == []


async def test_what_is_enqueued_ends_the_wait(engine: Engine) -> None:
    waiting = asyncio.create_task(lease(engine, wait_seconds=60))
    others = asyncio.create_task(lease(engine, wait_seconds=60, kinds=["refund.check"]))
    await asyncio.sleep(0)
    (wanted,) = await enqueue(engine)
    began = asyncio.get_running_loop().time()
    (taken,) = await asyncio.wait_for(waiting, 10)
    assert taken.id == wanted
    assert asyncio.get_running_loop().time() - began < 2
    assert not others.done()
    await enqueue(engine, kind="refund.check")
    assert len(await asyncio.wait_for(others, 10)) == 1


async def test_a_place_that_becomes_free_ends_the_wait(engine: Engine) -> None:
    await make_queue(engine, "narrow", concurrency=1)
    await enqueue(engine, 2, queue="narrow")
    (first,) = await lease(engine, 2, queue="narrow")
    waiting = asyncio.create_task(lease(engine, queue="narrow", wait_seconds=60))
    await asyncio.sleep(0)
    await reporting.complete(engine, ROOT, first.id, models.Completed(**proof(first)))
    assert len(await asyncio.wait_for(waiting, 10)) == 1


async def test_a_paused_queue_gives_nothing_until_it_goes_on(engine: Engine) -> None:
    await enqueue(engine)
    await changes.pause_queue(engine, ROOT, QUEUE, Pause())
    assert await lease(engine) == []
    waiting = asyncio.create_task(lease(engine, wait_seconds=60))
    await asyncio.sleep(0)
    await changes.resume_queue(engine, ROOT, QUEUE, Pause())
    assert len(await asyncio.wait_for(waiting, 10)) == 1


async def test_a_worker_that_went_away_while_it_waited_takes_nothing(engine: Engine) -> None:
    gone = asyncio.Event()
    waiting = asyncio.create_task(lease(engine, wait_seconds=60, gone=gone.wait))
    await asyncio.sleep(0)
    gone.set()
    assert await asyncio.wait_for(waiting, 10) == []
    (run_id,) = await enqueue(engine)
    assert (await row_of(engine, run_id)).status == RunStatus.WAITING


async def test_what_was_taken_for_one_that_just_went_away_is_given_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_id,) = await enqueue(engine)
    gone = asyncio.Event()
    take = leasing._take

    async def and_gone(*args: Any) -> Any:
        found = await take(*args)
        assert found[0]
        gone.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(leasing, "_take", and_gone)
    assert await lease(engine, gone=gone.wait) == []
    row = await row_of(engine, run_id)
    assert (row.status, row.lease_token) == (RunStatus.WAITING, None)


async def test_a_worker_that_leaves_waits_for_nothing_more(engine: Engine) -> None:
    waiting = asyncio.create_task(lease(engine, wait_seconds=60))
    another = asyncio.create_task(lease(engine, wait_seconds=60, worker="w-2"))
    async with asyncio.timeout(10):
        while not waiting.done():
            assert await lease(engine, leaving=True) == []
    assert await waiting == []
    await enqueue(engine)
    assert len(await asyncio.wait_for(another, 10)) == 1


async def test_an_engine_that_stops_ends_every_wait(engine: Engine) -> None:
    waiting = asyncio.create_task(lease(engine, wait_seconds=60))
    await asyncio.sleep(0)
    engine.stopping.set()
    assert await asyncio.wait_for(waiting, 10) == []


async def test_only_a_queue_for_workers_is_leased(engine: Engine) -> None:
    await make_queue(engine, "hooks", handler=HandlerKind.HTTP, target="https://example.org/")
    with refused(Code.WRONG_STATE, "carried out by http"):
        await lease(engine, queue="hooks")
    with refused(Code.NOT_FOUND, "refunds"):
        await lease(engine, queue="refund")
    waiting = asyncio.create_task(lease(engine, wait_seconds=60))
    await asyncio.sleep(0)
    await changes.change_queue(engine, ROOT, QUEUE, QueueChange(handler=HandlerKind.HTTP, target="https://a.example/"))
    await enqueue(engine)
    with refused(Code.WRONG_STATE):
        await asyncio.wait_for(waiting, 10)


async def test_whoever_sees_some_tenants_only_cannot_lease(engine: Engine) -> None:
    with refused(Code.FORBIDDEN, "every tenant"):
        await leasing.lease(engine, ACME, QUEUE, models.LeaseRequest(worker="w"))


# ----- working


async def test_no_worker_is_called_as_engines_are(engine: Engine) -> None:
    """What such a one had would be taken from it whenever an engine starts."""
    with refused(Code.INVALID_INPUT, "as engines are called"):
        await lease(engine, worker="engine-1")


async def test_a_run_is_completed_once(engine: Engine) -> None:
    await enqueue(engine)
    (taken,) = await lease(engine)
    done = await reporting.complete(engine, ROOT, taken.id, models.Completed(**proof(taken, result={"ok": True})))
    assert (done.status, done.attempt) == (RunStatus.COMPLETED, 1)
    row = await row_of(engine, taken.id)
    assert (row.status, row.result) == (RunStatus.COMPLETED, {"ok": True})
    (attempt,) = await attempts_of(engine, taken.id)
    assert (attempt.outcome, attempt.worker) == (AttemptOutcome.COMPLETED, "w-1")
    with refused(Code.LEASE_LOST, f"Run {taken.id} is completed: attempt 1 has ended"):
        await reporting.complete(engine, ROOT, taken.id, models.Completed(**proof(taken)))


async def test_a_failure_keeps_what_was_said_of_it(engine: Engine) -> None:
    await enqueue(engine)
    (taken,) = await lease(engine)
    said = models.FailedAttempt(
        **proof(taken), error_class=ErrorClass.RATE_LIMIT, code="http_429", message="Too many.", detail="slow down",
        retry_after=120,
    )  # fmt: skip
    failed = await reporting.fail(engine, ROOT, taken.id, said)
    assert (failed.status, failed.error_class, failed.error_code) == (
        RunStatus.FAILED, ErrorClass.RATE_LIMIT, "http_429",
    )  # fmt: skip
    row = await row_of(engine, taken.id)
    assert abs(row.run_at - now_ms() - 120 * SECOND) < 30 * SECOND
    (attempt,) = await attempts_of(engine, taken.id)
    assert (attempt.outcome, attempt.error_message, attempt.detail) == (
        AttemptOutcome.FAILED, "Too many.", "slow down",
    )  # fmt: skip


async def test_a_failure_that_cannot_be_retried_ends_the_run(engine: Engine) -> None:
    await enqueue(engine)
    (taken,) = await lease(engine)
    said = models.FailedAttempt(**proof(taken), error_class=ErrorClass.VALIDATION, message="No such order.")
    assert (await reporting.fail(engine, ROOT, taken.id, said)).status is RunStatus.DEAD


async def test_what_is_given_back_does_not_count_and_is_taken_again(engine: Engine) -> None:
    await enqueue(engine, max_attempts=1)
    (taken,) = await lease(engine)
    given = await reporting.give_back(engine, ROOT, taken.id, models.GivenBack(**proof(taken)))
    assert given.status is RunStatus.WAITING
    (again,) = await lease(engine)
    assert again.id == taken.id


async def test_a_heartbeat_keeps_the_lease_and_tells_progress(engine: Engine) -> None:
    await enqueue(engine)
    (taken,) = await lease(engine, seconds=5)
    answer = await reporting.heartbeat(
        engine, ROOT, taken.id, models.Heartbeat(**proof(taken), seconds=60, progress=0.5)
    )
    assert answer.cancel is False
    assert answer.lease_until > taken.lease_until
    assert (await row_of(engine, taken.id)).progress == 0.5


async def test_a_heartbeat_tells_that_nobody_wants_the_run_any_more(engine: Engine) -> None:
    await enqueue(engine)
    (taken,) = await lease(engine)
    await force(engine, taken.id, cancel_requested=True)
    assert (await reporting.heartbeat(engine, ROOT, taken.id, models.Heartbeat(**proof(taken)))).cancel is True
    ended = await reporting.give_back(engine, ROOT, taken.id, models.GivenBack(**proof(taken)))
    assert ended.status is RunStatus.CANCELLED
    (attempt,) = await attempts_of(engine, taken.id)
    assert attempt.outcome == AttemptOutcome.CANCELLED


async def test_heartbeats_do_not_keep_a_run_beyond_its_time(engine: Engine) -> None:
    """A worker whose handler hangs can go on beating for ever."""
    await enqueue(engine, timeout_ms=60_000)
    (taken,) = await lease(engine)
    started = now_ms() - 55 * SECOND
    await force(engine, taken.id, started_at=started)
    answer = await reporting.heartbeat(engine, ROOT, taken.id, models.Heartbeat(**proof(taken), seconds=3_600))
    assert answer.cancel is False
    assert answer.lease_until <= to_datetime(started + 72 * SECOND)
    await force(engine, taken.id, started_at=started - 10 * SECOND)
    again = await reporting.heartbeat(engine, ROOT, taken.id, models.Heartbeat(**proof(taken), seconds=3_600))
    assert again.cancel is True
    assert again.lease_until == answer.lease_until


async def test_lines_are_kept_in_order_with_times_that_can_be_true(engine: Engine) -> None:
    """Whatever the worker's own clock says."""
    await enqueue(engine)
    (taken,) = await lease(engine)
    now = now_ms()
    times = [None, to_datetime(now), to_datetime(now + 90 * MINUTE), to_datetime(now - 90 * MINUTE)]
    lines = [models.NewLogLine(text=f"line {number}", at=at) for number, at in enumerate(times)]
    lines.append(models.NewLogLine(text="last", level=LogLevel.ERROR))
    taken_in = await reporting.log(engine, ROOT, taken.id, models.NewLog(**proof(taken), lines=lines))
    assert (taken_in.kept, taken_in.dropped) == (5, 0)
    async with engine.store.read() as connection:
        found = (await connection.execute(select(run_logs).order_by(run_logs.c.id))).all()
    assert [each.text for each in found] == ["line 0", "line 1", "line 2", "line 3", "last"]
    assert all(abs(each.at - now) < MINUTE for each in found)
    assert found[-1].level == LogLevel.ERROR


# ----- refusals


Word = Callable[[Engine, int, dict[str, Any]], Awaitable[Any]]


async def _beat(engine: Engine, run_id: int, held: dict[str, Any]) -> Any:
    return await reporting.heartbeat(engine, ROOT, run_id, models.Heartbeat(**held))


async def _log(engine: Engine, run_id: int, held: dict[str, Any]) -> Any:
    return await reporting.log(engine, ROOT, run_id, models.NewLog(**held, lines=[models.NewLogLine(text="x")]))


async def _complete(engine: Engine, run_id: int, held: dict[str, Any]) -> Any:
    return await reporting.complete(engine, ROOT, run_id, models.Completed(**held))


async def _fail(engine: Engine, run_id: int, held: dict[str, Any]) -> Any:
    return await reporting.fail(engine, ROOT, run_id, models.FailedAttempt(**held, message="no"))


async def _give_back(engine: Engine, run_id: int, held: dict[str, Any]) -> Any:
    return await reporting.give_back(engine, ROOT, run_id, models.GivenBack(**held))


WORDS = pytest.mark.parametrize("word", [_beat, _log, _complete, _fail, _give_back], ids=lambda word: word.__name__)


@WORDS
async def test_a_wrong_proof_is_refused_and_says_what_is_wrong(engine: Engine, word: Word) -> None:
    await enqueue(engine)
    (taken,) = await lease(engine)
    before = await row_of(engine, taken.id)
    with refused(Code.LEASE_LOST, "token is not the one of attempt 1"):
        await word(engine, taken.id, proof(taken, lease_token="guessed"))
    with refused(Code.LEASE_LOST, "has had 1 attempts; 2 is none"):
        await word(engine, taken.id, proof(taken, attempt=2))
    with refused(Code.NOT_FOUND, "no run"):
        await word(engine, taken.id + 1_000, proof(taken))
    assert await row_of(engine, taken.id) == before


@WORDS
async def test_a_lapsed_lease_cannot_speak_for_the_run(engine: Engine, word: Word) -> None:
    """Two workers under one name: the slow one of them is told apart by its token."""
    await enqueue(engine)
    (slow,) = await lease(engine)
    await force(engine, slow.id, lease_until=now_ms() - 1)
    async with engine.store.write() as transaction:
        assert await service.rescue(engine, transaction) == [slow.id]
    with refused(Code.LEASE_LOST, "attempt 1 has ended"):
        await word(engine, slow.id, proof(slow))
    (again,) = await lease(engine)
    assert (again.id, again.attempt) == (slow.id, 2)
    with refused(Code.LEASE_LOST, "took too long; another worker has the run now"):
        await word(engine, slow.id, proof(slow))
    assert (await row_of(engine, slow.id)).lease_token == again.lease_token
    await reporting.complete(engine, ROOT, again.id, models.Completed(**proof(again)))
    outcomes = [each.outcome for each in await attempts_of(engine, slow.id)]
    assert outcomes == [AttemptOutcome.LOST, AttemptOutcome.COMPLETED]


@WORDS
async def test_a_run_of_another_tenant_is_not_there(
    engine: Engine, word: Word, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enqueue(engine, tenant_id="globex")
    (taken,) = await lease(engine)
    monkeypatch.setitem(globals(), "ROOT", ACME)
    with refused(Code.NOT_FOUND):
        await word(engine, taken.id, proof(taken))


async def test_a_run_that_kills_its_worker_three_times_is_poison(engine: Engine) -> None:
    (run_id,) = await enqueue(engine, max_attempts=10)
    for _ in range(3):
        (taken,) = await lease(engine)
        await force(engine, taken.id, lease_until=now_ms() - 1)
        async with engine.store.write() as transaction:
            await service.rescue(engine, transaction)
    row = await row_of(engine, run_id)
    assert (row.status, row.error_code, row.lost) == (RunStatus.DEAD, "poison", 3)
