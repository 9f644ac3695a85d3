"""What a handler is given, and how it says that it failed."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from quarterdeck.contract.clock import iso, now_ms
from quarterdeck.contract.enums import ErrorClass, LogLevel

# A handler that writes faster than its lines are taken loses the oldest ones and hears of it in the log.
MOST_LINES_WAITING = 10_000
_LONGEST_LINE = 100_000


class Failed(Exception):
    """Raised by a handler: the attempt failed, and why.

    `retryable` and `retry_after` (seconds) override what the class says; `code` is what failures are grouped by.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "failed",
        error_class: ErrorClass | str = ErrorClass.UNKNOWN,
        detail: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.error_class = ErrorClass(error_class)
        self.detail = detail
        self.retryable = retryable
        self.retry_after = retry_after


@dataclass(eq=False)
class Job:
    """One attempt at a run. `cancelled` is set when nobody wants its result any more.

    `log` and `progress` wait for nothing and may be called from any thread.
    """

    id: int
    queue: str
    kind: str
    tenant_id: str
    payload: Any
    attempt: int
    max_attempts: int
    timeout_seconds: float
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    share: float | None = None
    _lines: deque[dict[str, str]] = field(default_factory=deque, repr=False)
    _dropped: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def log(self, text: object, level: LogLevel | str = LogLevel.INFO) -> None:
        """One line of the run's log."""
        line = {"level": str(LogLevel(level)), "text": clean(str(text), _LONGEST_LINE), "at": iso(now_ms())}
        with self._lock:
            self._lines.append(line)
            if len(self._lines) > MOST_LINES_WAITING:
                self._lines.popleft()
                self._dropped += 1

    def progress(self, share: float) -> None:
        """How much is done, from 0 to 1."""
        self.share = min(max(float(share), 0.0), 1.0)

    def take_lines(self, most: int) -> list[dict[str, str]]:
        """The oldest lines that were not taken yet."""
        with self._lock:
            taken = [self._lines.popleft() for _ in range(min(most, len(self._lines)))]
            dropped, self._dropped = self._dropped, 0
        if dropped:
            text = f"{dropped} lines before this one were written too fast to be kept."
            taken.insert(0, {"level": str(LogLevel.WARNING), "text": text, "at": iso(now_ms())})
        return taken


def clean(text: str, longest: int) -> str:
    """What an engine takes: no U+0000, no half characters, not too long."""
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= longest else text[: longest - 2] + " …"
