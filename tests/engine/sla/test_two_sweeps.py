"""Two engines on one store look for what is due at the same moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quarterdeck.contract.clock import HOUR
from quarterdeck.engine.sla import sweep
from tests.engine.sla.world import Time, differing, enter, lines, promise
from tests.support.desk import Desk


async def test_a_breach_is_told_once_whoever_finds_it(
    desk: Desk, time: Time, store_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store_kind == "sqlite":
        pytest.skip("one writer at a time")
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
