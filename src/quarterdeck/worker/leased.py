"""One leased run at work: its handler, its heartbeats, its log, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import threading
import time
import traceback
from typing import Any

from quarterdeck.client.client import Client, JsonObject
from quarterdeck.client.errors import Unreachable
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.contract.operations import Operation, runs
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.worker.job import Failed, Job, clean
from quarterdeck.worker.worker import Handler, Worker

log = logging.getLogger("quarterdeck.worker")

_LOG_SECONDS = 0.5
_LINES_AT_ONCE = 500
_LONGEST_RESULT = 1_000_000
_CLASSES: tuple[tuple[type[Exception], ErrorClass], ...] = (
    (TimeoutError, ErrorClass.TIMEOUT),
    (PermissionError, ErrorClass.PERMISSION),
    (ConnectionError, ErrorClass.NETWORK),
)
# What an engine says of a result that it cannot keep.
_UNFIT = (Code.INVALID_INPUT, Code.BAD_REQUEST, Code.TOO_LARGE)


class Leased:
    """Keeps the lease while the handler works. Ends by itself; never raises."""

    def __init__(self, worker: Worker, client: Client, run: JsonObject) -> None:
        self._worker = worker
        self._client = client
        self._proof = {"attempt": run["attempt"], "lease_token": run["lease_token"]}
        # By this process's own sense of time: clocks of machines differ.
        self._held_until = time.monotonic() + worker.lease_seconds
        names = ("id", "queue", "kind", "tenant_id", "payload", "attempt", "max_attempts", "timeout_seconds")
        self.job = Job(**{name: run[name] for name in names})
        self._work: asyncio.Task[Any] | None = None
        self._lost = False
        self.failed: bool | None = None

    async def carry_out(self) -> None:
        handler = self._worker.handler_of(self.job.kind)
        self._work = asyncio.create_task(_call(handler, self.job), name=f"run {self.job.id}")
        keeping = asyncio.create_task(self._keep())
        writing = asyncio.create_task(self._write())
        try:
            ending = await self._outcome(self._work)
        finally:
            keeping.cancel()
            writing.cancel()
            await asyncio.gather(keeping, writing, return_exceptions=True)
        if self._lost:
            log.warning("run %s passed to another worker; what was done here does not count", self.job.id)
            return
        await self._flush()
        await self._end(*ending)

    def stop(self) -> None:
        """The handler is interrupted, and the run given back."""
        if self._work is not None:
            self._work.cancel()

    async def give_back(self) -> None:
        """Without having begun."""
        await self._end(runs.GIVE_BACK, {})

    async def _outcome(self, work: asyncio.Task[Any]) -> tuple[Operation, JsonObject]:
        """What to tell the engine."""
        seconds = self.job.timeout_seconds
        try:
            done, _ = await asyncio.wait({work}, timeout=seconds)
            if not done:
                self.job.cancelled.set()
                work.cancel()
                await asyncio.wait({work}, timeout=1.0)
                said = f"The handler was not done within {seconds:g} s."
                return _failed(Failed(said, code="timed_out", error_class=ErrorClass.TIMEOUT))
            return runs.COMPLETE, {"result": _as_json(work.result())}
        except asyncio.CancelledError:
            if not work.done():
                work.cancel()  # it is this task that was cancelled
                await asyncio.wait({work}, timeout=1.0)
            return runs.GIVE_BACK, {}
        except Failed as failure:
            return _failed(failure)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is how its attempt failed
            kind = next((kind for known, kind in _CLASSES if isinstance(error, known)), ErrorClass.UNKNOWN)
            detail = "".join(traceback.format_exception(error))
            message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            return _failed(Failed(message, code=type(error).__name__, error_class=kind, detail=detail))

    async def _keep(self) -> None:
        """Heartbeats, a third of the lease apart; sooner where there is progress to tell."""
        interval = self._worker.lease_seconds / 3
        told: float | None = None
        beaten = time.monotonic()
        while True:
            await asyncio.sleep(min(1.0, interval))
            moved = self.job.share != told
            if time.monotonic() - beaten < interval and not moved:
                continue
            told = self.job.share
            try:
                body = {**self._proof, "seconds": self._worker.lease_seconds, "progress": told}
                asked = time.monotonic()
                answer = await self._client.call(runs.HEARTBEAT, body=body, id=self.job.id)
            except (Problem, Unreachable) as error:
                if isinstance(error, Problem) and error.code in (Code.LEASE_LOST, Code.NOT_FOUND):
                    self._lost = True
                    self.job.cancelled.set()
                    self.stop()
                    return
                log.warning("run %s: no heartbeat: %s", self.job.id, error)
                continue
            beaten = asked
            self._held_until = asked + self._worker.lease_seconds
            if answer["cancel"]:
                self.job.cancelled.set()
                self.stop()
                return

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(_LOG_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        """Lines that cannot be delivered are lost; the run is not."""
        while lines := self.job.take_lines(_LINES_AT_ONCE):
            try:
                await self._client.call(runs.LOG, body={**self._proof, "lines": lines}, id=self.job.id)
            except (Problem, Unreachable) as error:
                log.warning("run %s: %d lines of its log are lost: %s", self.job.id, len(lines), error)
                return

    async def _end(self, operation: Operation, body: JsonObject) -> None:
        """Tried again while the lease holds: work that is done should not be done twice."""
        self.failed = None if operation is runs.GIVE_BACK else operation is runs.FAIL
        wait = 0.2
        while True:
            try:
                await self._client.call(operation, body={**self._proof, **body}, id=self.job.id)
                return
            except Unreachable as error:
                if time.monotonic() + wait > self._held_until:
                    log.warning("run %s: the engine could not be told how it ended: %s", self.job.id, error)
                    return
            except Problem as problem:
                if operation is runs.COMPLETE and problem.code in _UNFIT:
                    said = f"The handler's result cannot be kept: {problem.detail}"
                    operation, body = _failed(Failed(said, code="bad_result", error_class=ErrorClass.VALIDATION))
                    self.failed = True
                    continue
                if problem.status < 500 or time.monotonic() + wait > self._held_until:
                    log.warning("run %s: %s", self.job.id, problem.detail)
                    return
            await asyncio.sleep(wait)
            wait = min(2 * wait, 5.0)


async def _call(handler: Handler | None, job: Job) -> Any:
    if handler is None:
        raise Failed(
            f"This worker has no handler for {job.kind}.", code="no_handler", error_class=ErrorClass.VALIDATION
        )
    if inspect.iscoroutinefunction(handler):
        return await handler(job)
    found = await _in_thread(handler, job)
    return await found if inspect.isawaitable(found) else found


async def _in_thread(handler: Handler, job: Job) -> Any:
    """A thread of its own, which nobody waits for at the end: it may hang."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def say(result: Any, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def work() -> None:
        result, error = None, None
        try:
            result = handler(job)
        except BaseException as caught:  # noqa: BLE001 - SystemExit must not end the thread unheard
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(say, result, error)

    threading.Thread(target=work, name=f"run {job.id}", daemon=True).start()
    return await done


def _as_json(result: Any) -> Any:
    """Raises Failed for what JSON cannot hold."""
    try:
        said = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        sentence = f"The handler returned what JSON cannot hold: {error}."
        raise Failed(sentence, code="bad_result", error_class=ErrorClass.VALIDATION) from error
    return result if len(said) <= _LONGEST_RESULT else said[:_LONGEST_RESULT]


def _failed(failure: Failed) -> tuple[Operation, JsonObject]:
    body: JsonObject = {
        "error_class": str(failure.error_class),
        "code": clean(failure.code, 200) or "failed",
        "message": clean(str(failure), 10_000) or "The handler failed without saying why.",
        "detail": None if failure.detail is None else clean(failure.detail[-16_000:], 16_384),
        "retryable": failure.retryable,
    }
    if failure.retry_after is not None:
        with contextlib.suppress(ValueError, OverflowError):
            body["retry_after"] = min(max(float(failure.retry_after), 0.0), 604_800.0)
    return runs.FAIL, body
