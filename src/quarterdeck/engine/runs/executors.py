"""Who carries out the runs of which handler kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from quarterdeck.contract.enums import ErrorClass, HandlerKind, LogLevel
from quarterdeck.contract.models.queues import QueueSettings

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.runs.attempts import Attempt
    from quarterdeck.engine.runs.outcomes import Claimed, Outcome

    # How an attempt ended; None where its end counts for nothing.
    Ended = Callable[[Outcome | None], None]


class Failure(Exception):
    """How an attempt failed. `retryable` and `retry_after` (seconds) override what the class says."""

    def __init__(
        self,
        error_class: ErrorClass,
        code: str,
        message: str,
        *,
        detail: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.code = code
        self.message = message
        self.detail = detail
        self.retryable = retryable
        self.retry_after = retry_after


class HolderDied(Exception):
    """What carried out the run is gone, and the run may be why: the attempt is lost."""


class Released(Exception):
    """The run is given back: what carried it out had to go, and the run is not why."""


class Context(Protocol):
    """What an attempt can say while it works. `cancelled` is set when the run is to stop."""

    @property
    def cancelled(self) -> asyncio.Event: ...

    async def log(self, level: LogLevel, text: str) -> None: ...

    async def progress(self, share: float) -> None: ...


class Executor(Protocol):
    """Returns the result: anything JSON can hold. Raises Failure, HolderDied or Released."""

    async def __call__(self, engine: Engine, run: Claimed, settings: QueueSettings, context: Context) -> Any: ...


class Starter(Protocol):
    """Has an attempt carried out elsewhere, so that it costs no task here. Calls `ended` once, now or later."""

    def __call__(self, engine: Engine, attempt: Attempt, ended: Ended) -> None: ...


EXECUTORS: dict[HandlerKind, Executor] = {}
STARTERS: dict[HandlerKind, Starter] = {}
