"""The engine as a process: from its arguments to its exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarterdeck import __version__
from quarterdeck.config.home import Home, HomeError
from quarterdeck.config.load import ConfigError, load
from quarterdeck.config.settings import Settings
from quarterdeck.contract.problems import Problem
from quarterdeck.engine import listening, logs
from quarterdeck.engine.lock import AlreadyRunning, Lock

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

log = logging.getLogger(__name__)

EXIT_OK = 0
EXIT_MISTAKE = 1  # ours
EXIT_CONFIG = 2  # home, settings or socket
EXIT_STORE = 3
EXIT_RUNNING = 4  # another engine has this home

# Answers on their way get this long when the engine stops.
GRACE_SECONDS = 10
# WebSockets are told goodbye before the listener closes.
GOODBYE_SECONDS = 1.0
SOCKET_CHECK_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Runs an engine until it is told to stop or nobody needs it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="quarterdeck.engine", description="The Quarterdeck engine.")
    parser.add_argument("--home", help="folder of this instance (default: QUARTERDECK_HOME or the data folder)")
    given = parser.parse_args(arguments)
    os.umask(0o077)
    # A log that cannot be written, on a full disk, is no reason to write about it where nobody looks.
    logging.raiseExceptions = False
    try:
        home = Home.find(given.home)
        home.create()
        try:
            lock = Lock(home.lock)
            logs.set_up(home.log, "info")
            os.chdir(home.path)  # hold on to nobody else's folder
        except OSError as error:
            raise HomeError(f"Cannot write to {error.filename or home.path}: {error.strerror}.") from error
    except (HomeError, AlreadyRunning) as error:
        print(error, file=sys.stderr)
        return EXIT_RUNNING if isinstance(error, AlreadyRunning) else EXIT_CONFIG
    try:
        return _run(home, lock)
    finally:
        lock.release()
        logging.shutdown()


def _run(home: Home, lock: Lock) -> int:
    try:
        lock.say(None)
        settings = load(home.config)
        logging.getLogger().setLevel(settings.engine.log_level.upper())
        bound = _Listener(home, lock)
    except (ConfigError, HomeError, listening.SocketError) as error:
        return _refuse(str(error), home, EXIT_CONFIG)
    except OSError as error:
        return _refuse(f"Cannot write to {home.path}: {error.strerror}.", home, EXIT_CONFIG)
    try:
        asyncio.run(_serve(settings, home, bound))
    except Problem as problem:
        return _refuse(problem.detail, home, EXIT_STORE)
    except Exception:  # the last line of the log is what a client shows
        log.exception("the engine ended")
        return _refuse(f"The engine made a mistake; {home.log} says more. Please report it.", home, EXIT_MISTAKE)
    finally:
        bound.remove()
    return EXIT_OK


def _refuse(sentence: str, home: Home, code: int) -> int:
    """Say why in the log, and on standard error unless that is the log."""
    log.error(sentence)
    with contextlib.suppress(OSError):
        if not os.path.samestat(os.fstat(2), os.stat(home.log)):
            print(sentence, file=sys.stderr)
    return code


class _Listener:
    """Keeps the socket where clients look for it."""

    def __init__(self, home: Home, lock: Lock) -> None:
        self._home = home
        self._lock = lock
        self.socket = self._bind()

    def _bind(self) -> socket.socket:
        self.path: Path = self._home.socket
        made = listening.bind(self.path)
        self._stat = self.path.lstat()
        self._lock.say(self.path)
        return made

    def again(self) -> socket.socket | None:
        """A new socket where the old one is gone, None where it is in its place."""
        if listening.is_ours(self.path, self._stat):
            return None
        log.warning("the socket %s is gone, making a new one", self.path)
        try:
            return self._bind()
        except (HomeError, listening.SocketError) as error:
            log.error("%s", error)
            return None

    def remove(self) -> None:
        if listening.is_ours(self.path, self._stat):
            self.path.unlink(missing_ok=True)


async def _serve(settings: Settings, home: Home, listener: _Listener) -> None:
    """Raises Problem where the store cannot be opened."""
    from quarterdeck.engine.app import create_app, running

    async with running(settings, home) as engine:
        server = _server(create_app(engine))
        _watch_signals(engine, server)
        _stop_when_idle(engine)

        async def keep_socket() -> None:
            if not home.lock.exists():
                log.error("the home folder %s was removed; there is nothing left to serve", home.path)
                engine.stopping.set()
                return
            made = listener.again()
            if made is not None:
                await server.listen_also(made)

        engine.clock.every(SOCKET_CHECK_SECONDS, "process: socket", keep_socket)
        serving = asyncio.create_task(server.serve(sockets=[listener.socket]))
        gc.freeze()  # nearly all of it stays; looking for the rest takes 45 ms that the first rows would wait
        gc.enable()
        log.info("engine %s (pid %d) serves %s on %s", __version__, os.getpid(), home.path, listener.path)
        stopping = asyncio.create_task(engine.stopping.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        log.info("engine stops")
        engine.stopping.set()
        engine.hub.close()
        await _all_told(engine)
        server.should_exit = True
        await serving
    log.info("engine has stopped")


async def _all_told(engine: Engine) -> None:
    """Until every WebSocket has been closed from this side, or has had its time."""
    if not engine.activity.requests:
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(engine.activity.nobody.wait(), GOODBYE_SECONDS)


def _server(app: Any) -> Any:
    from uvicorn.config import Config
    from uvicorn.server import Server

    class EngineServer(Server):
        """uvicorn without its signal handling, which would end the process with the signal again."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def listen_also(self, made: socket.socket) -> None:
            state = self.server_state

            def protocol() -> asyncio.Protocol:
                return self.config.http_protocol_class(config=self.config, server_state=state, app_state={})  # type: ignore[call-arg]

            self.servers.append(await asyncio.get_running_loop().create_server(protocol, sock=made, backlog=256))

    return EngineServer(
        Config(
            app,
            loop="asyncio",
            http="h11",
            ws=_websocket,  # type: ignore[arg-type]  # called as the class would be
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,
            backlog=256,
            # Longer than any client keeps an idle connection: otherwise a request can meet a closing one.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=GRACE_SECONDS,
            # A filter of 8,000 characters is 72 kB once it stands in a URL.
            h11_max_incomplete_event_size=256 * 1024,
        )
    )


def _websocket(*args: Any, **named: Any) -> Any:
    """Imported with the first one; the first rows come before it."""
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

    return WSProtocol(*args, **named)


def _watch_signals(engine: Engine, server: Any) -> None:
    """The first TERM or INT stops gracefully, the second at once; a closed terminal means nothing."""

    def stop() -> None:
        if engine.stopping.is_set():
            server.force_exit = True
        engine.stopping.set()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _stop_when_idle(engine: Engine) -> None:
    minutes = engine.settings.engine.idle_minutes
    if minutes == 0:
        return

    async def look() -> None:
        from quarterdeck.engine.bulk import finding
        from quarterdeck.engine.runs import service

        if engine.activity.idle_seconds < minutes * 60:
            return
        if not (await service.anything_to_do(engine) or await finding.anything_unfinished(engine)):
            log.info("nobody and nothing here for %d minutes", minutes)
            engine.stopping.set()

    engine.clock.every(15, "process: idle", look)
