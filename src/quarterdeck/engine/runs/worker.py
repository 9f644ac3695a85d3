"""Carries out runs inside the engine: claim, work, finish; lost leases are rescued."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.problems import RETRYABLE, Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.handlers import HANDLERS
from quarterdeck.engine.runs.service import Run

log = logging.getLogger(__name__)

QUEUE = "bulk"
_LONGEST_WAIT = 5.0  # seconds; another replica may have enqueued
_RETRY_NOTE = 2.0


class Worker:
    """One loop that claims, one task a run. SQLite has one writer, so one run at a time is the fastest there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._name = f"engine-{engine.instance[:8]}"
        self._capacity = 4 if engine.store.dialect.skips_locked else 1
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        self._engine.wake_worker = self._wake.set
        # Behind the lock file of a local store every active run belongs to a dead engine.
        await self.rescue(everything=not self._engine.store.dialect.skips_locked)
        self._engine.clock.every(5, "leases that lapsed", self.rescue)
        self._loop = asyncio.create_task(self._run(), name="run worker")

    async def stop(self) -> None:
        """Starts nothing new and finishes what is in flight."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def rescue(self, everything: bool = False) -> None:
        async with self._engine.store.write() as transaction:
            before = None if everything else transaction.now
            dead = await service.rescue(transaction, self._engine.store.dialect, before=before)
            for row in dead:
                lost = Problem(Code.LEASE_LOST, "The worker stopped each time; nothing was changed by the last batch.")
                for handler in HANDLERS.values():
                    await handler.gave_up(self._engine, transaction, row.operation_id, lost)
        self._wake.set()

    async def _run(self) -> None:
        while not (self._stopping or self._engine.stopping.is_set()):
            self._wake.clear()
            try:
                claimed = await self._claim()
                for run in claimed:
                    task = asyncio.create_task(self._carry_out(run), name=f"run {run.id}")
                    self._tasks.add(task)
                    task.add_done_callback(self._finished)
                if not claimed:
                    await self._pause(await self._until_next())
            except Problem as problem:
                log.warning("cannot claim runs: %s", problem.detail)
                await self._pause(_RETRY_NOTE)
            except Exception:
                # Whatever it is, work that waits must not wait for ever.
                log.exception("cannot claim runs")
                await self._pause(_RETRY_NOTE)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _claim(self) -> list[Run]:
        free = self._capacity - len(self._tasks)
        if free <= 0:
            return []
        async with self._engine.store.read() as connection:
            due = await service.next_due(connection, QUEUE)
        if due is None or due > now_ms():
            return []
        async with self._engine.store.write() as transaction:
            return await service.claim(transaction, self._engine.store.dialect, QUEUE, self._name, free)

    async def _until_next(self) -> float:
        if self._tasks:
            return _LONGEST_WAIT
        async with self._engine.store.read() as connection:
            due = await service.next_due(connection, QUEUE)
        return _LONGEST_WAIT if due is None else min(_LONGEST_WAIT, max(0.0, (due - now_ms()) / SECOND))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _carry_out(self, run: Run) -> None:
        beating = asyncio.create_task(self._beat(run))
        try:
            await HANDLERS[run.kind].work(self._engine, run)
        except Problem as problem:
            await self._note_failure(run, problem)
        except Exception:
            log.exception("run %s (%s) failed", run.id, run.kind)
            await self._note_failure(run, Problem(Code.INTERNAL, "The engine made a mistake; its log says more."))
        finally:
            beating.cancel()

    async def _beat(self, run: Run) -> None:
        """Keeps the lease while the handler works."""
        while True:
            await asyncio.sleep(service.LEASE / SECOND / 3)
            try:
                async with self._engine.store.write() as transaction:
                    await service.heartbeat(transaction, run)
            except Problem as problem:
                log.warning("run %s: %s", run.id, problem.detail)

    async def _note_failure(self, run: Run, problem: Problem) -> None:
        if problem.code is Code.LEASE_LOST:
            log.warning("run %s: %s", run.id, problem.detail)
            return
        handler = HANDLERS[run.kind]
        while True:
            try:
                async with self._engine.store.write() as transaction:
                    retry_at = _retry_at(run, problem, transaction.now)
                    await service.fail(transaction, run, problem.code, problem.detail, retry_at=retry_at)
                    if retry_at is None:
                        await handler.gave_up(self._engine, transaction, run.operation_id, problem)
                handler.stalled(self._engine, run.operation_id, None)
                return
            except Problem as worse:
                if worse.code is Code.LEASE_LOST:  # it goes on elsewhere
                    log.warning("run %s: %s", run.id, worse.detail)
                    handler.stalled(self._engine, run.operation_id, None)
                    return
                log.error("run %s failed (%s) and the store cannot note it: %s", run.id, problem.detail, worse.detail)
                handler.stalled(self._engine, run.operation_id, problem)
                if self._stopping:
                    return
                await asyncio.sleep(_RETRY_NOTE)


def _retry_at(run: Run, problem: Problem, now: int) -> int | None:
    """Full jitter over 1, 2, 4, 8 … seconds; a full disk waits for a person."""
    if problem.code not in RETRYABLE or problem.code is Code.STORE_FULL or run.attempt >= run.max_attempts:
        return None
    return now + round(random.uniform(0, 2 ** (run.attempt - 1)) * SECOND)
