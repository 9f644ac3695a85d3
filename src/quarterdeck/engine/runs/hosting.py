"""One host process, as the engine sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from json.encoder import encode_basestring_ascii as _said
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.engine.runs.attempts import Attempt, Why
from quarterdeck.engine.runs.executors import Failure, HolderDied, Released
from quarterdeck.engine.runs.frames import BrokenFrame, Unpacker, pack, packed
from quarterdeck.engine.runs.outcomes import Completed

if TYPE_CHECKING:
    from quarterdeck.engine.runs.executors import Ended

log = logging.getLogger(__name__)

# What is past its time, or was told to stop, may take so long to end before its process is ended.
PATIENCE_SECONDS = 2.0
# A process on a busy machine may take so long to start; the time of a run begins when it listens.
STARTING_SECONDS = 20.0
_PING_SECONDS = 0.25
_CLASSES = frozenset(map(str, ErrorClass))
_LARGEST_FRAME = 8 * 1024 * 1024  # characters of payloads together; a larger one has a frame of its own


class Work:
    """One attempt in a host. `ends_by` is on the loop's clock: then its process is ended, if need be."""

    __slots__ = ("attempt", "ended", "ends_by", "number", "seconds", "target")

    def __init__(self, number: int, attempt: Attempt, target: str, ended: Ended) -> None:
        self.number = number
        self.attempt = attempt
        self.target = target
        self.ended = ended
        self.seconds = attempt.run.timeout_ms / SECOND
        self.ends_by = 0.0

    def end(self, error: Exception) -> None:
        self.ended(self.attempt.outcome_of(error))


class HostProcess(asyncio.Protocol):
    """Started at once; what is sent before it listens waits in its socket. `gone` is called when it has ended.

    Raises Failure where no process can be started.
    """

    def __init__(self, gone: Callable[[HostProcess], None]) -> None:
        self.works: dict[int, Work] = {}
        self.is_alive = True
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._unpacker = Unpacker()
        self._outbox: list[str] = []
        self._transport: asyncio.Transport | None = None
        self._pinged: float | None = None  # an unanswered one
        self._answered = self._idle_since = self._loop.time()
        self._listens = False
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-P", "-m", "quarterdeck.engine.runs.host", str(theirs.fileno()), str(os.getpid())]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            raise Failure(
                ErrorClass.UNKNOWN, "no_process", f"No process could be started for it ({error.strerror or error})."
            ) from error
        finally:
            theirs.close()
        self._connecting = asyncio.ensure_future(self._loop.create_connection(lambda: self, sock=ours))

    # ----- what the pool asks

    @property
    def is_idle(self) -> bool:
        return not self.works

    def idle_seconds(self) -> float:
        return 0.0 if self.works else self._loop.time() - self._idle_since

    def is_silent(self, seconds: float) -> bool:
        """Whether it has left a question unanswered for so long: a handler keeps its loop to itself."""
        return self._listens and self._pinged is not None and self._loop.time() - self._pinged > seconds

    def send(self, work: Work) -> None:
        if not self.is_alive:
            work.end(Released())
            return
        run = work.attempt.run
        work.attempt.when_stopped = partial(self.cancel, work)
        start = 0.0 if self._listens else STARTING_SECONDS
        work.ends_by = self._loop.time() + start + work.seconds + PATIENCE_SECONDS
        self.works[work.number] = work
        names = f"{_said(run.queue)},{_said(run.kind)},{_said(run.tenant_id)}"
        facts = f"[{run.id},{names},{run.attempt},{run.max_attempts}]"
        # The payload is JSON already and goes through as it is.
        self._put(f"[{work.number},{_said(work.target)},{run.body or 'null'},{work.seconds},{facts}]")

    def cancel(self, work: Work) -> None:
        """Told to stop; its time to do so is short."""
        if work.number in self.works:
            wait = PATIENCE_SECONDS if work.attempt.why is Why.CANCELLED else 0.5
            work.ends_by = min(work.ends_by, self._loop.time() + wait)
            self._flush()
            self._say(packed({"cancel": [work.number]}))

    def check(self) -> bool:
        """Ends the process where a handler does not end in its time. Whether it has something to do."""
        now = self._loop.time()
        late = [work for work in self.works.values() if work.ends_by < now]
        if late:
            for work in late:
                del self.works[work.number]
                sentence = f"The attempt was not done after {work.seconds:g} seconds and did not stop when told to;"
                work.end(Failure(ErrorClass.TIMEOUT, "timeout", f"{sentence} its process was ended."))
            self.kill()
        elif self.works and self._pinged is None and now - self._answered > _PING_SECONDS:
            self._pinged = now
            self._say(packed({"ping": 1}))
        return bool(self.works)

    def kill(self) -> None:
        """What runs in it is given back: it is not why the process has to go."""
        self._end(Released)

    # ----- the line

    def _put(self, run: str) -> None:
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.append(run)

    def _flush(self) -> None:
        while self._outbox and self.is_alive:
            taken, size = 0, 0
            while taken < len(self._outbox) and (taken == 0 or size + len(self._outbox[taken]) < _LARGEST_FRAME):
                size += len(self._outbox[taken])
                taken += 1
            now, self._outbox = self._outbox[:taken], self._outbox[taken:]
            self._say(pack(f'{{"run":[{",".join(now)}]}}'))

    def _say(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frame)
        else:
            self._connecting.add_done_callback(
                lambda _: self._transport.write(frame) if self._transport is not None else None
            )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self.is_alive:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._answered, self._pinged = self._loop.time(), None
        if not self._listens:
            self._listens = True
            for early in self.works.values():
                early.ends_by = min(early.ends_by, self._answered + early.seconds + PATIENCE_SECONDS)
        try:
            for message in self._unpacker.feed(data):
                for number, at, level, text in message.get("log", ()):
                    if (work := self.works.get(number)) is not None:
                        work.attempt.write(level, text, at)
                for number, share in message.get("progress", ()):
                    if (work := self.works.get(number)) is not None:
                        work.attempt.shown = share
                for number, *how in message.get("ended", ()):
                    if (work := self.works.pop(number, None)) is not None:
                        self._ended(work, how)
        except (BrokenFrame, ValueError, TypeError, AttributeError) as error:
            log.warning("a handler's process said what nobody understands (%s); it is ended", error)
            self._end(HolderDied)
        if not self.works:
            self._idle_since = self._loop.time()

    def _ended(self, work: Work, how: list[Any]) -> None:
        match how:
            case ["completed", (str() | None) as result]:
                work.ended(Completed(*work.attempt.run.held, result))
            case ["cancelled"]:
                work.end(Released())
            case ["failed", str(kind), str(code), str(message), *more]:
                detail, retryable, after = (*more, None, None, None)[:3]
                said = ErrorClass(kind) if kind in _CLASSES else ErrorClass.UNKNOWN
                work.end(Failure(said, code, message, detail=detail, retryable=retryable, retry_after=after))
            case _:
                work.end(HolderDied())
                raise ValueError(f"{str(how)[:100]} is no ending")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(HolderDied)

    def _end(self, why: type[Exception]) -> None:
        if not self.is_alive:
            return
        self.is_alive = False
        # What the handlers have started goes with them.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._transport is not None:
            self._transport.abort()
        works, self.works = list(self.works.values()), {}
        for work in works:
            work.end(why())
        self._gone(self)
        self._loop.run_in_executor(None, self._process.wait)
