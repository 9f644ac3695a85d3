"""Two engines on one store look for what is due at the same moment, and people act meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.contract.clock import HOUR
from quarterdeck.contract.enums import ClockState
from quarterdeck.engine.sla import replay, sweep
from quarterdeck.engine.sla.tables import sla_clocks
from tests.engine.runs.world import until_somebody_waits
from tests.engine.sla.world import DONE, Time, clocks, differing, enter, lines, promise
from tests.support.desk import Desk

two_writers = pytest.mark.parametrize("store_kind", ["postgresql"])  # SQLite has one at a time


@two_writers
async def test_a_breach_is_told_once_whoever_finds_it(desk: Desk, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    await promise(desk)
    (item,) = await enter(desk, priority="normal")
    time.pass_(20 * HOUR)
    real, found, done = sweep._held, asyncio.Event(), asyncio.Event()

    async def held(*arguments: Any) -> Any:
        if not found.is_set():
            found.set()
            await done.wait()
        return await real(*arguments)

    monkeypatch.setattr(sweep, "_held", held)
    slow = asyncio.create_task(sweep.sweep(desk.engine))
    await found.wait()
    await sweep.sweep(desk.engine)
    done.set()
    await slow
    told = [line for line in await lines(desk, item) if line[1] == "breached"]
    assert len(told) == 2  # a first response, and a resolution
    assert await differing(desk) == 0


STEP = {"percent": 50, "act": "assign", "assignee": "lead", "does": "do"}


@two_writers
@pytest.mark.parametrize("work", ["sweep", "replay"])
async def test_who_acts_on_an_item_whose_clock_is_in_hand_waits_and_the_clock_follows(
    desk: Desk, time: Time, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """Neither is stopped because each waits for the other, and what they did is not written over."""
    await promise(desk, escalation=[STEP])
    (item,) = await enter(desk, priority="normal")
    time.pass_(5 * HOUR)
    where, name = (sweep, "_move") if work == "sweep" else (replay, "compare")
    real, acting = getattr(where, name), list[asyncio.Task[Any]]()

    async def meanwhile(*arguments: Any) -> Any:
        found = await real(*arguments) if work == "replay" else None
        acting.append(asyncio.create_task(desk.act(item, "update-status", status="waiting")))
        await until_somebody_waits(desk.engine)
        return found if work == "replay" else await real(*arguments)

    async with desk.engine.store.write() as transaction:  # so that there is something to put right
        await transaction.connection.execute(update(sla_clocks).values(used=sla_clocks.c.used + 1))
    monkeypatch.setattr(where, name, meanwhile)
    await (sweep.sweep(desk.engine) if work == "sweep" else differing(desk, write=True))
    await acting[0]
    monkeypatch.setattr(where, name, real)
    assert (await clocks(desk, item))[DONE].state is ClockState.PAUSED
    assert await differing(desk) == (1 if work == "sweep" else 0)  # what was spoiled
