"""The worker processes of the demo: started, started again when they crash, ended with the world."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from quarterdeck.config.home import Home

# Starting a process costs a second of work; one after the other leaves room for whoever looks.
_APART_SECONDS = 0.7
_AGAIN_SECONDS = 2.0
_PATIENCE_SECONDS = 5.0


async def man(home: Home, stopping: asyncio.Event) -> None:
    """Keeps every post manned until `stopping` is set; then no process is left."""
    from quarterdeck.demo.workers import POSTS

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(POSTS):
            group.create_task(_keep(home, name, number * _APART_SECONDS, stopping))


async def _keep(home: Home, name: str, delay: float, stopping: asyncio.Event) -> None:
    while not await waited(stopping, delay):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "quarterdeck.demo.workers", "--home", str(home.path), "--name", name),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            stop = asyncio.create_task(stopping.wait())
            end = asyncio.create_task(process.wait())
            await asyncio.wait({stop, end}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        finally:
            await _end(process)
        delay = _AGAIN_SECONDS


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def waited(stopping: asyncio.Event, seconds: float) -> bool:
    """Whether `stopping` was set within that time."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return False
    return True
