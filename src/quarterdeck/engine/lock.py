"""One engine per home: a lock that the kernel drops with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

# Somebody who only looks whether an engine runs holds the lock for a moment.
_PATIENCE_SECONDS = 0.5


class AlreadyRunning(Exception):
    """Another engine has this home."""

    def __init__(self, pid: int | None, path: Path) -> None:
        who = f"Another engine (pid {pid})" if pid else "Another engine"
        super().__init__(f"{who} already runs for {path.parent}; use it, or stop it with: qd engine stop.")
        self.pid = pid


class Lock:
    """Holds `path` until `release`. The file says who holds it: the pid, then the socket, a line each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    pid = self._holder()
                    os.close(self._file)
                    raise AlreadyRunning(pid, path) from None
                time.sleep(0.02)

    def say(self, socket: Path | None) -> None:
        """Write who holds it and where it listens."""
        text = f"{os.getpid()}\n{socket or ''}\n".encode()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text, 0)

    def release(self) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)

    def _holder(self) -> int | None:
        first = os.pread(self._file, 4096, 0).partition(b"\n")[0]
        return int(first) if first.isdigit() else None
