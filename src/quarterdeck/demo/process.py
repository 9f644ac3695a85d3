"""The process behind the demo world, from outside: whether there is one, starting and stopping it, and who looks."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from quarterdeck.config.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator


def lock_file(home: Home) -> Path:
    """Held by the process; its pid stands in it."""
    return home.path / "demo.lock"


def watchers_file(home: Home) -> Path:
    """Shared by every demo console that is open."""
    return home.path / "demo.watchers"


def running(home: Home) -> int | None:
    """The pid of the process that moves this world, if there is one."""
    try:
        with lock_file(home).open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdigit() else None
    except FileNotFoundError:
        pass
    return None


def start(home: Home) -> None:
    """Start the process in a session of its own, unless there is one."""
    if running(home) is not None:
        return
    log = os.open(home.path / "demo.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", "quarterdeck.demo", "--home", str(home.path)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)


async def stop(home: Home, patience: float = 10.0) -> int | None:
    """End the process; its pid, or None where there was none. Raises TimeoutError."""
    pid = running(home)
    if pid is None:
        return None
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return None
    deadline = time.monotonic() + patience
    while running(home) == pid:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The demo's process {pid} does not end.")
        await asyncio.sleep(0.02)
    return pid


@contextmanager
def watching(home: Home) -> Iterator[None]:
    """While a demo console is open."""
    with watchers_file(home).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_watched(home: Home) -> bool:
    with watchers_file(home).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def own(home: Home) -> Iterator[IO[str] | None]:
    """While this process moves the world; None where another one does."""
    with lock_file(home).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file
