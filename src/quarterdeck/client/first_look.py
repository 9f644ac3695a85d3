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
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from quarterdeck import __version__
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.local import answers, socket_of
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
        self.info: dict[str, Any] = {}
        self._successor: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def hand_over(self, client: Any) -> None:
        """Whoever still holds this one is served by `client` from now on."""
        if not self._successor.done():
            self._successor.set_result(client)

    async def call(self, op: Operation, *, query: Mapping[str, object] | None = None, **path: object) -> dict[str, Any]:
        """Raises FirstLookFailed for a GET; anything else waits until the usual connection is there."""
        if op.method != "GET" or self._successor.done():
            client = await self._successor
            found: dict[str, Any] = await client.call(op, query=query, **path)
            return found
        target = op.url(**path) + (f"?{urlencode(query)}" if query else "")
        try:
            async with asyncio.timeout(SECONDS):
                return await self._get(target)
        except (OSError, EOFError, ValueError, IndexError) as error:  # asyncio's own are among them
            raise FirstLookFailed(f"The engine did not answer {op.name}: {error}.") from error

    async def _get(self, target: str) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=_LIMIT)
        try:
            lines = [f"GET {target} HTTP/1.1", "Host: engine", "Connection: close"]
            if self._act_as is not None:
                lines.append(f"{ACT_AS_HEADER}: {self._act_as.header()}")
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
            if head[0].split()[1] != "200" or "content-length" not in headers:
                raise ValueError(head[0])
            found: dict[str, Any] = json.loads(await reader.readexactly(int(headers["content-length"])))
            return found
        finally:
            writer.close()


async def first_look(home: Home, act_as: Principal | None = None) -> FirstLook | None:
    """A look at the home's engine, if one of this version answers."""
    if not answers(home):
        return None
    look = FirstLook(home, act_as)
    try:
        look.info = await look.call(system.ENGINE)
    except FirstLookFailed:
        return None
    return look if look.info.get("version") == __version__ else None
