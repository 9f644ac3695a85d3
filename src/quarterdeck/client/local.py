"""The engine of a home on this machine: start it, stop it, connect to it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarterdeck import __version__
from quarterdeck.client.errors import Unreachable, VersionMismatch
from quarterdeck.client.finding import answers, engine_running
from quarterdeck.config.home import Home, HomeError
from quarterdeck.contract.operations import bulk, system
from quarterdeck.contract.operations.base import API_NUMBER
from quarterdeck.contract.principal import Principal

if TYPE_CHECKING:  # finding and starting an engine takes no HTTP library, and must not wait for one
    from quarterdeck.client.client import Client

OnWait = Callable[[str], None]

# A store that is migrated is copied aside first; that can take a while, and it is alive meanwhile.
START_SECONDS = 300.0
STOP_SECONDS = 60.0
_LOOK_SECONDS = 0.01
_ALREADY_RUNNING = 4  # the engine's exit code when another one has the home

_LOG_PREFIX = re.compile(r"^\S+Z [A-Z]+ [\w.]+: ")


_begun: dict[Path, tuple[int, int]] = {}  # home -> child and the size of its log when it was started


def begin(home: Home) -> None:
    """Starts an engine if none runs, and does not wait: `connect` does. Raises Unreachable, HomeError."""
    if not answers(home) and engine_running(home) is None:
        home.create()
        _begun[home.path] = (_spawn(home), _size(home.log))


async def connect(
    home: Home, *, start: bool = True, act_as: Principal | None = None, on_wait: OnWait | None = None
) -> Client:
    """A client of the home's engine, started when none answers and `start` says so.

    `on_wait` is told what is waited for. Raises Unreachable, VersionMismatch, HomeError.
    """
    await _reach(home, start=start, on_wait=on_wait)
    from quarterdeck.client.client import Client
    from quarterdeck.client.transport import LocalAddress

    async def revive() -> None:
        if not answers(home):
            await _reach(home, start=start, on_wait=None)
            await client.reopen()

    client = Client(LocalAddress(home), act_as=act_as, revive=revive)
    try:
        client.info = await client.call(system.ENGINE)
        if client.info["version"] != __version__:
            await _replace(home, client, start=start, on_wait=on_wait)
    except BaseException:
        await client.close()
        raise
    return client


async def start_engine(home: Home, *, on_wait: OnWait | None = None) -> int:
    """Starts an engine unless one runs; returns its pid when it answers. Raises Unreachable, HomeError."""
    await _reach(home, start=True, on_wait=on_wait)
    pid = engine_running(home)
    if pid is None:
        raise Unreachable(f"The engine of {home.path} has stopped again; {home.log} says why.")
    return pid


async def stop_engine(home: Home, *, patience: float = STOP_SECONDS) -> int | None:
    """Stops the home's engine after the batches in flight; its pid, or None where none runs.

    Raises Unreachable where it does not end within `patience` seconds.
    """
    pid = engine_running(home)
    if pid is None:
        return None
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise Unreachable(f"The engine of {home.path} (pid {pid}) belongs to somebody else.") from error
    deadline = time.monotonic() + patience
    while engine_running(home) == pid:
        if time.monotonic() > deadline:
            raise Unreachable(
                f"The engine of {home.path} (pid {pid}) is still finishing its batches; look at {home.log}."
            )
        await asyncio.sleep(_LOOK_SECONDS)
    return pid


async def _reach(home: Home, *, start: bool, on_wait: OnWait | None) -> None:
    """Returns when the home's engine answers. Raises Unreachable."""
    if answers(home):
        return
    child: int | None = None
    log_from = 0
    if home.path in _begun:
        child, log_from = _begun.pop(home.path)
    elif engine_running(home) is None:
        if not start:
            raise Unreachable(f"No engine runs for {home.path}; start one with: qd engine start.")
        home.create()
        log_from = _size(home.log)
        child = _spawn(home)
    if on_wait is not None:
        on_wait("Starting the engine" if child else "Waiting for the engine")
    deadline = time.monotonic() + START_SECONDS
    while not answers(home):
        if child is not None:
            code = _exit_code(child)
            if code is not None and code != _ALREADY_RUNNING:
                raise Unreachable(f"The engine did not start: {_last_line(home.log, log_from, code)}")
            if code is not None:  # somebody else was faster: wait for theirs
                child = None
        elif engine_running(home) is None:
            raise Unreachable(f"The engine of {home.path} has stopped: {_last_line(home.log, 0, None)}")
        if time.monotonic() > deadline:
            raise Unreachable(f"The engine of {home.path} runs but does not answer; {home.log} may say why.")
        await asyncio.sleep(_LOOK_SECONDS)


def _spawn(home: Home) -> int:
    """A session of its own: what ends this terminal does not end the engine."""
    try:
        log = os.open(home.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HomeError(f"Cannot write to {home.log}: {error.strerror}.") from error
    try:
        return os.posix_spawn(
            sys.executable,
            # -P: the engine comes from where it is installed, whatever lies in the current folder.
            [sys.executable, "-P", "-m", "quarterdeck.engine", "--home", str(home.path)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise Unreachable(f"Cannot start {sys.executable}: {error.strerror}.") from error
    finally:
        os.close(log)


def _exit_code(child: int) -> int | None:
    """None while it lives."""
    ended, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


async def _replace(home: Home, client: Client, *, start: bool, on_wait: OnWait | None) -> None:
    """Puts an engine of this version in the place of an idle one of another. Raises VersionMismatch."""
    theirs, pid = client.info["version"], client.info["pid"]
    what = f"The engine of {home.path} (pid {pid}) is version {theirs}, this is {__version__}"
    if not start:
        if client.info["api"] != API_NUMBER:
            raise VersionMismatch(f"{what}; stop it with: qd engine stop.")
        return
    if await _at_work(client):
        if client.info["api"] != API_NUMBER:
            raise VersionMismatch(f"{what}, and it is at work; wait for its bulk operations, then: qd engine stop.")
        return  # older or newer, but it speaks the same API
    if on_wait is not None:
        on_wait(f"Replacing the engine, version {theirs}")
    await stop_engine(home)
    await _reach(home, start=True, on_wait=on_wait)
    await client.reopen()
    client.info = await client.call(system.ENGINE)
    if client.info["version"] != __version__:
        raise VersionMismatch(f"{what}, and it came back as {client.info['version']}; check which one is installed.")


async def _at_work(client: Client) -> bool:
    found: dict[str, Any] = await client.call(bulk.LIST, query={"running": True, "limit": 1})
    return bool(found["items"])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _last_line(log: Path, start: int, code: int | None) -> str:
    """The last thing the engine said, as a sentence."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    said = _LOG_PREFIX.sub("", lines[-1]) if lines else f"it ended with exit code {code}"
    return f"{said.rstrip('.')}. See {log}."
