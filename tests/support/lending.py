"""A port of this machine for an engine's socket, as `socat` lends one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def lent(path: Path) -> AsyncIterator[str]:
    """The address at which whatever listens at `path` answers over TCP."""
    talking: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        there, here = await asyncio.open_unix_connection(str(path))
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(carry(reader, here), carry(there, writer))
        finally:
            talking.discard(task)
            here.close()
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await server.wait_closed()
