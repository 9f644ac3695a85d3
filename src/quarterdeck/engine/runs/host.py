"""The process in which Python handlers run: `python -m quarterdeck.engine.runs.host FD`.

Whatever a handler does (hang, exit, crash, print without end) it does to this process and not to the engine.
It imports only the standard library, so that it starts fast, and ends with the engine that started it.

Engine to host: {"run": [[number, target, payload, seconds, [id, queue, kind, tenant, attempt, max_attempts]], …]},
{"cancel": [number, …]}, {"ping": n}.
Host to engine: {"ended": [[number, how, …], …]}, {"log": [[number, at, level, text], …]},
{"progress": [[number, share], …]}, {"pong": n}. `number` is the engine's own for one attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import inspect
import io
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from quarterdeck.engine.runs.frames import Unpacker, packed

LONGEST_RESULT = 16 * 1024
LONGEST_DETAIL = 16 * 1024
LONGEST_LINE = 100_000
MOST_LINES = 10_000
MOST_CHARACTERS = 1024 * 1024
_FLUSH_SECONDS = 0.05
_CLASSES = ("rate_limit", "validation", "network", "permission", "timeout", "unknown")

_current: contextvars.ContextVar[Job | None] = contextvars.ContextVar("run", default=None)


class Job:
    """What a handler is given: the same as `quarterdeck.worker.Job`, so that a handler can work in either place."""

    def __init__(self, number: int, host: Host, payload: Any, seconds: float, facts: list[Any]) -> None:
        self.id: int
        self.queue: str
        self.kind: str
        self.tenant_id: str
        self.attempt: int
        self.max_attempts: int
        self.id, self.queue, self.kind, self.tenant_id, self.attempt, self.max_attempts = facts
        self.payload = payload
        self.timeout_seconds = seconds
        self._number = number
        self._host = host
        self._lines = 0
        self._characters = 0
        self._begun = ""  # a printed line that has no end yet
        self._stop: asyncio.Event | None = None

    @property
    def cancelled(self) -> asyncio.Event:
        """Set when the run is to stop. A handler that waits for something is also told by CancelledError."""
        if self._stop is None:
            self._stop = asyncio.Event()
        return self._stop

    def log(self, text: object, level: str = "info") -> None:
        """Of one attempt, 10,000 lines or 1 MiB are kept."""
        if self._lines > MOST_LINES or self._characters > MOST_CHARACTERS:
            return
        text = str(text)[:LONGEST_LINE]
        self._lines += 1
        self._characters += len(text)
        self._host.say("log", [self._number, int(time.time() * 1000), str(level), text])

    def progress(self, share: float) -> None:
        """From 0 to 1."""
        self._host.say("progress", [self._number, min(1.0, max(0.0, float(share)))])

    def printed(self, text: str) -> None:
        """Lines of what is printed are lines of the log."""
        if self._lines > MOST_LINES or self._characters > MOST_CHARACTERS:
            self._begun = ""
            return
        *lines, begun = (self._begun + text[: 2 * MOST_CHARACTERS]).split("\n")
        for line in lines:
            self.log(line)
        self._begun = begun[:LONGEST_LINE]

    def rest(self) -> None:
        if self._begun:
            self.log(self._begun)
            self._begun = ""


class _Printed(io.TextIOBase):
    """Standard output: what a handler prints belongs to its run; what nobody's code prints is lost."""

    def write(self, text: str) -> int:
        job = _current.get()
        if job is not None:
            job.printed(text)
        return len(text)

    def writable(self) -> bool:
        return True


