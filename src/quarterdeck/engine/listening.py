"""The engine's own socket: 0600 in a folder of 0700, so only its owner can talk to it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path


class SocketError(Exception):
    """One sentence naming the path."""


def bind(path: Path) -> socket.socket:
    """A bound socket at `path`. Call it only while holding the engine's lock: what lies there is then stale.

    Raises SocketError.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        pass
    else:
        if not stat.S_ISSOCK(found.st_mode):
            raise SocketError(f"{path} is in the way and is no socket; move it elsewhere.")
        path.unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(os.fspath(path))
    except OSError as error:
        made.close()
        raise SocketError(f"Cannot make the socket {path}: {error.strerror or error}.") from error
    finally:
        os.umask(before)
    made.setblocking(False)
    return made


def is_ours(path: Path, made: os.stat_result) -> bool:
    """Whether the file at `path` is still the one that was made: logging out can take its folder away."""
    try:
        now = path.lstat()
    except OSError:
        return False
    return (now.st_ino, now.st_dev) == (made.st_ino, made.st_dev)
