"""Connections to receivers, kept alive between deliveries; one Sender for each engine."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

import httpcore
import httpx

from quarterdeck.engine.deliveries.addresses import Network
from quarterdeck.engine.deliveries.network import CheckedNetwork, Resolver, resolve

# httpcore looks for it several times a request; where it is not installed each look searches the disk, which was
# a twentieth of what a delivery cost.
if find_spec("sniffio") is None:
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

CONNECT_SECONDS = 10.0
# Shorter than servers keep an idle connection (five seconds is common): a delivery should not meet a closing one.
KEPT_SECONDS = 4.0
# What is kept of an answer, and how much more is read so that its connection can be used again.
KEPT_BYTES = 16 * 1024
READ_BYTES = 64 * 1024
# A receiver that has said its status has said what counts; the rest of its answer gets this long.
BODY_SECONDS = 5.0
_UNUSED_SECONDS = 600.0

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is at most KEPT_BYTES of what came; `cut` says that there was more."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool


@dataclass(slots=True)
class _Pool:
    connections: httpcore.AsyncConnectionPool
    used_at: float = field(default_factory=time.monotonic)
    users: int = 0


class Sender:
    """Redirects are not followed, nothing is taken from the environment but the certificates to trust."""

    def __init__(self, allowed: Sequence[Network], resolver: Resolver = resolve) -> None:
        self._network = CheckedNetwork(allowed, resolver)
        self._tls: ssl.SSLContext | None = None
        # One pool a receiver: a slow one keeps nobody else waiting.
        self._pools: dict[tuple[str, bytes, int | None], _Pool] = {}

    async def send(self, method: bytes, url: httpx.URL, headers: Headers, body: bytes, seconds: float) -> Answer:
        """Raises what `network` and httpcore raise, and TimeoutError after `seconds` in all."""
        if url.scheme == "https" and self._tls is None:
            # Reading the certificates takes tens of milliseconds.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        pool = self._pool(url)
        pool.users += 1
        try:
            async with asyncio.timeout(seconds):
                extensions = {"timeout": {"connect": min(CONNECT_SECONDS, seconds)}}
                async with pool.connections.stream(
                    method, target, headers=headers, content=body, extensions=extensions
                ) as response:
                    found = {
                        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
                    }
                    return Answer(response.status, found, *await _read(response))
        finally:
            pool.users -= 1
            pool.used_at = time.monotonic()

    def _pool(self, url: httpx.URL) -> _Pool:
        origin = (url.scheme, url.raw_host, url.port)
        found = self._pools.get(origin)
        if found is None:
            # The queue's concurrency says how many there may be.
            found = self._pools[origin] = _Pool(
                httpcore.AsyncConnectionPool(
                    ssl_context=self._tls,
                    max_connections=None,
                    keepalive_expiry=KEPT_SECONDS,
                    network_backend=self._network,
                )
            )
        return found

    async def tidy(self) -> None:
        """Close what was not used for a while: a queue that has another target now."""
        before = time.monotonic() - _UNUSED_SECONDS
        for origin, pool in tuple(self._pools.items()):
            if not pool.users and pool.used_at < before:
                del self._pools[origin]
                await pool.connections.aclose()

    async def close(self) -> None:
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.connections.aclose()


def _texts(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


async def _read(response: httpcore.Response) -> tuple[bytes, bool]:
    """The beginning of the body, and whether there was more. What breaks off here breaks nothing."""
    kept = bytearray()
    size = 0
    whole = False
    with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError, TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in response.aiter_stream():
                size += len(chunk)
                kept += chunk[: KEPT_BYTES - len(kept)]
                if size > READ_BYTES:
                    break
            else:
                whole = True
    return bytes(kept), not whole or size > len(kept)
