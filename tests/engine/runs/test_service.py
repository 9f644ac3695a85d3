"""Runs: due in order, claimed once, ended only by whoever holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from quarterdeck.contract.clock import HOUR, now_ms
from quarterdeck.contract.enums import ErrorClass, RunStatus
from quarterdeck.contract.problems import Code
from quarterdeck.contract.transitions import RUN_TRANSITIONS, can_move
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import leases, service
from quarterdeck.engine.runs.outcomes import Cancelled, Claimed, Completed, GivenBack, Held, Outcome
from quarterdeck.engine.runs.service import New
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, record
from tests.engine.runs.world import (
    QUEUE,
    add,
    attempts,
    claim,
    failed,
    finish,
    force,
    make_queue,
    rescue,
    row,
    status,
    tallied,
    until,
)
from tests.support.desk import refused, wipe

End = Callable[[Claimed], Outcome]


def completed(run: Claimed) -> Outcome:
    return Completed(*run.held, '{"sent":1}')


def cancelled(run: Claimed) -> Outcome:
    return Cancelled(*run.held)


def given_back(run: Claimed) -> Outcome:
    return GivenBack(*run.held)


def failing(run: Claimed) -> Outcome:
    return failed(run, ErrorClass.VALIDATION)


def failing_for_now(run: Claimed) -> Outcome:
    return failed(run, retry_after=3_600)


ENDS: list[tuple[End, RunStatus]] = [
    (completed, RunStatus.COMPLETED),
    (cancelled, RunStatus.CANCELLED),
    (given_back, RunStatus.WAITING),
    (failing, RunStatus.DEAD),
    (failing_for_now, RunStatus.FAILED),
]


@pytest.fixture(autouse=True)
async def queue(engine: Engine) -> None:
    await make_queue(engine)


async def test_what_is_due_comes_in_order_and_once(engine: Engine) -> None:
    await make_queue(engine, "another")
    (later,) = await add(engine, run_at=now_ms() + HOUR)
    second, third = await add(engine, 1, 2)
    (first,) = await add(engine, priority=0)
    await add(engine, queue="another")
    assert [run.id for run in await claim(engine, 2)] == [first, second]
    assert [run.id for run in await claim(engine, 2)] == [third]
    assert await claim(engine) == []
    assert await status(engine, later) == ["scheduled"]


async def test_a_claim_is_a_lease(engine: Engine) -> None:
    (number,) = await add(engine, {"n": 1})
    (run,) = await claim(engine)
    assert (run.id, run.attempt, run.payload, run.max_attempts) == (number, 1, {"n": 1}, 5)
    held = await row(engine, number)
    assert (held.status, held.attempt, held.lease_token, held.worker) == ("active", 1, run.lease_token, "w")
    assert 0 < held.lease_until - now_ms() <= 30_000
    assert held.lease_until == run.lease_until


async def test_what_is_not_said_comes_from_the_queue(engine: Engine) -> None:
    await make_queue(engine, max_attempts=9, priority="urgent", timeout_seconds=7)
    (number,) = await add(engine)
    assert (await row(engine, number)).max_attempts == 9
    assert (await row(engine, number)).priority == 0
    await make_queue(engine, timeout_seconds=8)
    (run,) = await claim(engine)
    assert run.timeout_ms == 8_000
    async with engine.store.write() as transaction:
        with refused(Code.NOT_FOUND, "no queue quue. "):
            await service.enqueue(engine, transaction, [New("quue", "kind", "acme")])


@pytest.mark.parametrize(("how", "after"), ENDS)
async def test_whoever_holds_the_lease_ends_it(engine: Engine, how: End, after: RunStatus) -> None:
    (number,) = await add(engine)
    (run,) = await claim(engine)
    assert await finish(engine, how(run)) == []
    ended = await row(engine, number)
    assert ended.status == after
    assert can_move(RUN_TRANSITIONS, RunStatus.ACTIVE, after)
    assert (ended.lease_token, ended.lease_until) == (None, None)
    assert await tallied(engine) == {str(after): 1}
    (attempt,) = await attempts(engine, number)
    expected = {"waiting": "given_back", "dead": "failed"}.get(after, after)
    assert (attempt.number, attempt.outcome, attempt.worker) == (1, expected, "w")
    if how in (failing, failing_for_now):
        assert (ended.error_code, ended.error_message) == ("503", "no answer") == (
            attempt.error_code, attempt.error_message
        )  # fmt: skip
        assert attempt.retry_at == (ended.run_at if after is RunStatus.FAILED else None)
    if how is given_back:
        assert (ended.max_attempts, ended.retry_count) == (6, 0), "the attempt does not count"
    if how is completed:
        assert ended.result == {"sent": 1}


@pytest.mark.parametrize("stale", ["token", "attempt", "id", "ended", "rescued"])
async def test_nobody_else_does(engine: Engine, stale: str) -> None:
    """Fencing: id, attempt and token must all be those of the claim in force. Guards `leases.still_held`."""
    for how, _ in ENDS:
        await wipe(engine.store)
        await make_queue(engine)
        (number,) = await add(engine)
        (run,) = await claim(engine)
        if stale == "token":
            run = replace(run, lease_token="another")
        elif stale == "attempt":
            run = replace(run, attempt=2)
        elif stale == "id":
            (other,) = await add(engine)
            await claim(engine)
            run = replace(run, id=other)
        elif stale == "ended":
            await finish(engine, completed(run))
        else:
            await rescue(engine, number)
            (again,) = await claim(engine)
            assert (again.id, again.attempt) == (number, 2)
        before, kept = await row(engine, number), await attempts(engine, number)
        assert await finish(engine, how(run)) == [run.id]
        assert await row(engine, number) == before
        assert await attempts(engine, number) == kept
        async with engine.store.write() as transaction:
            with refused(Code.LEASE_LOST, "took too long; another worker has the run now"):
                await service.heartbeat(engine, transaction, Held(*run.held), 30)


async def test_a_heartbeat_keeps_the_lease(engine: Engine) -> None:
    (number,) = await add(engine)
    (run,) = await claim(engine)
    async with engine.store.write() as transaction:
        until, stop = await service.heartbeat(engine, transaction, Held(*run.held), 600, 0.25)
    held = await row(engine, number)
    assert (held.lease_until, held.progress, stop) == (until, 0.25, False)
    assert until > run.lease_until
    async with engine.store.write() as transaction:
        await service.heartbeat(engine, transaction, Held(*run.held), 600)
    assert (await row(engine, number)).progress == 0.25


async def test_a_refused_end_takes_its_work_with_it(engine: Engine) -> None:
    """What was written beside the end of a run that was lost is not committed."""
    (number,) = await add(engine)
    (run,) = await claim(engine)
    await rescue(engine, number)
    with refused(Code.LEASE_LOST):
        async with engine.store.write() as transaction:
            await service.enqueue(engine, transaction, [New(QUEUE, "written beside", "acme")])
            await service.complete(engine, transaction, run)
    async with engine.store.read() as connection:
        assert len((await connection.execute(select(runs))).all()) == 1


async def test_many_end_in_one_transaction(engine: Engine) -> None:
    await make_queue(engine, concurrency=100)
    ids = await add(engine, *range(50))
    claimed = await claim(engine, 50)
    assert [run.id for run in claimed] == ids
    assert len({run.lease_token for run in claimed}) == 1
    lost = replace(claimed[7], lease_token="another")
    outcomes = [completed(run) for run in claimed[:7]] + [completed(lost)] + [failing(run) for run in claimed[8:]]
    assert await finish(engine, *outcomes) == [lost.id]
    assert await status(engine, *ids) == ["completed"] * 7 + ["active"] + ["dead"] * 42
    assert await tallied(engine) == {"completed": 7, "active": 1, "dead": 42}


async def test_lost_leases_are_rescued_and_only_those(engine: Engine) -> None:
    """Guards the condition on `lease_until` in `finishing.rescue`."""
    lost, held, waiting = await add(engine, 1, 2, 3)
    await claim(engine, 2)
    assert await rescue(engine, lost) == [lost]
    assert await status(engine, lost, held, waiting) == ["waiting", "active", "waiting"]
    after = await row(engine, lost)
    assert (after.error_code, after.lost, after.attempt) == (Code.LEASE_LOST, 1, 1)
    (attempt,) = await attempts(engine, lost)
    assert (attempt.outcome, attempt.error_message) == ("lost", "The worker stopped without a word.")


async def test_a_new_engine_takes_back_what_a_dead_one_held_and_nothing_else(engine: Engine) -> None:
    of_engine, of_worker = await add(engine, 1, 2)
    await claim(engine, worker="engine-12345678")
    await claim(engine, worker="loading dock")
    assert await rescue(engine, all_of_engines=True) == [of_engine]
    assert await status(engine, of_engine, of_worker) == ["waiting", "active"]
    assert (await row(engine, of_engine)).lost == 0, "an engine's death is not the fault of what it worked on"


async def test_attempts_are_used_up(engine: Engine) -> None:
    (number,) = await add(engine, max_attempts=2)
    for expected in ("waiting", "dead"):
        await claim(engine)
        await rescue(engine, number)
        assert await status(engine, number) == [expected]
    assert await claim(engine) == []
    assert len(await attempts(engine, number)) == 2


async def test_what_kills_its_worker_three_times_is_poison(engine: Engine) -> None:
    """Guards MOST_LOST in `rules`; without it the run would take all ten workers."""
    (number,) = await add(engine, max_attempts=10)
    for _ in range(3):
        (run,) = await claim(engine)
        assert run.id == number
        await rescue(engine, number)
    dead = await row(engine, number)
    assert (dead.status, dead.error_code, dead.lost) == ("dead", "poison", 3)
    assert await claim(engine) == []
    assert [each.outcome for each in await attempts(engine, number)] == ["lost"] * 3


async def test_a_failed_run_comes_again_at_its_time(engine: Engine) -> None:
    (number,) = await add(engine)
    (run,) = await claim(engine)
    await finish(engine, failing_for_now(run))
    assert await claim(engine) == []
    await force(engine, number, run_at=now_ms())
    assert await staged(engine) == {QUEUE}
    (again,) = await claim(engine)
    assert (again.id, again.attempt) == (number, 2)
    assert (await row(engine, number)).retry_count == 1


async def staged(engine: Engine) -> set[str]:
    from quarterdeck.engine.runs.enqueuing import stage
    from quarterdeck.engine.series.recording import Moves, record

    async with engine.store.write() as transaction:
        moves = Moves()
        queues = await stage(engine, transaction, moves)
        await record(transaction, engine.store.dialect, moves)
    return queues


async def test_two_clocks_on_one_store_make_a_scheduled_run_wait_once(engine: Engine) -> None:
    """Guards `lock_skipping` and the status in `enqueuing.stage`: a run staged twice would be counted twice."""
    ids = await add(engine, *range(40), run_at=now_ms() + HOUR)
    for number in ids:
        await force(engine, number, run_at=1)
    await asyncio.gather(*(staged(engine) for _ in range(6)))
    assert await status(engine, *ids) == ["waiting"] * 40
    assert await tallied(engine) == {"waiting": 40}


async def test_cancelling_what_has_not_begun(engine: Engine) -> None:
    (scheduled,) = await add(engine, operation_id=7, run_at=now_ms() + HOUR)
    (waiting,) = await add(engine, operation_id=7)
    (other,) = await add(engine, operation_id=8)
    (run,) = await claim(engine)
    await finish(engine, failing_for_now(run))
    async with engine.store.write() as transaction:
        await service.cancel_waiting(engine, transaction, 7)
        assert await service.active_of(transaction.connection, 7) == 0
    assert await status(engine, scheduled, waiting, other) == ["cancelled", "cancelled", "waiting"]
    assert await tallied(engine) == {"cancelled": 2, "waiting": 1}


@pytest.mark.parametrize("how", [failing, failing_for_now, given_back])
async def test_cancelling_beats_retrying(engine: Engine, how: End) -> None:
    """Guards the last rule of `rules.decide`: what was cancelled at work gets no other attempt."""
    (number,) = await add(engine)
    (run,) = await claim(engine)
    async with engine.store.write() as transaction:
        assert await service.cancel(engine, transaction, runs.c.id == number) == [number]
    async with engine.store.write() as transaction:
        _, stop = await service.heartbeat(engine, transaction, Held(*run.held), 30)
    assert stop
    await finish(engine, how(run))
    assert await status(engine, number) == ["cancelled"]
    assert await tallied(engine) == {"cancelled": 1}


async def test_a_cancelled_run_that_was_lost_stays_cancelled(engine: Engine) -> None:
    (number,) = await add(engine)
    await claim(engine)
    async with engine.store.write() as transaction:
        await service.cancel(engine, transaction, select(runs.c.id).where(runs.c.kind == "kind"))
    await rescue(engine, number)
    assert await status(engine, number) == ["cancelled"]


async def test_work_that_was_done_is_done_though_somebody_wanted_to_cancel_it(engine: Engine) -> None:
    (number,) = await add(engine)
    (run,) = await claim(engine)
    async with engine.store.write() as transaction:
        await service.cancel(engine, transaction, runs.c.id == number)
    await finish(engine, completed(run))
    assert await status(engine, number) == ["completed"]


async def test_whether_there_is_anything_to_do(engine: Engine) -> None:
    assert not await service.anything_to_do(engine)
    await add(engine)
    assert await service.anything_to_do(engine)
    (run,) = await claim(engine)
    assert await service.anything_to_do(engine)
    await finish(engine, completed(run))
    assert not await service.anything_to_do(engine)
    await add(engine, run_at=now_ms() + HOUR)
    assert await service.anything_to_do(engine)


async def test_many_workers_never_claim_the_same(engine: Engine) -> None:
    await make_queue(engine, concurrency=100)
    numbers = await add(engine, *range(20))
    claimed = await asyncio.gather(*(claim(engine, 5) for _ in range(8)))
    assert sorted(run.id for each in claimed for run in each) == numbers


# ----- limits of a queue


async def test_a_pause_starts_nothing_new(engine: Engine) -> None:
    """Guards the look at `paused` in `leases.take`, in the transaction of the claim."""
    first, second = await add(engine, 1, 2)
    (run,) = await claim(engine)
    await make_queue(engine, paused=True)
    assert await claim(engine) == []
    assert await finish(engine, completed(run)) == []
    await make_queue(engine)
    assert [run.id for run in await claim(engine)] == [second]
    assert first < second


async def test_no_more_are_at_work_than_the_queue_allows_and_a_change_applies_at_once(engine: Engine) -> None:
    """Guards the lock of the queue in `leases.take`: on PostgreSQL claims come at the same moment."""
    await make_queue(engine, concurrency=3)
    await add(engine, *range(10))
    claimed = await asyncio.gather(*(claim(engine, 2, worker=f"w{n}") for n in range(4)))
    assert sum(map(len, claimed)) == 3
    await make_queue(engine, concurrency=5)
    assert len(await claim(engine, 10)) == 2
    assert await claim(engine, 10) == []


async def test_a_tenant_takes_no_more_than_its_share(engine: Engine) -> None:
    await make_queue(engine, concurrency=50, tenant_concurrency=2)
    await add(engine, *range(30), tenant="large")
    small = await add(engine, 1, tenant="small")
    claimed = await claim(engine, 10)
    assert sorted(run.tenant_id for run in claimed) == ["large", "large", "small"]
    assert [run.id for run in claimed if run.tenant_id == "small"] == small
    assert await claim(engine, 10) == []
    await finish(engine, completed(next(run for run in claimed if run.tenant_id == "large")))
    assert [run.tenant_id for run in await claim(engine, 10)] == ["large"]


async def test_a_rate_spreads_what_starts(engine: Engine) -> None:
    await make_queue(engine, concurrency=50, rate_per_second=10)
    await add(engine, *range(10))
    began = now_ms()
    assert len(await claim(engine, 10)) == 1

    async def another() -> bool:
        return len(await claim(engine, 10)) == 1

    await until(another)
    assert now_ms() - began >= 80


async def test_a_rate_does_not_wait_for_a_time_that_was_set_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_queue(engine, concurrency=50, rate_per_second=0.5)
    await add(engine, *range(10))
    began = now_ms()
    taken = []
    for at in (0, 1_000, 2_000, -HOUR, -HOUR + 1_000, -HOUR + 2_000):
        monkeypatch.setattr("quarterdeck.engine.store.store.now_ms", lambda at=at: began + at)
        taken.append(len(await claim(engine, 10)))
    assert taken == [1, 0, 1, 1, 0, 1]


async def test_a_worker_may_choose_kinds(engine: Engine) -> None:
    await add(engine, kind="a")
    (wanted,) = await add(engine, kind="b")
    assert [run.id for run in await claim(engine, 5, kinds=["b", "c"])] == [wanted]
    assert await claim(engine, 5, kinds=["b", "c"]) == []


# ----- unique keys


async def test_a_second_run_with_the_same_key_is_the_first(engine: Engine) -> None:
    new = [New(QUEUE, "kind", "acme", n, unique_key=key) for n, key in enumerate(["a", "b", "a", None])]
    async with engine.store.write() as transaction:
        made = await service.enqueue(engine, transaction, new)
    assert made.ids[0] == made.ids[2] != made.ids[1]
    assert made.existing == [made.ids[0]]
    async with engine.store.write() as transaction:
        again = await service.enqueue(engine, transaction, new[:2])
    assert (again.ids, again.existing) == (made.ids[:2], made.ids[:2])
    assert await tallied(engine) == {"waiting": 3}
    async with engine.store.write() as transaction:
        other = await service.enqueue(engine, transaction, [replace(new[0], tenant_id="bolt")])
    assert other.existing == [], "one tenant does not meet another's keys"


async def test_a_key_is_kept_by_one_of_many_at_once(engine: Engine) -> None:
    async def one() -> int:
        async with engine.store.write() as transaction:
            new = [New(QUEUE, "kind", "acme", unique_key="k")]
            return (await service.enqueue(engine, transaction, new)).ids[0]

    assert len(set(await asyncio.gather(*(one() for _ in range(8))))) == 1


# ----- a model knows


STEPS = st.lists(
    st.one_of(
        st.just(("add", None)),
        st.just(("claim", None)),
        st.just(("rescue", None)),
        st.just(("cancel", None)),
        st.tuples(st.just("end"), st.tuples(st.integers(0, 4), st.integers(0, 9))),
    ),
    max_size=25,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
@given(steps=STEPS)
async def test_a_claim_counts_until_it_ends_or_is_lost_and_never_after(engine: Engine, steps: Any) -> None:
    """Claims are kept for ever by forgetful workers; a model knows which of them is in force."""
    await wipe(engine.store)
    await make_queue(engine)
    claims: list[Claimed] = []
    in_force: dict[int, Claimed] = {}
    done: list[int] = []
    made = 0
    for what, chosen in steps:
        if what == "add":
            await add(engine, max_attempts=3)
            made += 1
        elif what == "claim":
            for run in await claim(engine):
                assert run.id not in in_force
                claims.append(run)
                in_force[run.id] = run
        elif what == "rescue":
            await rescue(engine, *in_force)
            in_force = {}
        elif what == "cancel":
            async with engine.store.write() as transaction:
                await service.cancel(engine, transaction, runs.c.id > 0)
        elif claims:
            how, which = chosen
            run = claims[which % len(claims)]
            worked = await finish(engine, ENDS[how][0](run)) == []
            assert worked == (in_force.get(run.id) is run)
            if worked:
                del in_force[run.id]
                done += [run.id] if ENDS[how][1] is RunStatus.COMPLETED else []
    assert len(done) == len(set(done))
    counted = await tallied(engine)
    assert sum(counted.values()) == made
    async with engine.store.read() as connection:
        found = (await connection.execute(select(runs.c.status))).scalars().all()
    assert counted == {name: found.count(name) for name in set(found)}


@pytest.mark.parametrize("kinds", [None, ["kind"]])
async def test_one_claim_takes_no_more_than_payloads_may_weigh(engine: Engine, kinds: list[str] | None) -> None:
    await make_queue(engine, concurrency=100)
    ids = await add(engine, *(["x" * 1_000] * 5), "small")

    async def take(characters: int) -> list[int]:
        async with engine.store.write() as transaction:
            moves = Moves()
            taken = await leases.take(
                engine, transaction, moves, "q", "w", 10, seconds=30, kinds=kinds, characters=characters
            )
            await record(transaction, engine.store.dialect, moves)
        return [run.id for run in taken.runs]

    assert await take(1_500) == ids[:2]
    assert await take(1) == ids[2:3], "the first one goes, whatever it weighs"
    assert await take(100_000) == ids[3:]
    assert await tallied(engine) == {"active": 6}
