"""The processes in which Python handlers run, and which runs go into which.

Runs of a queue share a process. One that has lost an attempt with its process runs alone in another, so that what
kills processes is found, and its neighbours are not blamed twice.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from quarterdeck.engine.runs.attempts import Attempt
from quarterdeck.engine.runs.executors import Released
from quarterdeck.engine.runs.hosting import HostProcess, Work

# Processes for runs that may be poison, in all queues together; the others of their kind wait.
MOST_ALONE = 4
# A process that does not answer for so long gets no more runs; another is started for them, up to so many a queue.
SILENT_SECONDS = 1.0
MOST_SHARED = 4
IDLE_SECONDS = 60.0
LOOK_SECONDS = 0.25


class Hosts:
    """All host processes of one engine."""

    def __init__(self) -> None:
        self._shared: dict[str, list[HostProcess]] = {}
        self._alone: list[HostProcess] = []
        self._room_alone = asyncio.Semaphore(MOST_ALONE)
        self._numbers = count(1)
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def carry_out(self, attempt: Attempt, target: str) -> Any:
        """The result as JSON text. Raises Failure, HolderDied, Released."""
        if attempt.run.lost == 0:
            return await self._in(self._pick(attempt.run.queue), attempt, target)
        async with self._room_alone:
            if attempt.why is not None:
                raise Released
            host = next((host for host in self._alone if host.is_idle and host.is_alive), None) or self._start(
                self._alone
            )
            return await self._in(host, attempt, target)

    async def _in(self, host: HostProcess, attempt: Attempt, target: str) -> Any:
        number = next(self._numbers)
        work = Work(number, attempt)
        attempt.when_stopped = lambda: host.cancel(work)
        host.send(work, target)
        return await work.done

    def _pick(self, queue: str) -> HostProcess:
        hosts = self._shared.setdefault(queue, [])
        for host in hosts:
            if host.is_alive and not host.is_silent(SILENT_SECONDS):
                return host
        if len(hosts) >= MOST_SHARED:
            return min((host for host in hosts if host.is_alive), key=lambda host: len(host.works), default=hosts[0])
        return self._start(hosts)

    def _start(self, among: list[HostProcess]) -> HostProcess:
        if self._closed:
            raise Released
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="python hosts")
        host = HostProcess(among.remove)
        among.append(host)
        return host

    async def _look(self) -> None:
        """Ends what hangs and what nobody needs."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for hosts in (*self._shared.values(), self._alone):
                for host in list(hosts):
                    if not host.check() and host.idle_seconds() > IDLE_SECONDS:
                        host.kill()

    async def close(self) -> None:
        """What still runs is given back."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        for hosts in (*self._shared.values(), self._alone):
            for host in list(hosts):
                host.kill()
