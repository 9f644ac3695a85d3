"""What is counted stays small and stays true."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, now_ms
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series import folding, ticks, upkeep
from quarterdeck.engine.series.folding import PLACES, fold
from quarterdeck.engine.series.reading import Scope, tallies
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.series.tables import EVERYONE, SHORT, dead_letter_minutes, run_counts, run_moves, run_tallies
from quarterdeck.engine.store.store import Store
from tests.support.counted import attempts, said


async def rows(store: Store, table: object = run_tallies) -> int:
    async with store.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


async def counts(store: Store) -> dict[str, dict[str, int]]:
    async with store.read() as connection:
        found = await tallies(connection, Scope())
    return {queue: {status: number for status, number in each.items() if number} for queue, each in found.items()}


async def record_only(store: Store, moves: Moves) -> None:
    async with store.write() as transaction:
        await record(transaction, store.dialect, moves)


async def move(store: Store, times: int) -> None:
    for _ in range(times):
        moves = Moves()
        moves.enqueued("mail", "welcome", "acme", "waiting")
        moves.moved("mail", "acme", "waiting", "active")
        await said(store, moves)


async def test_differences_become_one_row_and_the_count_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await move(engine.store, 20)
    await upkeep.sum_up(engine)
    assert await rows(engine.store) == 20  # not worth it yet
    monkeypatch.setattr(upkeep, "WORTHWHILE", 10)
    await upkeep.sum_up(engine)
    assert await rows(engine.store) == 1  # what came to nothing is gone
    assert await counts(engine.store) == {"mail": {"active": 20}}


async def test_what_moves_while_it_is_summed_up_is_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WORTHWHILE", 0)

    async def sum_up() -> None:
        for _ in range(10):
            await upkeep.sum_up(engine)

    await asyncio.gather(sum_up(), sum_up(), *(move(engine.store, 15) for _ in range(3)))
    assert await counts(engine.store) == {"mail": {"active": 45}}


async def test_what_is_said_while_it_is_added_up_is_counted_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_AT_ONCE", 3)

    async def say() -> None:
        for number in range(20):
            moves = Moves()
            moves.ended("mail", "welcome", f"t-{number % 3}", "active", "completed", took_ms=5)
            await record_only(engine.store, moves)

    async def add_up() -> None:
        for _ in range(10):
            await fold(engine)

    await asyncio.gather(say(), say(), add_up(), add_up())
    await fold(engine)
    completed = select(func.sum(run_counts.c.completed)).where(run_counts.c.tenant_id == EVERYONE)
    async with engine.store.read() as connection:
        assert (await connection.execute(completed.where(run_counts.c.step == SHORT))).scalar_one() == 40
        assert (await connection.execute(completed.where(run_counts.c.whole == 1))).scalar_one() == 40


async def test_old_figures_are_dropped(engine: Engine) -> None:
    for ago in (0, 30 * HOUR, 91 * DAY):
        for tenant in ("acme", "globex"):
            await attempts(engine.store, completed=1, ago=ago, tenant=tenant)
    await upkeep.drop_old(engine)
    async with engine.store.read() as connection:
        kept = await connection.execute(
            select(run_counts.c.step, func.sum(run_counts.c.completed)).group_by(run_counts.c.step)
        )
        # Each under its tenant and under all, in the long step once more for all queues.
        assert {step: int(number) for step, number in kept} == {60: 4, 900: 16}


async def test_growth_of_long_ago_is_kept_by_hours_and_days(engine: Engine) -> None:
    now = now_ms()
    made = [
        {"minute": at, "tenant_id": tenant, "added": 2, "resolved": 1, "expired": 0}
        for at in range((now - 4 * DAY) // MINUTE * MINUTE, now, 7 * MINUTE)
        for tenant in ("acme", "globex")
    ]
    async with engine.store.write() as transaction:
        await transaction.connection.execute(dead_letter_minutes.insert(), made)

    async def growth(step: int, since: int) -> dict[tuple[int, str], tuple[int, int]]:
        at = dead_letter_minutes.c.minute - dead_letter_minutes.c.minute % step
        sums = (func.sum(dead_letter_minutes.c.added), func.sum(dead_letter_minutes.c.resolved))
        query = select(at, dead_letter_minutes.c.tenant_id, *sums).where(dead_letter_minutes.c.minute >= since)
        async with engine.store.read() as connection:
            found = await connection.execute(query.group_by(at, dead_letter_minutes.c.tenant_id))
            return {(int(row[0]), row[1]): (int(row[2]), int(row[3])) for row in found}

    # As the charts of an hour, a day and a month read it.
    asked = [
        (MINUTE, now // MINUTE * MINUTE - 59 * MINUTE),
        (HOUR, now // HOUR * HOUR - 23 * HOUR),
        (DAY, now // DAY * DAY - 29 * DAY),
    ]
    before = [await growth(*each) for each in asked]
    # Two engines at once add nothing twice, nor does a second time.
    await asyncio.gather(upkeep.drop_old(engine), upkeep.drop_old(engine))
    await upkeep.drop_old(engine)
    assert [await growth(*each) for each in asked] == before
    assert await rows(engine.store, dead_letter_minutes) < 2 * (3 * 60 // 7 + 2 * 24 + 24 + 5)


async def test_the_clock_does_it(engine: Engine) -> None:
    ticks.register(engine)
    clock: Any = engine.clock
    assert set(clock.ticks) == {"figures over time", "counts of runs", "figures that are old"}
    moves = Moves()
    moves.enqueued("mail", "welcome", "acme", "waiting")
    await record_only(engine.store, moves)
    assert await rows(engine.store, run_moves) == 1
    await clock.ticks["figures over time"]()
    assert await rows(engine.store, run_moves) == 0
    assert await rows(engine.store, run_counts) == len(PLACES)
