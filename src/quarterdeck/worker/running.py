"""Runs workers: lease, carry out, and stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from quarterdeck.client.client import Client, JsonObject
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.transport import UrlAddress
from quarterdeck.config.home import Home, HomeError
from quarterdeck.contract.operations import queues
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.worker.health import served
from quarterdeck.worker.leased import Leased
from quarterdeck.worker.worker import Worker

log = logging.getLogger("quarterdeck.worker")

WAIT_SECONDS = 20
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
_LAST_SECONDS = 5.0
_GATHER_SECONDS = 0.01
# Nobody will say otherwise by asking again.
_FINAL = (Code.FORBIDDEN, Code.INVALID_INPUT, Code.WRONG_STATE, Code.ADDRESS_REFUSED, Code.METHOD_NOT_ALLOWED)


class WorkerError(Exception):
    """Why a worker cannot work, one sentence."""


def run(*workers: Worker) -> None:
    """Works until the process is told to stop (SIGTERM, SIGINT); a second signal stops at once.

    Ends the process with exit code 1 and one sentence where the engine refuses a worker.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(_run_all(workers))
    except (WorkerError, HomeError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


async def _run_all(workers: tuple[Worker, ...]) -> None:
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(work(worker)) for worker in workers]

    def stop() -> None:
        for worker, task in zip(workers, tasks, strict=True):
            if worker.stopping.is_set():
                task.cancel()
            worker.stopping.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    try:
        for ended in asyncio.as_completed(tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await ended
    finally:
        for worker in workers:
            worker.stopping.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def work(worker: Worker) -> None:
    """Works until `worker.stopping` is set. Raises WorkerError where the engine refuses it."""
    if not worker.handlers and worker.fallback is None:
        raise WorkerError(f"The worker {worker.name} has no handler; decorate one with @worker.handles().")
    async with AsyncExitStack() as stack:
        desk = _Desk(worker)
        if worker.health_port is not None:
            about: dict[str, object] = {"name": worker.name, "type": worker.type, "queues": [worker.queue]}
            try:
                serving = served(worker.health_host, worker.health_port, about, desk.why_not_ready)
                desk.health_url = await stack.enter_async_context(serving)
            except OSError as error:
                raise WorkerError(f"Cannot listen at port {worker.health_port}: {error.strerror}.") from error
        client = await stack.enter_async_context(_client(worker))
        await desk.lease_until_stopped(client)


@asynccontextmanager
async def _client(worker: Worker) -> AsyncIterator[Client]:
    """Connects with the first call, and again whenever the engine has come back."""
    if worker.url is not None:
        client = Client(UrlAddress(worker.url))
    else:
        from quarterdeck.client.transport import LocalAddress

        client = Client(LocalAddress(Home.find(worker.home)))
    try:
        yield client
    finally:
        await client.close()


class _Desk:
    """Who is at work here."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._tasks: dict[asyncio.Task[None], Leased] = {}
        self._freed = asyncio.Event()
        self._heard_at: float | None = None
        self.health_url: str | None = None

    def why_not_ready(self) -> str | None:
        if self._worker.stopping.is_set():
            return "The worker is stopping."
        if self._heard_at is None:
            return "The worker has not reached its engine yet."
        silent = time.monotonic() - self._heard_at
        if silent > 3 * WAIT_SECONDS and len(self._tasks) < self._worker.concurrency:
            return f"The engine has not answered for {silent:.0f} s."
        return None

    async def lease_until_stopped(self, client: Client) -> None:
        stopping = asyncio.create_task(self._worker.stopping.wait())
        known = True
        log.info("worker %s takes runs of %s", self._worker.name, self._worker.queue)
        try:
            await self._lease_on(client, stopping)
            await self._finish()
        except WorkerError:
            known = False
            raise
        finally:
            stopping.cancel()
            # Told to stop at once, or refused: what is left goes back.
            for leased in self._tasks.values():
                leased.stop()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_LAST_SECONDS)
            if known:
                with contextlib.suppress(Problem, Unreachable, HomeError, TimeoutError):
                    async with asyncio.timeout(_LAST_SECONDS):
                        await self._ask(client, 1, leaving=True)
            log.info("worker %s has stopped", self._worker.name)

    async def _lease_on(self, client: Client, stopping: asyncio.Task[bool]) -> None:
        wait = _FIRST_WAIT
        while not self._worker.stopping.is_set():
            free = self._worker.concurrency - len(self._tasks)
            if free <= 0:
                self._freed.clear()
                freed = asyncio.create_task(self._freed.wait())
                await asyncio.wait({stopping, freed}, return_when=asyncio.FIRST_COMPLETED)
                freed.cancel()
                continue
            asking = asyncio.create_task(self._ask(client, free))
            try:
                await asyncio.wait({stopping, asking}, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    await self._refuse(client, asking)
                    return
            finally:
                asking.cancel()
            try:
                found = asking.result()
                wait = _FIRST_WAIT
            except (Problem, Unreachable, HomeError) as error:
                if isinstance(error, Problem) and error.code in _FINAL:
                    raise WorkerError(error.detail) from error
                log.warning("no runs to be had: %s", error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._worker.stopping.wait(), wait)
                wait = min(2 * wait, _LONGEST_WAIT)
                continue
            for each in found:
                self._begin(Leased(self._worker, client, each))
            if found:  # there may be more: what ends meanwhile is asked for together
                await asyncio.sleep(_GATHER_SECONDS)

    async def _refuse(self, client: Client, asking: asyncio.Task[list[JsonObject]]) -> None:
        """Runs may be on their way here: what comes is given back before any of it has begun."""
        with contextlib.suppress(Problem, Unreachable, HomeError, TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                while not asking.done():
                    await self._ask(client, 1, leaving=True)
                    await asyncio.wait({asking}, timeout=0.1)
                for each in asking.result():
                    await Leased(self._worker, client, each).give_back()

    async def _ask(self, client: Client, free: int, *, leaving: bool = False) -> list[JsonObject]:
        """Comes back as soon as there is something, or empty after WAIT_SECONDS."""
        body = {
            "worker": self._worker.name,
            "type": self._worker.type,
            "count": min(free, 1_000),
            "seconds": self._worker.lease_seconds,
            "wait_seconds": WAIT_SECONDS,
            "kinds": self._worker.kinds,
            "health_url": self.health_url,
            "leaving": leaving,
        }
        answer = await client.call(queues.LEASE, body=body, queue=self._worker.queue)
        self._heard_at = time.monotonic()
        found: list[JsonObject] = answer["items"]
        return found

    def _begin(self, leased: Leased) -> None:
        task = asyncio.create_task(leased.carry_out())
        self._tasks[task] = leased
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._freed.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a run ended in a way nobody foresaw", exc_info=task.exception())

    async def _finish(self) -> None:
        """What is at work may end; what does not end in time is given back."""
        if self._tasks:
            log.info("worker %s stops; %d runs are at work", self._worker.name, len(self._tasks))
            await asyncio.wait(tuple(self._tasks), timeout=self._worker.grace_seconds)