class Host:
    """One socket, one loop, a task for each run."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._unpacker = Unpacker()
        self._handlers: dict[str, Any] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._jobs: dict[int, Job] = {}
        self._late: set[int] = set()
        self._said: dict[str, list[Any]] = {}
        self._flushed = 0.0
        self._flush_soon = False

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._read)
        self.say("pong", 0)  # it listens; before that no run's time has begun
        await asyncio.Event().wait()

    def _read(self) -> None:
        try:
            piece = self._socket.recv(1 << 20, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            piece = b""
        if not piece:
            os._exit(0)  # the engine is gone: nobody could take down what happens here
        for message in self._unpacker.feed(piece):
            for number, target, payload, seconds, facts in message.get("run", ()):
                self._begin(number, target, payload, seconds, facts)
            for number in message.get("cancel", ()):
                self._cancel(number)
            if "ping" in message:
                self.say("pong", message["ping"])

    def say(self, what: str, value: Any) -> None:
        """Goes out at the end of this round of the loop; at once where a handler keeps the loop to itself."""
        self._said.setdefault(what, []).append(value)
        if not self._flush_soon:
            self._flush_soon = True
            asyncio.get_running_loop().call_soon(self.flush)
        elif time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Waits while the engine does not read, which also slows down who writes too much."""
        self._flush_soon = False
        said, self._said = self._said, {}
        self._flushed = time.monotonic()
        if said:
            try:
                self._socket.sendall(packed(said))
            except OSError:
                os._exit(0)

    def _begin(self, number: int, target: str, payload: Any, seconds: float, facts: list[Any]) -> None:
        job = Job(number, self, payload, seconds, facts)
        self._jobs[number] = job
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._carry_out(number, job, target))
        self._tasks[number] = task
        limit = loop.call_later(seconds, self._too_late, number)
        task.add_done_callback(lambda _: limit.cancel())

    def _too_late(self, number: int) -> None:
        self._late.add(number)
        self._cancel(number)

    def _cancel(self, number: int) -> None:
        if number in self._tasks:
            self._jobs[number].cancelled.set()
            self._tasks[number].cancel()

    async def _carry_out(self, number: int, job: Job, target: str) -> None:
        _current.set(job)
        said: list[Any]
        try:
            handler = self._handler(target)
            result = await handler(job)
            said = ["completed", _result(result)]
        except asyncio.CancelledError:
            if number in self._late:
                said = [
                    "failed",
                    "timeout",
                    "timeout",
                    f"The attempt was not done after {job.timeout_seconds:g} seconds.",
                ]
            elif job.cancelled.is_set():
                said = ["cancelled"]
            else:
                said = ["failed", "unknown", "CancelledError", "The handler was cancelled by something it waited for."]
        except _BadResult as error:
            said = ["failed", "validation", "bad_result", str(error), None, False]
        except _NoHandler as error:
            said = ["failed", "unknown", "no_handler", str(error), error.detail]
        except SystemExit as error:
            said = ["failed", "unknown", "exit", f"The handler called for the exit of its process ({error.code})."]
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is how its attempt failed
            said = _told(error)
        job.rest()
        self._tasks.pop(number, None)
        self._jobs.pop(number, None)
        self._late.discard(number)
        self.say("ended", [number, *said])

    def _handler(self, target: str) -> Callable[[Job], Awaitable[Any]]:
        found = self._handlers.get(target)
        if found is None:
            found = self._handlers[target] = _find(target)
        return found  # type: ignore[no-any-return]


class _NoHandler(Exception):
    def __init__(self, sentence: str, detail: str | None = None) -> None:
        super().__init__(sentence)
        self.detail = detail


class _BadResult(Exception):
    pass


def _find(target: str) -> Any:
    module, _, name = target.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except BaseException as error:  # noqa: BLE001 - a module may do anything when it is imported
        detail = _tail("".join(traceback.format_exception(error)))
        raise _NoHandler(f"The handler {target} cannot be imported: {_line(error)}.", detail) from None
    if not inspect.iscoroutinefunction(found) and not inspect.iscoroutinefunction(getattr(found, "__call__", None)):  # noqa: B004
        raise _NoHandler(f"The handler {target} is not a coroutine function; write it with `async def`.")
    return found


def _result(value: Any) -> str | None:
    """JSON text, cut to what is kept. Raises _BadResult."""
    if value is None:
        return None
    try:
        said = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _BadResult(f"The handler returned what JSON cannot hold: {_line(error)}.") from None
    return said if len(said) <= LONGEST_RESULT else json.dumps(said[: LONGEST_RESULT // 2] + " …")


def _told(error: BaseException) -> list[Any]:
    """What an exception says of itself, as `quarterdeck.worker.Failed` does: its class, code, and what follows."""
    kind = getattr(error, "error_class", None)
    if not isinstance(kind, str) or str(kind) not in _CLASSES:
        kind = "unknown"
        if isinstance(error, TimeoutError):
            kind = "timeout"
        elif isinstance(error, ConnectionError | socket.gaierror):
            kind = "network"
        elif isinstance(error, PermissionError):
            kind = "permission"
    code, detail = getattr(error, "code", None), getattr(error, "detail", None)
    retryable, after = getattr(error, "retryable", None), getattr(error, "retry_after", None)
    return [
        "failed",
        str(kind),
        code if isinstance(code, str) and code else type(error).__name__,
        _line(error),
        _tail(detail if isinstance(detail, str) else "".join(traceback.format_exception(error))),
        retryable if isinstance(retryable, bool) else None,
        float(after) if isinstance(after, int | float) else None,
    ]


def _line(error: BaseException) -> str:
    try:
        return (str(error) or type(error).__name__)[:10_000]
    except Exception:  # noqa: BLE001 - its own __str__ is broken
        return type(error).__name__


def _tail(text: str) -> str:
    """The end of a traceback says the most."""
    return text if len(text) <= LONGEST_DETAIL else "… " + text[-LONGEST_DETAIL + 2 :]


def _end_with_parent() -> None:
    """A handler that keeps the loop to itself would not see that the engine is gone. Linux only."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main() -> None:
    parent = int(sys.argv[2])
    _end_with_parent()
    if os.getppid() != parent:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr = _Printed()
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(connection.fileno(), False)
    try:
        asyncio.run(Host(connection).serve())
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
