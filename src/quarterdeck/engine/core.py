"""What every service is handed. There is no global state beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import uuid4

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Role
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.runs.arrivals import Arrivals
from quarterdeck.engine.runs.watching import RunWatches

if TYPE_CHECKING:
    from quarterdeck.config.home import Home
    from quarterdeck.config.settings import Settings
    from quarterdeck.engine.clock import Clock
    from quarterdeck.engine.live.hub import Hub
    from quarterdeck.engine.metrics.meter import Meter
    from quarterdeck.engine.store.store import Store


_T = TypeVar("_T")


@dataclass(slots=True)
class Activity:
    """Whether anybody is there. `last` is on the monotonic clock, in seconds."""

    last: float = field(default_factory=time.monotonic)
    requests: int = 0  # in flight; an open WebSocket is one

    nobody: asyncio.Event = field(default_factory=asyncio.Event)

    def enter(self) -> None:
        self.requests += 1
        self.nobody.clear()

    def leave(self) -> None:
        self.requests -= 1
        self.last = time.monotonic()
        if not self.requests:
            self.nobody.set()

    @property
    def idle_seconds(self) -> float:
        """Seconds since anybody was there; 0 while somebody is."""
        return 0.0 if self.requests else time.monotonic() - self.last


@dataclass(slots=True)
class Engine:
    """`started_at` is in milliseconds. `instance` names this start of the engine among all others.

    `local` is whoever reaches the engine over its own socket, which only its owner can open.
    """

    settings: Settings
    home: Home
    store: Store
    hub: Hub
    clock: Clock
    meter: Meter
    local: Principal = field(default_factory=lambda: Principal(operating_system_user(), Role.SUPER_ADMIN))
    started_at: int = field(default_factory=now_ms)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    activity: Activity = field(default_factory=Activity)
    instance: str = field(default_factory=lambda: uuid4().hex)
    # Says that a run was enqueued; the worker puts its own ear here.
    wake_worker: Callable[[], None] = lambda: None
    # Who waits for runs in a queue, and who watches one run.
    arrivals: Arrivals = field(default_factory=Arrivals)
    run_watches: RunWatches = field(default_factory=RunWatches)
    # Called once, in order, when the engine stops and the store is still open.
    finishers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    # What capabilities keep for this engine alone, such as open connections; see `keep`.
    kept: dict[type[Any], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store.dialect.secret_keys = tuple(self.settings.console.secret_keys)

    def keep(self, kind: type[_T], make: Callable[[], _T]) -> _T:
        """The one of its type, made when it is first asked for."""
        found = self.kept.get(kind)
        if found is None:
            found = self.kept[kind] = make()
        return cast(_T, found)


def operating_system_user() -> str:
    """The name of the user this process belongs to; `uid-N` where the system has no name for it."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
