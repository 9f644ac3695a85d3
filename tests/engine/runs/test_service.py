"""Runs: due in order, claimed once, finished only by whoever holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, select, update

from quarterdeck.contract.clock import HOUR, now_ms
from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.contract.transitions import RUN_TRANSITIONS, can_move
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.service import Run
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.store import Transaction
from tests.support.desk import refused, wipe

QUEUE = "q"
Finish = Callable[[Transaction, Run], Awaitable[None]]


async def failing(transaction: Transaction, run: Run) -> None:
    await service.fail(transaction, run, "code", "words", retry_at=None)


async def failing_for_now(transaction: Transaction, run: Run) -> None:
    await service.fail(transaction, run, "code", "words", retry_at=transaction.now + HOUR)


ENDS: list[tuple[Finish, RunStatus]] = [
    (service.complete, RunStatus.COMPLETED),
    (service.cancel, RunStatus.CANCELLED),
    (service.give_back, RunStatus.WAITING),
    (failing, RunStatus.DEAD),
    (failing_for_now, RunStatus.FAILED),
    (service.heartbeat, RunStatus.ACTIVE),
]


async def add(engine: Engine, **values: Any) -> int:
    async with engine.store.write() as transaction:
        await service.enqueue(transaction, QUEUE, "kind", {"n": 1}, **values)
        return (
            await transaction.connection.execute(select(runs.c.id).order_by(runs.c.id.desc()))
        ).scalars().first() or 0


async def claim(engine: Engine, limit: int = 1) -> list[Run]:
    async with engine.store.write() as transaction:
        return await service.claim(transaction, engine.store.dialect, QUEUE, "worker", limit)


async def finish(engine: Engine, run: Run, how: Finish) -> None:
    async with engine.store.write() as transaction:
        await how(transaction, run)


async def row(engine: Engine, number: int) -> Row[Any]:
    async with engine.store.read() as connection:
        return (await connection.execute(select(runs).where(runs.c.id == number))).one()


async def lapse(engine: Engine, number: int) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(runs).where(runs.c.id == number).values(lease_until=1))


async def rescue(engine: Engine, *, everything: bool = False) -> list[int]:
    async with engine.store.write() as transaction:
        before = None if everything else transaction.now
        return [each.id for each in await service.rescue(transaction, engine.store.dialect, before=before)]


async def test_what_is_due_comes_in_order_and_once(engine: Engine) -> None:
    later = await add(engine, run_at=now_ms() + HOUR)
    second, third, first = await add(engine), await add(engine), await add(engine, priority=0)
    async with engine.store.write() as transaction:
        await service.enqueue(transaction, "another queue", "kind", {})
    assert [run.id for run in await claim(engine, 2)] == [first, second]
    assert [run.id for run in await claim(engine, 2)] == [third]
    assert await claim(engine) == []
    assert (await row(engine, later)).status == RunStatus.SCHEDULED
    async with engine.store.read() as connection:
        assert await service.next_due(connection, QUEUE) == (await row(engine, later)).run_at


async def test_a_claim_is_a_lease(engine: Engine) -> None:
    number = await add(engine)
    (run,) = await claim(engine)
    assert (run.id, run.attempt, run.payload, run.max_attempts) == (number, 1, {"n": 1}, 5)
    held = await row(engine, number)
    assert (held.status, held.attempt, held.lease_token, held.worker) == ("active", 1, run.lease_token, "worker")
    assert 0 < held.lease_until - now_ms() <= service.LEASE


@pytest.mark.parametrize(("how", "status"), ENDS)
async def test_whoever_holds_the_lease_finishes_it(engine: Engine, how: Finish, status: RunStatus) -> None:
    number = await add(engine)
    (run,) = await claim(engine)
    await finish(engine, run, how)
    after = await row(engine, number)
    assert after.status == status
    assert can_move(RUN_TRANSITIONS, RunStatus.ACTIVE, status) or status is RunStatus.ACTIVE
    assert (after.lease_token is None) == (status is not RunStatus.ACTIVE)
    assert after.attempt == (0 if how is service.give_back else 1)
    if how in (failing, failing_for_now):
        assert (after.error_code, after.error_message) == ("code", "words")


@pytest.mark.parametrize("stale", ["token", "attempt", "id", "ended", "rescued"])
async def test_nobody_else_does(engine: Engine, stale: str) -> None:
    """Fencing: id, attempt and token must all be those of the claim that is in force."""
    for how, _ in ENDS:
        await wipe(engine.store)
        number = await add(engine)
        (run,) = await claim(engine)
        if stale == "token":
            run = replace(run, lease_token="another")
        elif stale == "attempt":
            run = replace(run, attempt=2)
        elif stale == "id":
            other = await add(engine)
            await claim(engine)
            run = replace(run, id=other)
        elif stale == "ended":
            await finish(engine, run, service.complete)
        else:
            await lapse(engine, number)
            await rescue(engine)
            (again,) = await claim(engine)
            assert (again.id, again.attempt) == (number, 2)
        before = await row(engine, number)
        with refused(Code.LEASE_LOST, "took too long; another worker has the run now"):
            await finish(engine, run, how)
        assert await row(engine, number) == before


async def test_a_refused_end_takes_its_work_with_it(engine: Engine) -> None:
    """What was written beside the end of a run that was lost is not committed."""
    number = await add(engine)
    (run,) = await claim(engine)
    await lapse(engine, number)
    await rescue(engine)
    with refused(Code.LEASE_LOST):
        async with engine.store.write() as transaction:
            await service.enqueue(transaction, QUEUE, "written beside", {})
            await service.complete(transaction, run)
    async with engine.store.read() as connection:
        assert len((await connection.execute(select(runs))).all()) == 1


async def test_lost_leases_are_rescued_and_only_those(engine: Engine) -> None:
    lost, held, waiting = await add(engine), await add(engine), await add(engine)
    await claim(engine, 2)
    await lapse(engine, lost)
    assert await rescue(engine) == []
    assert [(await row(engine, number)).status for number in (lost, held, waiting)] == ["waiting", "active", "waiting"]
    assert (await row(engine, lost)).error_code == Code.LEASE_LOST
    await rescue(engine, everything=True)
    assert (await row(engine, held)).status == "waiting"


async def test_attempts_are_used_up(engine: Engine) -> None:
    number = await add(engine, max_attempts=2)
    for expected in ([], [number]):
        await claim(engine)
        await lapse(engine, number)
        assert await rescue(engine) == expected
    assert (await row(engine, number)).status == RunStatus.DEAD
    assert await claim(engine) == []


async def test_a_failed_run_comes_again_at_its_time(engine: Engine) -> None:
    number = await add(engine)
    (run,) = await claim(engine)
    await finish(engine, run, failing_for_now)
    assert await claim(engine) == []
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(runs).values(run_at=now_ms()))
    (again,) = await claim(engine)
    assert (again.id, again.attempt) == (number, 2)


async def test_cancelling_beats_retrying(engine: Engine) -> None:
    scheduled = await add(engine, operation_id=7, run_at=now_ms() + HOUR)
    waiting = await add(engine, operation_id=7)
    other = await add(engine, operation_id=8)
    (run,) = await claim(engine)
    await finish(engine, run, failing_for_now)
    async with engine.store.write() as transaction:
        await service.cancel_waiting(transaction, 7)
        assert await service.active_of(transaction.connection, 7) == 0
    assert [(await row(engine, number)).status for number in (scheduled, waiting)] == ["cancelled", "cancelled"]
    assert (await row(engine, other)).status == "waiting"


async def test_whether_there_is_anything_to_do(engine: Engine) -> None:
    assert not await service.anything_to_do(engine)
    await add(engine)
    assert await service.anything_to_do(engine)
    (run,) = await claim(engine)
    assert await service.anything_to_do(engine)
    await finish(engine, run, service.complete)
    assert not await service.anything_to_do(engine)
    await add(engine, run_at=now_ms() + HOUR)
    assert await service.anything_to_do(engine)


async def test_many_workers_never_claim_the_same(engine: Engine) -> None:
    numbers = [await add(engine) for _ in range(20)]
    claimed = await asyncio.gather(*(claim(engine, 5) for _ in range(8)))
    assert sorted(run.id for each in claimed for run in each) == numbers


STEPS = st.lists(
    st.one_of(
        st.just(("add", None)),
        st.just(("claim", None)),
        st.just(("lapse", None)),
        st.just(("rescue", None)),
        st.tuples(st.just("end"), st.tuples(st.integers(0, 5), st.integers(0, 9))),
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
    claims: list[Run] = []
    in_force: dict[int, Run] = {}
    completed: list[int] = []
    for what, chosen in steps:
        if what == "add":
            await add(engine, max_attempts=3)
        elif what == "claim":
            for run in await claim(engine):
                assert run.id not in in_force
                claims.append(run)
                in_force[run.id] = run
        elif what == "lapse":
            for number in in_force:
                await lapse(engine, number)
        elif what == "rescue":
            await rescue(engine)
            in_force = {n: run for n, run in in_force.items() if (await row(engine, n)).status == "active"}
        elif claims:
            how, which = chosen
            run = claims[which % len(claims)]
            worked = True
            try:
                await finish(engine, run, ENDS[how][0])
            except Problem as problem:
                worked = problem.code is not Code.LEASE_LOST
            assert worked == (in_force.get(run.id) is run)
            if worked and ENDS[how][1] is not RunStatus.ACTIVE:
                del in_force[run.id]
                completed += [run.id] if ENDS[how][1] is RunStatus.COMPLETED else []
    assert len(completed) == len(set(completed))
