"""The processes in which Python handlers run, and which runs go into which.

Runs of a queue share a process. One that has lost an attempt with its process runs alone in another, so that what
kills processes is found, and its neighbours are not blamed twice.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from quarterdeck.engine.runs.attempts import Attempt
from quarterdeck.engine.runs.executors import Failure, Released
from quarterdeck.engine.runs.hosting import HostProcess, Work

if TYPE_CHECKING:
    from quarterdeck.engine.runs.executors import Ended
    from quarterdeck.engine.runs.outcomes import Outcome

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

    def start(self, attempt: Attempt, target: str, ended: Ended) -> None:
        """`ended` is called once, at the latest when the hosts are closed."""
        work = Work(next(self._numbers), attempt, target, ended)
        if self._closed:
            work.end(Released())
            return
        if attempt.run.lost == 0:
            self._pick(attempt.run.queue).send(work)
        else:
            attempt.task = asyncio.create_task(self._do_alone(work))

    async def _do_alone(self, work: Work) -> None:
        over = asyncio.Event()
        told = work.ended

        def ended(outcome: Outcome | None) -> None:
            over.set()
            told(outcome)

        work.ended = ended
        try:
            async with self._room_alone:
                host = next((host for host in self._alone if host.is_idle and host.is_alive), None)
                (host or self._start(self._alone)).send(work)
                await over.wait()
        except asyncio.CancelledError:  # while it waited for room
            work.end(Released())
        except Failure as failure:
            work.end(failure)

    def _pick(self, queue: str) -> HostProcess:
        hosts = self._shared.setdefault(queue, [])
        for host in hosts:
            if host.is_alive and not host.is_silent(SILENT_SECONDS):
                return host
        if len(hosts) >= MOST_SHARED:
            return min((host for host in hosts if host.is_alive), key=lambda host: len(host.works), default=hosts[0])
        return self._start(hosts)

    def _start(self, among: list[HostProcess]) -> HostProcess:
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
