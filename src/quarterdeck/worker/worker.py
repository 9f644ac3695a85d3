"""A worker: which queue, which handlers, how many runs at a time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from quarterdeck.worker.job import Job

Handler = Callable[[Job], Awaitable[Any] | Any]


@dataclass
class Worker:
    """Takes runs of `queue` from the engine of `home` (default: as `qd` finds it), or from the one at `url`.

    `name` must be another one for each process; by default it is made of queue, machine and process id. `type`
    is what workers of the same sort have in common. `lease_seconds` is how long the process may be silent before
    its runs are given to others. With `health_port` it answers `/healthz` and `/readyz` there (0: any free port).
    When it is told to stop, what is at work gets `grace_seconds`; what is not done then is given back.
    """

    queue: str
    name: str = ""
    type: str = ""
    home: str | os.PathLike[str] | None = None
    url: str | None = None
    concurrency: int = 10
    lease_seconds: int = 30
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    grace_seconds: float = 10.0
    handlers: dict[str, Handler] = field(default_factory=dict)
    fallback: Handler | None = None
    # Set from outside, or by a signal where `run` runs it, to stop.
    stopping: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        if not self.name:
            self.name = f"{self.queue}-{socket.gethostname()}-{os.getpid()}"
        if not self.type:
            self.type = self.queue
        if self.concurrency < 1:
            raise ValueError("concurrency must be at least 1.")
        if not 5 <= self.lease_seconds <= 3_600:
            raise ValueError("lease_seconds must be from 5 to 3600.")

    def handles(self, *kinds: str) -> Callable[[Handler], Handler]:
        """Decorates what carries out runs of these kinds; without a kind, of every kind that no other handler has.

        A coroutine function, or a plain function, which gets a thread. What it returns, as JSON, is the result.
        """

        def add(handler: Handler) -> Handler:
            if not kinds:
                self.fallback = handler
            for kind in kinds:
                if kind in self.handlers:
                    raise ValueError(f"{kind} has a handler already.")
                self.handlers[kind] = handler
            return handler

        return add

    def handler_of(self, kind: str) -> Handler | None:
        return self.handlers.get(kind, self.fallback)

    @property
    def kinds(self) -> list[str] | None:
        """What is asked for; None: everything."""
        return None if self.fallback is not None else sorted(self.handlers)
