"""The first rows, before an HTTP library is there.

Importing httpx and opening its first connection takes 75 of the 300 milliseconds a console has until its
first rows. This reads what an engine of this machine answers to a few plain GETs; everything else waits for
`local.connect`, which replaces it a moment later. Whatever is out of the ordinary raises FirstLookFailed,
and the caller goes the usual way.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from quarterdeck import __version__
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.finding import socket_of
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import Operation, system
from quarterdeck.contract.principal import ACT_AS_HEADER, Principal

SECONDS = 10.0
_LIMIT = 16 * 1024 * 1024


class FirstLookFailed(Unreachable):
    """Nothing to worry about: the usual connection says what is wrong."""


class FirstLook:
    """Answers `call` like a Client, for GETs that succeed. `info` is an `EngineInfo` as JSON."""

    def __init__(self, home: Home, act_as: Principal | None) -> None:
        self._path, self._act_as = os.fspath(socket_of(home)), act_as
        self._asked: dict[str, socket.socket] = {}
        self.info: dict[str, Any] = {}

    @cached_property
    def _successor(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    def ask_ahead(self, op: Operation, *, query: Mapping[str, object] | None = None, **path: object) -> None:
        """Send a GET whose answer a later `call` of the same takes: the engine works while this process imports.

        Needs no event loop. Does nothing where no engine listens.
        """
        target = _target(op, query, path)
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            asked.connect(self._path)
            asked.sendall(self._request(target))
        except OSError:
            asked.close()
        else:
            self._asked[target] = asked

    def hand_over(self, client: Any) -> None:
        """Whoever still holds this one is served by `client` from now on."""
        while self._asked:  # answers that nobody took
            self._asked.popitem()[1].close()
        if not self._successor.done():
            self._successor.set_result(client)

    async def call(self, op: Operation, *, query: Mapping[str, object] | None = None, **path: object) -> dict[str, Any]:
        """Raises FirstLookFailed for a GET; anything else waits until the usual connection is there."""
        if op.method != "GET" or self._successor.done():
            client = await self._successor
            found: dict[str, Any] = await client.call(op, query=query, **path)
            return found
        target = _target(op, query, path)
        try:
            async with asyncio.timeout(SECONDS):
                return await self._get(target)
        except (OSError, EOFError, ValueError, IndexError) as error:  # asyncio's own are among them
            raise FirstLookFailed(f"The engine did not answer {op.name}: {error}.") from error

    async def _get(self, target: str) -> dict[str, Any]:
        asked = self._asked.pop(target, None)
        if asked is not None:
            reader, writer = await asyncio.open_unix_connection(sock=asked, limit=_LIMIT)
        else:
            reader, writer = await asyncio.open_unix_connection(self._path, limit=_LIMIT)
        try:
            if asked is None:
                writer.write(self._request(target))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
            if head[0].split()[1] != "200" or "content-length" not in headers:
                raise ValueError(head[0])
            found: dict[str, Any] = json.loads(await reader.readexactly(int(headers["content-length"])))
            return found
        finally:
            writer.close()

    def _request(self, target: str) -> bytes:
        lines = [f"GET {target} HTTP/1.1", "Host: engine", "Connection: close"]
        if self._act_as is not None:
            lines.append(f"{ACT_AS_HEADER}: {self._act_as.header()}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _target(op: Operation, query: Mapping[str, object] | None, path: Mapping[str, object]) -> str:
    return op.url(**path) + (f"?{urlencode(query)}" if query else "")


async def meet(look: FirstLook) -> FirstLook | None:
    """The look with its `info`, if an engine of this version answers."""
    try:
        look.info = await look.call(system.ENGINE)
    except FirstLookFailed:
        return None
    return look if look.info.get("version") == __version__ else None
