"""Ticks come, do not overlap, survive their own failures, and are over when the clock has stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.clock import SchedulerClock


@pytest.fixture
async def clock() -> AsyncIterator[SchedulerClock]:
    made = SchedulerClock()
    made.start()
    yield made
    await made.stop()


async def test_ticks_come_again_and_again(clock: SchedulerClock) -> None:
    came = asyncio.Semaphore(0)

    async def tick() -> None:
        came.release()

    clock.every(0.01, "test", tick)
    async with asyncio.timeout(5):
        for _ in range(3):
            await came.acquire()


async def test_one_name_never_ticks_twice_at_once(clock: SchedulerClock) -> None:
    running, most = 0, 0
    go_on, thrice = asyncio.Event(), asyncio.Semaphore(0)

    async def tick() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1
        thrice.release()

    clock.every(0.01, "test", tick)
    clock.at(now_ms(), "another", tick)
    clock.at(now_ms() + 30, "test", tick)
    asyncio.get_running_loop().call_later(0.1, go_on.set)
    async with asyncio.timeout(5):
        await thrice.acquire()
        await thrice.acquire()
    assert most == 2  # two names


async def test_a_tick_that_fails_is_logged_and_tried_again(
    clock: SchedulerClock, caplog: pytest.LogCaptureFixture
) -> None:
    came = asyncio.Semaphore(0)
    failures: list[Exception] = [ValueError("broken"), Problem(Code.STORE_FULL, "The disk is full.")]

    async def tick() -> None:
        came.release()
        if failures:
            raise failures.pop(0)

    clock.every(0.01, "test", tick)
    async with asyncio.timeout(5):
        for _ in range(3):
            await came.acquire()
    assert "test failed" in caplog.text
    assert "test: The disk is full." in caplog.text


async def test_what_is_past_due_comes_at_once(clock: SchedulerClock) -> None:
    came = asyncio.Event()

    async def tick() -> None:
        came.set()

    clock.at(now_ms() - 60_000, "late", tick)
    await asyncio.wait_for(came.wait(), 5)


async def test_a_machine_whose_clock_is_set_goes_on_ticking(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Back by an hour, then forward by a day: no tick waits for the old time to come again."""
    off = timedelta()

    class Wall(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + off

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Wall)
    monkeypatch.setattr("quarterdeck.engine.clock.now_ms", lambda: now_ms() + round(off / timedelta(milliseconds=1)))
    monkeypatch.setattr("quarterdeck.engine.clock._LOOK_SECONDS", 0.02)
    came = asyncio.Semaphore(0)

    async def tick() -> None:
        came.release()

    clock = SchedulerClock()
    clock.start()
    try:
        clock.every(0.01, "test", tick)
        for jump in (timedelta(hours=-1), timedelta(days=1)):
            off += jump
            while not came.locked():
                await came.acquire()
            async with asyncio.timeout(10):
                for _ in range(3):
                    await came.acquire()
    finally:
        await clock.stop()
    assert "The machine's clock went back by 3600 s." in caplog.text
    assert "The machine's clock went forward by 86400 s." in caplog.text


async def test_stopping_waits_for_the_tick_in_flight() -> None:
    clock = SchedulerClock()
    clock.start()
    began, finished = asyncio.Event(), False

    async def tick() -> None:
        nonlocal finished
        began.set()
        await asyncio.sleep(0.05)
        finished = True

    clock.every(0.01, "test", tick)
    await asyncio.wait_for(began.wait(), 5)
    await clock.stop()
    assert finished
    assert not clock.running


async def test_a_clock_that_never_started_can_stop() -> None:
    await SchedulerClock().stop()
