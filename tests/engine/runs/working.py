"""Handlers that behave and handlers that do not, for the tests of python queues."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import Any

from quarterdeck.worker import Failed


async def echo(job: Any) -> Any:
    return job.payload


async def tell(job: Any) -> dict[str, Any]:
    job.log("hello")
    print("printed", job.kind)
    print("no end", end="")
    job.progress(0.5)
    return {"attempt": job.attempt, "tenant": job.tenant_id, "queue": job.queue, "pid": os.getpid()}


async def fail(job: Any) -> None:
    raise Failed("the card was refused", **job.payload)


async def crash(job: Any) -> None:
    raise ZeroDivisionError("by \0 zero \ud800")


async def nonsense(job: Any) -> Any:
    return {"set": {1, 2}, "nan": float("nan")}


async def much(job: Any) -> Any:
    return "x" * 100_000


async def leave(job: Any) -> None:
    sys.exit(3)


async def die(job: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def die_if_told(job: Any) -> Any:
    """A neighbour that does nothing waits for as long as it is told."""
    job.log(f"attempt {job.attempt}")
    if job.payload == "die":
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.2)
    return os.getpid()


def note(job: Any, what: str) -> None:
    with open(job.payload, "a") as file:
        file.write(f"{job.id} {what}\n")


async def wait(job: Any) -> None:
    note(job, "began")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        note(job, f"stopped {job.cancelled.is_set()}")
        raise


async def hang(job: Any) -> Any:
    """Keeps the loop to itself, if it is told to."""
    if job.payload == "hang":
        time.sleep(600)  # noqa: ASYNC251
    await asyncio.sleep(0.5)
    return "done"


async def stubborn(job: Any) -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            job.log("no")


async def chatter(job: Any) -> str:
    line = "y" * 1_000
    for _ in range(job.payload):
        print(line)
    os.write(1, b"past everything" * 1_000)
    return "said"


async def brood(job: Any) -> None:
    job.log("quoth \u001b]52; the raven")
    await asyncio.sleep(job.payload)


def not_a_coroutine(job: Any) -> None: ...
