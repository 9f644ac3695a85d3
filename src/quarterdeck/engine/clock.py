"""The clock: a tick now and then. What is due lives in the tables; a tick only looks.

APScheduler is used here and nowhere else, with its memory store: its persistent stores lose one-shot jobs
when the loop is blocked or the process dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from quarterdeck.contract.clock import SECOND, now_ms, to_datetime
from quarterdeck.contract.problems import Problem

log = logging.getLogger(__name__)

Tick = Callable[[], Awaitable[None]]

# How often the machine's clock is held against one that nobody can set, and by how much it may be off (s).
_LOOK_SECONDS = 1.0
_JUMP_SECONDS = 2.0


class Clock(Protocol):
    """Ticks of one name never overlap; ticks missed while the process was busy come as one."""

    def every(self, seconds: float, name: str, tick: Tick) -> None:
        """Call `tick` every so many seconds, the first time after one interval."""

    def at(self, when_ms: int, name: str, tick: Tick) -> None:
        """Call `tick` once, at or soon after `when_ms`; a later call under the same name replaces it."""

    def start(self) -> None: ...

    async def stop(self) -> None:
        """No tick begins after this; those that are running have finished when it returns."""

    @property
    def running(self) -> bool: ...


def _every(seconds: float) -> Any:
    """A trigger that skips what was missed. APScheduler's own lists every missed time before it takes them as one:
    after a day of sleep that is 170,000 for each tick that comes twice a second."""
    from apscheduler.triggers.base import BaseTrigger

    interval = timedelta(seconds=seconds)

    class Every(BaseTrigger):  # type: ignore[misc]
        def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
            following = now if previous is None else previous + interval
            return following if following > now else now + interval

    return Every()


class SchedulerClock:
    """APScheduler on the engine's own event loop."""

    def __init__(self) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler: Any = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._ticking: set[asyncio.Task[Any]] = set()
        self._busy: set[str] = set()
        self._stopped = False
        self._intervals: set[str] = set()
        self._set_at: float | None = None
        self._watch: asyncio.TimerHandle | None = None

    def every(self, seconds: float, name: str, tick: Tick) -> None:
        first = to_datetime(now_ms() + round(seconds * SECOND))
        self._intervals.add(name)
        self._scheduler.add_job(
            self._tick, _every(seconds), (name, tick), next_run_time=first, id=name, replace_existing=True
        )

    def at(self, when_ms: int, name: str, tick: Tick) -> None:
        when = to_datetime(max(when_ms, now_ms()))
        self._intervals.discard(name)
        self._scheduler.add_job(self._tick, "date", (name, tick), run_date=when, id=name, replace_existing=True)

    def start(self) -> None:
        self._scheduler.start()
        self._look()

    def _look(self) -> None:
        """APScheduler goes by the machine's clock: set back by an hour, it would not tick for an hour."""
        loop = asyncio.get_running_loop()
        set_at = now_ms() / SECOND - loop.time()
        jump = 0.0 if self._set_at is None else set_at - self._set_at
        if abs(jump) > _JUMP_SECONDS:
            log.warning("The machine's clock went %s by %.0f s.", "forward" if jump > 0 else "back", abs(jump))
            for name in sorted(self._intervals):
                self._scheduler.modify_job(name, next_run_time=to_datetime(now_ms()))
        self._set_at = set_at
        self._watch = loop.call_later(_LOOK_SECONDS, self._look)

    @property
    def running(self) -> bool:
        return bool(self._scheduler.running) and not self._stopped

    async def stop(self) -> None:
        self._stopped = True
        if self._watch is not None:
            self._watch.cancel()
        if not self._scheduler.running:
            return
        # Paused first, shut down last: shutting down cancels ticks in the middle of their transaction.
        self._scheduler.pause()
        while self._ticking:
            await asyncio.wait(set(self._ticking))
        self._scheduler.shutdown(wait=False)

    async def _tick(self, name: str, tick: Tick) -> None:
        # Replacing a job by one of the same name resets APScheduler's own count of its instances.
        if self._stopped or name in self._busy:
            return
        task = asyncio.current_task()
        assert task is not None
        self._ticking.add(task)
        self._busy.add(name)
        try:
            await tick()
        except Problem as problem:
            log.warning("%s: %s", name, problem.detail)
        except Exception:  # a tick that fails today is tried again at its next time
            log.exception("%s failed", name)
        finally:
            self._busy.discard(name)
            self._ticking.discard(task)
