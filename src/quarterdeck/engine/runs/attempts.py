"""One attempt inside the engine: carried out, stopped, and told apart from what merely looks like it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import ErrorClass, HandlerKind, LogLevel
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.problems import RETRYABLE, Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.executors import EXECUTORS, Failure, HolderDied, Released
from quarterdeck.engine.runs.handlers import HANDLERS
from quarterdeck.engine.runs.logs import Line, Measure
from quarterdeck.engine.runs.outcomes import (
    Cancelled,
    Claimed,
    Completed,
    Failed,
    GivenBack,
    Lost,
    Outcome,
    as_result,
)

log = logging.getLogger(__name__)

# What is told to stop may put its things in order for so long.
STOP_SECONDS = 2.0


class Why(Enum):
    """Why an attempt is stopped."""

    CANCELLED = auto()
    SHUTDOWN = auto()
    LEASE_LOST = auto()


class Attempt:
    """Also the context of its executor. `now` is on the loop's clock."""

    __slots__ = (
        "_cancelled", "_measure", "_write", "beaten", "run", "settings", "shown", "task", "when_stopped", "why",
    )  # fmt: skip

    def __init__(self, run: Claimed, settings: QueueSettings, write: Callable[[Line], None], now: float) -> None:
        self.run = run
        self.settings = settings
        self.beaten = now  # when its lease was last renewed
        self.shown: float | None = None  # progress that the store does not know yet
        self.why: Why | None = None
        self.task: asyncio.Task[None] | None = None
        # Set by an executor that stops its work otherwise than by being cancelled.
        self.when_stopped: Callable[[], None] | None = None
        self._write = write
        self._measure: Measure | None = None
        self._cancelled: asyncio.Event | None = None

    @property
    def is_ours(self) -> bool:
        return self.settings.handler is HandlerKind.ENGINE

    @property
    def cancelled(self) -> asyncio.Event:
        if self._cancelled is None:
            self._cancelled = asyncio.Event()
            if self.why is not None:
                self._cancelled.set()
        return self._cancelled

    async def log(self, level: LogLevel, text: str) -> None:
        self.write(level, text, now_ms())

    def write(self, level: str, text: str, at: int) -> None:
        if self._measure is None:
            self._measure = Measure()
        for kept_level, kept in self._measure.take(level, text):
            self._write(Line(self.run.id, self.run.attempt, at, kept_level, kept))

    async def progress(self, share: float) -> None:
        self.shown = min(1.0, max(0.0, share))

    def stop(self, why: Why) -> None:
        """Tell it to stop; it gets STOP_SECONDS, unless its result is not wanted anyway. Our own work goes on."""
        if self.why is not None or self.is_ours:
            return
        self.why = why
        if self._cancelled is not None:
            self._cancelled.set()
        if self.when_stopped is not None:
            self.when_stopped()
        elif self.task is not None:
            wait = STOP_SECONDS if why is Why.CANCELLED else 0
            asyncio.get_running_loop().call_later(wait, self.task.cancel)

    async def carry_out(self, engine: Engine) -> Outcome | None:
        """How it ended; None where somebody else says so."""
        try:
            if self.is_ours:
                await HANDLERS[self.run.kind].work(engine, self.run)
                return None
            return Completed(*self.run.held, self._result(await self._execute(engine)))
        except asyncio.CancelledError:
            if self.why is None:
                raise
            return self._stopped()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is how the attempt ended
            return self.outcome_of(error)

    def outcome_of(self, error: Exception) -> Outcome | None:
        """What an exception means for the attempt."""
        held = self.run.held
        match error:
            case Failure():
                return self._stopped() or _failed(self.run, error)
            case HolderDied():
                return self._stopped() or Lost(*held)
            case Released():
                return self._stopped() or GivenBack(*held)
            case Problem(code=Code.LEASE_LOST):
                log.warning("run %s: %s", self.run.id, error.detail)
                return None
            case Problem():
                # A full disk waits for a person.
                retryable = error.code in RETRYABLE and error.code is not Code.STORE_FULL
                return Failed(*held, ErrorClass.UNKNOWN, str(error.code), error.detail, retryable=retryable)
        log.error("run %s (%s) failed", self.run.id, self.run.kind, exc_info=error)
        said = "The engine made a mistake; its log says more."
        return Failed(*held, ErrorClass.UNKNOWN, str(Code.INTERNAL), said, retryable=False)

    async def _execute(self, engine: Engine) -> Any:
        executor = EXECUTORS[self.settings.handler]
        seconds = self.run.timeout_ms / SECOND
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await executor(engine, self.run, self.settings, self)
        except TimeoutError as error:
            if not limit.expired():
                raise Failure(ErrorClass.TIMEOUT, "timeout", str(error) or "Something took too long.") from error
            raise timed_out(seconds) from error

    def _result(self, value: Any) -> str | None:
        try:
            return as_result(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise Failure(
                ErrorClass.VALIDATION, "bad_result", f"The handler returned what JSON cannot hold: {error}."
            ) from error

    def _stopped(self) -> Outcome | None:
        match self.why:
            case Why.CANCELLED:
                return Cancelled(*self.run.held)
            case Why.SHUTDOWN:
                return GivenBack(*self.run.held)
        return None


def timed_out(seconds: float) -> Failure:
    return Failure(ErrorClass.TIMEOUT, "timeout", f"The attempt was not done after {seconds:g} seconds.")


def _failed(run: Claimed, failure: Failure) -> Failed:
    return Failed(
        *run.held,
        failure.error_class,
        failure.code,
        failure.message,
        failure.detail,
        failure.retryable,
        failure.retry_after,
    )
