"""An engine of a test behind a real socket, in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quarterdeck.engine import listening
from quarterdeck.engine.app import create_app
from quarterdeck.engine.core import Engine
from quarterdeck.engine.process import _server


@asynccontextmanager
async def served(engine: Engine) -> AsyncIterator[None]:
    """Answers at the socket of the engine's home."""
    path = engine.home.socket
    server = _server(create_app(engine))
    serving = asyncio.create_task(server.serve(sockets=[listening.bind(path)]))
    try:
        # What is asked before it listens waits in the socket.
        yield
    finally:
        engine.stopping.set()
        server.should_exit = True
        await serving
        path.unlink(missing_ok=True)
