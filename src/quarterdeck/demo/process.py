"""The process behind the demo world. It ends on request, when nobody has looked for a while, or with the engine; where
somebody looks, it waits for the engine to come back."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import IO, TYPE_CHECKING, Any

from quarterdeck.client.errors import Unreachable
from quarterdeck.client.finding import answers
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.problems import Problem
from quarterdeck.demo import alarms, machines
from quarterdeck.demo.crew import man, waited
from quarterdeck.demo.life import Life, live
from quarterdeck.demo.sink import receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds without a demo console after which the world stops turning.
UNSEEN_SECONDS = 600.0
_LOOK_SECONDS = 5.0
_RETURN_SECONDS = 0.5  # from one look for an engine that is away to the next
_ENGINE_GONE = -1


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


def stop(home: Home, patience: float = 10.0) -> int | None:
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
        time.sleep(0.02)
    return pid


@contextmanager
def watching(home: Home) -> Iterator[None]:
    """While a demo console is open."""
    with watchers_file(home).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _is_watched(home: Home) -> bool:
    with watchers_file(home).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def _look_for_watchers(home: Home, stopping: asyncio.Event) -> bool:
    """Whether nobody has looked for so long that the world stops."""
    seen = time.monotonic()
    while not await waited(stopping, _LOOK_SECONDS):
        if _is_watched(home):
            seen = time.monotonic()
        elif time.monotonic() - seen > UNSEEN_SECONDS:
            stopping.set()
            return True
    return False


async def _turn(home: Home) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    random = Random()
    try:
        async with AsyncExitStack() as stack:
            target = await stack.enter_async_context(receiver(random))
            # Whoever acts in this world does so under a name, which belongs to a client.
            people, shops, on_call, monitor = [
                await stack.enter_async_context(await connect(home, start=False)) for _ in range(4)
            ]
            await machines.prepare(people, target, random)
            await alarms.watch(people)
            unseen = await _together(
                stopping,
                _look_for_watchers(home, stopping),
                live(Life(people), stopping),
                machines.feed(shops, random, stopping),
                machines.on_call(on_call, random, stopping),
                alarms.monitor(monitor, random, stopping),
                man(home, stopping),
            )
            if unseen:
                await machines.clear_up(on_call)
    except Unreachable:
        return _ENGINE_GONE  # has stopped, and with it the world
    except Problem as problem:
        print(f"The demo world has stopped: {problem.detail}", file=sys.stderr, flush=True)
        return 1
    return 0


async def _together(
    stopping: asyncio.Event, first: Coroutine[Any, Any, bool], *others: Coroutine[Any, Any, None]
) -> bool:
    """What the first one says. One that raises stops all; its error is raised when they have ended."""
    tasks = [asyncio.create_task(each) for each in (first, *others)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stopping.set()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        task.result()
    return bool(tasks[0].result())


def main(home: Home) -> int:
    """Run until stopped. A second process for the same home ends at once."""
    with _own(home) as file:
        if file is None:
            return 0
        while (code := asyncio.run(_turn(home))) == _ENGINE_GONE:
            if not _comes_back(home):
                return 0
        return code


def _comes_back(home: Home) -> bool:
    """Whether an engine answers again; asked for as long as a console that could start it is open."""
    while _is_watched(home):
        if answers(home):
            return True
        time.sleep(_RETURN_SECONDS)
    return False


@contextmanager
def _own(home: Home) -> Iterator[IO[str] | None]:
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
