"""Whether a home has an engine on this machine, and where that listens. Takes no HTTP library."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from quarterdeck.config.home import Home, HomeError


def engine_running(home: Home) -> int | None:
    """The pid of the engine that has this home, starting or serving; None where there is none."""
    try:
        lock = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise HomeError(f"Cannot read {home.lock}: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        first = os.pread(lock, 4096, 0).partition(b"\n")[0]
        return int(first) if first.isdigit() else None
    finally:
        os.close(lock)
    return None


def socket_of(home: Home) -> Path:
    """Where the home's engine listens: what the lock file says, else where one would.

    The two differ when the engine was started with another XDG_RUNTIME_DIR.
    """
    try:
        said = home.lock.read_text().splitlines()[1]
    except (OSError, IndexError):
        said = ""
    return Path(said) if said else home.socket


def answers(home: Home) -> bool:
    """Whether something listens on the home's socket."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(os.fspath(socket_of(home)))
    except OSError:
        return False
    finally:
        probe.close()
    return True
