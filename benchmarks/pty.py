"""A program on a pseudo-terminal, timed from outside: from the key press to the last byte that it caused."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

KEYS = {"down": b"\x1b[B", "up": b"\x1b[A", "end": b"\x1b[F", "home": b"\x1b[H", "pgdn": b"\x1b[6~", "esc": b"\x1b"}
_PRIVATE = re.compile(rb"\x1b\[[<=>?][0-9;]*\$?[a-zA-Z]")


class NotReady(Exception):
    """What was waited for did not come; the text is the screen."""


@dataclass
class Answers:
    """What keys caused. Milliseconds and bytes, one of each for every key that was answered."""

    first_ms: list[float] = field(default_factory=list)
    last_ms: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def mean_bytes(self) -> float:
        return sum(self.sizes) / max(1, len(self.sizes))


class Timed:
    """Use as a context manager; the program is ended at the end."""

    def __init__(self, command: Sequence[str], size: tuple[int, int], environment: Mapping[str, str]) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), dict(environment))
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.first_byte: float | None = None

    def __enter__(self) -> Timed:
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self._fd)
                    return
                self._read(0.02)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def seconds_until(self, pattern: str, timeout: float = 60) -> float:
        """From the start until the pattern stands on the screen. Raises NotReady."""
        wanted = re.compile(pattern)
        while not wanted.search(self.text):
            if time.perf_counter() - self._began > timeout:
                raise NotReady(self.text)
            self._read(0.02)
        return time.perf_counter() - self._began

    def settle(self, quiet: float = 0.5, most: float = 5) -> None:
        stop = time.perf_counter() + most
        while time.perf_counter() < stop and self._read(quiet):
            pass

    def press(self, key: str, times: int = 1, quiet: float = 0.06) -> Answers:
        """Press a key again and again; a burst of answers ends after `quiet` seconds without a byte."""
        answers = Answers()
        for _ in range(times):
            began = time.perf_counter()
            os.write(self._fd, KEYS.get(key, key.encode()))
            first, last, size = None, None, 0
            stop = began + 2
            while time.perf_counter() < stop and (data := self._read(quiet)):
                last = time.perf_counter()
                first = first or last
                size += len(data)
            if first and last:
                answers.first_ms.append((first - began) * 1e3)
                answers.last_ms.append((last - began) * 1e3)
                answers.sizes.append(size)
        return answers

    def milliseconds_until_moved(self, key: str, sign: str = "▸", timeout: float = 5) -> float:
        """From a key press until the line with the cursor sign is another one, whatever else is drawn meanwhile."""
        before = self._line_with(sign)
        began = time.perf_counter()
        os.write(self._fd, KEYS.get(key, key.encode()))
        while self._line_with(sign) in (before, None):
            if time.perf_counter() - began > timeout:
                raise NotReady(self.text)
            self._read(0.02)
        return (time.perf_counter() - began) * 1e3

    def _line_with(self, sign: str) -> int | None:
        return next((y for y, line in enumerate(self.screen.display) if line.startswith(sign)), None)

    def bytes_in(self, seconds: float) -> int:
        """What the program sends when nobody touches it."""
        stop, size = time.perf_counter() + seconds, 0
        while (left := stop - time.perf_counter()) > 0:
            size += len(self._read(left))
        return size

    def peak_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def _read(self, wait: float) -> bytes:
        if not select.select([self._fd], [], [], wait)[0]:
            return b""
        try:
            data = os.read(self._fd, 65_536)
        except OSError:
            return b""
        if self.first_byte is None:
            self.first_byte = time.perf_counter() - self._began
        if b"\x1b[c" in data:  # answer as a terminal does
            os.write(self._fd, b"\x1b[?62;22c")
        self._stream.feed(_PRIVATE.sub(b"", data))
        return data
