"""`/healthz` and `/readyz` of a worker: a listener of its own, small enough to need no server library."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_SECONDS = 5.0
# Whoever asks may go away or ask in a way that is no HTTP; it is told nothing then.
_UNHEARD = (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

# Says why the worker is not ready, in a sentence; None where it is.
Readiness = Callable[[], str | None]


@asynccontextmanager
async def served(host: str, port: int, about: dict[str, object], ready: Readiness) -> AsyncIterator[str]:
    """Answers until left; yields the address, such as `http://127.0.0.1:9100`. Raises OSError."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, about, ready))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, host, port, limit=16 * 1024)
    try:
        bound = server.sockets[0].getsockname()[1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        server.close()


def _answer(head: bytes, about: dict[str, object], ready: Readiness) -> bytes:
    method, path, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    path = path.partition(b"?")[0]
    status, said = 200, {"status": "ok", **about}
    if method not in (b"GET", b"HEAD"):
        status, said = 405, {"status": "only GET"}
    elif path == b"/readyz":
        why = ready()
        if why is not None:
            status, said = 503, {"status": "not ready", "why": why, **about}
    elif path != b"/healthz":
        status, said = 404, {"status": "only /healthz and /readyz"}
    body = json.dumps(said).encode()
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == b"HEAD" else body)
