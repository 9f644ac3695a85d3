"""What the engine says by itself, over WebSockets that come back when they are lost.

Each connection lives in a task of its own: the WebSocket's task group must be left in the task that entered
it, which an asynchronous generator cannot promise.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol

from quarterdeck.client.errors import Unreachable
from quarterdeck.client.refusals import problem_of
from quarterdeck.client.transport import Address, httpx, open_http
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import bulk, runs, system
from quarterdeck.contract.problems import Problem

JsonObject = dict[str, Any]

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
_LARGEST_MESSAGE = 16 * 1024 * 1024
_GOING_AWAY = 1001


class Caller(Protocol):
    """Whoever listens: a client, as far as it matters here."""

    address: Address
    revive: Callable[[], Awaitable[None]] | None

    @property
    def closed(self) -> bool: ...

    def headers(self) -> dict[str, str]: ...


class _Lost(Exception):
    """The connection ended. `on_purpose`: the engine said that it stops."""

    def __init__(self, sentence: str, *, on_purpose: bool = False) -> None:
        super().__init__(sentence)
        self.on_purpose = on_purpose


async def events(client: Caller) -> AsyncGenerator[JsonObject, None]:
    """See `Client.events`."""
    delay = FIRST_DELAY
    said = ""
    stopped = False
    while not client.closed:
        try:
            async with _Connection(client, system.EVENTS.url()) as connection:
                while True:
                    message = await connection.next()
                    if message["type"] == Message.HELLO:
                        delay, said, stopped = FIRST_DELAY, "", False
                        yield {"type": "connected", "version": message.get("version")}
                    else:
                        yield message
        except (_Lost, Problem) as error:
            # An engine that was stopped stays stopped until somebody starts one; one that died comes back.
            reason = error.detail if isinstance(error, Problem) else str(error)
            if reason != said and not stopped:
                yield {"type": "disconnected", "reason": reason}
                said = reason
            stopped = stopped or (isinstance(error, _Lost) and error.on_purpose)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            if client.revive is not None and not stopped and not client.closed:
                try:
                    await client.revive()
                except Unreachable as failure:
                    if str(failure) != said:
                        said = str(failure)
                        yield {"type": "disconnected", "reason": said}


async def watch(client: Caller, operation_id: int) -> AsyncGenerator[JsonObject, None]:
    """See `Client.watch`."""
    delay = FIRST_DELAY
    url = bulk.WATCH.url(id=operation_id)
    while True:
        try:
            async with _Connection(client, url) as connection:
                while True:
                    message = await connection.next()
                    delay = FIRST_DELAY
                    yield message
                    if message["type"] == Message.OPERATION_COMPLETED:
                        return
        except _Lost as error:
            if delay > LONGEST_DELAY:
                raise Unreachable(f"{error} The operation itself goes on; look again with: qd bulk list.") from error
            await asyncio.sleep(delay)
            delay *= 2
            if client.revive is not None and not error.on_purpose:
                await client.revive()


async def watch_run(client: Caller, run_id: int) -> AsyncGenerator[JsonObject, None]:
    """See `Client.watch_run`."""
    delay = FIRST_DELAY
    url = runs.WATCH.url(id=run_id)
    while not client.closed:
        try:
            async with _Connection(client, url) as connection:
                while True:
                    message = await connection.next()
                    delay = FIRST_DELAY
                    yield message
        except _Lost:  # whoever shows the run hears from `events` that the engine has gone
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)


class _Connection:
    """One WebSocket, read in a task of its own."""

    def __init__(self, client: Caller, url: str) -> None:
        self._queue: asyncio.Queue[JsonObject | Exception] = asyncio.Queue(maxsize=256)
        self._task = asyncio.create_task(_read(client, url, self._queue))

    async def next(self) -> JsonObject:
        """Raises _Lost at its end, Problem where the engine refuses it."""
        found = await self._queue.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def __aenter__(self) -> _Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _read(client: Caller, url: str, queue: asyncio.Queue[JsonObject | Exception]) -> None:
    """Puts every message into the queue, and at the end _Lost or Problem."""
    import httpx_ws

    socket: httpx_ws.AsyncWebSocketSession
    try:
        async with (
            _reading_refusals(open_http(client.address)) as http,
            httpx_ws.aconnect_ws(
                client.address.base_url + url,
                http,
                headers=client.headers(),
                max_message_size_bytes=_LARGEST_MESSAGE,
            ) as socket,
        ):
            while True:
                await queue.put(json.loads(await socket.receive_text()))
    except Exception as error:  # noqa: BLE001 - passed on to whoever reads the queue, as one of the two
        await queue.put(_meaning(error, client.address.name))


def _reading_refusals(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """httpx-ws closes the answer of a refused upgrade before anybody can read why."""

    async def read(response: httpx.Response) -> None:
        if response.status_code != 101:
            await response.aread()

    http.event_hooks["response"].append(read)
    return http


def _meaning(error: Exception, name: str) -> Exception:
    """_Lost or Problem for how a connection ended; anything that is neither is a mistake and stays itself."""
    import httpx_ws
    from wsproto.utilities import ProtocolError

    while isinstance(error, ExceptionGroup):  # the WebSocket's task group wraps what passes through it
        error = error.exceptions[0]
    name = name[:1].upper() + name[1:]
    if isinstance(error, httpx_ws.WebSocketUpgradeError):
        return problem_of(error.response.status_code, error.response.content, None)
    if isinstance(error, httpx_ws.WebSocketDisconnect):
        if error.code == _GOING_AWAY:
            return _Lost(f"{name} was stopped.", on_purpose=True)
        return _Lost(f"{name} closed the connection.")
    if isinstance(error, (httpx_ws.HTTPXWSException, httpx.TransportError, ProtocolError, OSError)):
        return _Lost(f"{name} does not answer.")
    return error
