"""The receiver of the demo's webhooks: another system on loopback, with good and bad days."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from quarterdeck.demo.faults import ANSWERS

# Every few minutes it is down for a while.
_PERIOD, _DOWN = 420.0, 40.0
_REASONS = {200: "OK", 301: "Moved Permanently", 422: "Unprocessable Content", 429: "Too Many Requests"}


@asynccontextmanager
async def receiver(random: Random) -> AsyncIterator[str]:
    """Listens until left; yields its address. Raises OSError."""
    talking: set[asyncio.Task[None]] = set()
    began = time.monotonic()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(_length(head))
                writer.write(await _answer(random, time.monotonic() - began))
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            return  # whoever sent it has gone, or speaks no HTTP; or the world ends
        finally:
            talking.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    finally:
        server.close()
        for task in tuple(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def _answer(random: Random, age: float) -> bytes:
    status = 503 if age % _PERIOD > _PERIOD - _DOWN else _drawn(random)
    await asyncio.sleep(6.0 if random.random() < 0.01 else random.lognormvariate(-3, 0.8))
    more = {429: ["retry-after: 5"], 301: ["location: https://shop.example.org/new-hooks"]}.get(status, [])
    said = {"ok": status == 200} if status != 422 else {"error": "unknown_order", "field": "order"}
    body = json.dumps(said).encode()
    reason = _REASONS.get(status, "Service Unavailable")
    lines = [f"HTTP/1.1 {status} {reason}", "content-type: application/json", f"content-length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _drawn(random: Random) -> int:
    drawn = random.randrange(1_000)
    for status, weight in ANSWERS.items():
        drawn -= weight
        if drawn < 0:
            return status
    return 200
