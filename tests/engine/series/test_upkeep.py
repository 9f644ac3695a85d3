"""What is counted stays small and stays true."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from quarterdeck.contract.clock import DAY, HOUR
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series import ticks, upkeep
from quarterdeck.engine.series.reading import Scope, tallies
from quarterdeck.engine.series.recording import Moves
from quarterdeck.engine.series.tables import run_counts, run_tallies
from quarterdeck.engine.store.store import Store
from tests.support.counted import attempts, said


async def rows(store: Store, table: object = run_tallies) -> int:
    async with store.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


async def counts(store: Store) -> dict[str, dict[str, int]]:
    async with store.read() as connection:
        found = await tallies(connection, Scope())
    return {queue: {status: number for status, number in each.items() if number} for queue, each in found.items()}


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


async def test_the_clock_does_it(engine: Engine) -> None:
    ticks.register(engine)
    assert set(engine.clock.ticks) == {"counts of runs", "figures that are old"}  # type: ignore[attr-defined]
