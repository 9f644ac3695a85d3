"""A receiver of notifications that is often slow and sometimes refuses, and remembers what it was told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

_ANSWER = "HTTP/1.1 {} Words\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True)
class Heard:
    """One request. `at`, and `said_at` of the message, are seconds since 1970; `taken`: it was answered 200."""

    at: float
    body: bytes
    taken: bool

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]

    @property
    def said_at(self) -> float:
        return datetime.fromisoformat(json.loads(self.body)["timestamp"]).timestamp()


@dataclass
class Sink:
    """What came, by `webhook-id`. What was made since `trusted` may be refused once."""

    secret: str
    chance: random.Random
    refuses: float
    slow: float = 0.25
    port: int = 0
    trusted: float = 0.0
    unsigned: int = 0
    told: defaultdict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
                headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head)}
                body = await reader.readexactly(int(headers["content-length"]))
                taken = self._hear(headers, body)
                if self.chance.random() < self.slow:
                    await asyncio.sleep(self.chance.uniform(0.2, 1.0))
                writer.write(_ANSWER.format(200 if taken else 500).encode())
                await writer.drain()
        writer.close()

    def _hear(self, headers: dict[str, str], body: bytes) -> bool:
        try:
            Webhook(self.secret).verify(body, headers, json_parse=False)
        except WebhookVerificationError:
            self.unsigned += 1
        mine = self.told[headers["webhook-id"]]
        heard = Heard(time.time(), body, taken=True)
        # Refused once and only while nothing else went wrong with it: a second wait would be of five minutes.
        if not mine and heard.said_at > self.trusted and self.chance.random() < self.refuses:
            heard = Heard(heard.at, body, taken=False)
        mine.append(heard)
        return heard.taken


@asynccontextmanager
async def listening(sink: Sink) -> AsyncIterator[Sink]:
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        task.add_done_callback(talking.discard)
        await sink.talk(reader, writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1_000)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for task in tuple(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await server.wait_closed()
