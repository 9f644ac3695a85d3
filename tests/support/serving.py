"""An engine of a test behind a real socket, in the same process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quarterdeck.engine import listening
from quarterdeck.engine.app import create_app
from quarterdeck.engine.core import Engine
from quarterdeck.engine.process import _server


@asynccontextmanager
async def served(engine: Engine, *, port: bool = False) -> AsyncIterator[str]:
    """Answers at the socket of the engine's home, or at a port of this machine; yields its URL."""
    path = engine.home.socket
    bound = socket.create_server(("127.0.0.1", 0)) if port else listening.bind(path)
    server = _server(create_app(engine))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        # What is asked before it listens waits in the socket.
        yield f"http://127.0.0.1:{bound.getsockname()[1]}" if port else str(path)
    finally:
        engine.stopping.set()
        server.should_exit = True
        await serving
        bound.close()
        if not port:
            path.unlink(missing_ok=True)
