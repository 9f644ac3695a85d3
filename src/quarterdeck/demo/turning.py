"""The demo world as it turns. It ends on request, when nobody has looked for a while, or with the engine; where
somebody looks, it waits for the engine to come back."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from quarterdeck.client.errors import Unreachable
from quarterdeck.client.finding import answers
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.problems import Problem
from quarterdeck.demo import alarms, machines
from quarterdeck.demo.crew import man, waited
from quarterdeck.demo.life import Life, live
from quarterdeck.demo.process import is_watched, own
from quarterdeck.demo.sink import receiver

# Seconds without a demo console after which the world stops turning.
UNSEEN_SECONDS = 600.0
_LOOK_SECONDS = 5.0
_RETURN_SECONDS = 0.5  # from one look for an engine that is away to the next
_ENGINE_GONE = -1


async def _look_for_watchers(home: Home, stopping: asyncio.Event) -> bool:
    """Whether nobody has looked for so long that the world stops."""
    seen = time.monotonic()
    while not await waited(stopping, _LOOK_SECONDS):
        if is_watched(home):
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
    with own(home) as file:
        if file is None:
            return 0
        return asyncio.run(_turn_on(home))


async def _turn_on(home: Home) -> int:
    while (code := await _turn(home)) == _ENGINE_GONE:
        if not await _comes_back(home):
            return 0
    return code


async def _comes_back(home: Home) -> bool:
    """Whether an engine answers again; asked for as long as a console that could start it is open."""
    while is_watched(home):
        if answers(home):
            return True
        await asyncio.sleep(_RETURN_SECONDS)
    return False
