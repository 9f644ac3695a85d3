"""A person at a pseudo-terminal: starts a program, presses keys, reads the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tests.support.keys import encode
from tests.support.screen import Screen

PATIENCE = 30.0
Found = TypeVar("Found")


class NotSeen(AssertionError):
    """What was waited for did not come; the message holds the screen."""


class Terminal:
    """Runs `command` as the leader of its own session on a pseudo-terminal.

    Every method that waits has a deadline in seconds and raises NotSeen with the screen when it passes.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.screen = Screen(columns, lines)
        surroundings = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            if name not in (environment or {}):
                surroundings.pop(name, None)
        self._master, slave = pty.openpty()
        self._set_size(columns, lines)
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=surroundings,
            start_new_session=True,
            preexec_fn=_own_the_terminal,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        return self.screen.text

    @property
    def raw(self) -> bytes:
        """Every byte that the program has sent."""
        return bytes(self.screen.raw)

    def press(self, *keys: str) -> None:
        """Keys by name (`down`, `enter`, `ctrl+c`), or text to type."""
        for key in keys:
            os.write(self._master, encode(key))
            self._read(0.02)

    def wait_for(self, pattern: str, *, seconds: float = PATIENCE) -> re.Match[str]:
        """Wait until the regular expression stands on the screen."""
        compiled = re.compile(pattern)
        found = self._until(lambda: compiled.search(self.text), f"/{pattern}/", seconds)
        assert found is not None
        return found

    def wait_until_gone(self, pattern: str, *, seconds: float = PATIENCE) -> None:
        compiled = re.compile(pattern)
        self._until(lambda: not compiled.search(self.text), f"no /{pattern}/", seconds)

    def wait_for_exit(self, *, seconds: float = PATIENCE) -> int:
        """The exit code of the program."""
        self._until(lambda: self.process.poll() is not None, "the end of the program", seconds)
        while self._read(0.05):
            pass
        code = self.process.returncode
        assert code is not None
        return code

    def settle(self, *, quiet: float = 0.3, seconds: float = PATIENCE) -> None:
        """Read until the program has sent nothing for `quiet` seconds."""
        deadline = time.monotonic() + seconds
        while self._read(quiet):
            if time.monotonic() > deadline:
                raise NotSeen(f"The program never stopped sending. The screen:\n{self.text}")

    def resize(self, columns: int, lines: int) -> None:
        self._set_size(columns, lines)
        self.screen.resize(columns, lines)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def hang_up(self) -> None:
        """What a dropped connection does: the terminal goes away and the kernel sends SIGHUP."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """End the program if it still runs, and give the terminal back."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                deadline = time.monotonic() + 5
                while self.process.poll() is None and time.monotonic() < deadline:
                    self._read(0.05)
            finally:
                if self.process.poll() is None:
                    self.process.kill()
        self.process.wait()
        self.hang_up()

    def _until(self, condition: Callable[[], Found], what: str, seconds: float) -> Found:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise NotSeen(f"Waited {seconds:g} s for {what}. The screen:\n{self.text}")
            if not self._read(0.05) and self.process.poll() is not None and not self._read(0.05):
                if found := condition():
                    return found
                raise NotSeen(f"The program ended ({self.process.returncode}) before {what}. The screen:\n{self.text}")
        return found

    def _read(self, wait: float) -> bytes:
        if self._master < 0:
            time.sleep(wait)
            return b""
        ready, _, _ = select.select([self._master], [], [], wait)
        if not ready:
            return b""
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # EIO: the other side has closed
            time.sleep(wait)
            return b""
        answer = self.screen.feed(data)
        if answer:
            os.write(self._master, answer)
        return data

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _own_the_terminal() -> None:
    """In the child: the pseudo-terminal becomes the controlling one, so that closing it hangs the program up."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
