"""Receivers of deliveries that behave as they are told, well or badly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request as it came; names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


# Answers one request: bytes to send, or None where it has dealt with the connection itself.
Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[bytes | None]]


@dataclass
class Sink:
    port: int
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP answer; `_` in a header's name is a dash."""
    lines = [f"HTTP/1.1 {status} Some Words", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def always(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    async def behave(request: Received, writer: asyncio.StreamWriter) -> bytes:
        return answer(status, body, **headers)

    return behave


def in_turn(*steps: Behaviour) -> Behaviour:
    """One after the other; the last one from then on."""
    left = list(steps)

    async def behave(request: Received, writer: asyncio.StreamWriter) -> bytes | None:
        return await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return behave


async def reset(request: Received, writer: asyncio.StreamWriter) -> None:
    """The connection is torn down without an answer."""
    held = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silent(request: Received, writer: asyncio.StreamWriter) -> None:
    """No answer ever comes."""
    await asyncio.Event().wait()


@asynccontextmanager
async def sink(
    behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Sink]:
    """A server on loopback; 200 without a body where nothing else is said."""
    behave = behaviour or always(200)
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        made.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    request = await _read(reader)
                    made.received.append(request)
                    said = await behave(request, writer)
                    if said is None:
                        return
                    writer.write(said)
                    await writer.drain()
        finally:
            talking.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, host, 0, ssl=tls)
    made = Sink(server.sockets[0].getsockname()[1])
    try:
        yield made
    finally:
        server.close()
        for task in tuple(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {}
    for line in head[1:]:
        if line:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)
