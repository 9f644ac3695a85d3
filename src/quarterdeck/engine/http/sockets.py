"""Binds a WebSocket to an operation of the contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from quarterdeck.contract.operations import Operation
from quarterdeck.contract.operations.base import Answers
from quarterdeck.engine.core import Engine
from quarterdeck.engine.http import failures, reading
from quarterdeck.engine.http.binding import Call, served_path
from quarterdeck.engine.http.principals import require, resolve

GOING_AWAY = 1001  # RFC 6455, section 7.4.1
NORMAL = 1000

# Opens the stream of messages, or raises Problem; then the connection is refused with its document.
Opener = Callable[[Call], Awaitable[AsyncIterator[dict[str, Any]]]]


class BoundSocket(WebSocketRoute):
    """A WebSocket route that knows its operation."""

    operation: Operation


def bind_socket(router: APIRouter, operation: Operation, opener: Opener) -> None:
    """Serve `operation`: every message of the stream goes out as JSON text; what comes in is ignored.

    The connection is closed with 1000 when the stream ends, 1001 when the engine stops.
    """
    if operation.answers is not Answers.SOCKET:
        raise ValueError(f"{operation.name} is not a WebSocket")

    async def endpoint(socket: WebSocket) -> None:
        engine: Engine = socket.app.state.engine
        try:
            principal = resolve(engine.local, socket.headers)
            require(principal, operation.role, operation.name)
            path = reading.read_path(socket.path_params, operation.resources)
            messages = await opener(Call(engine, principal, path))
        except Exception as error:  # noqa: BLE001 - whatever it is, it leaves as a problem document
            await _refuse(socket, failures.answer(failures.explain(error, operation.name), socket.url.path))
            return
        try:
            await socket.accept()
            await _until_either_ends(_send(socket, messages), _listen(socket))
            await socket.close(GOING_AWAY if engine.hub.closed else NORMAL)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the other side has gone, which is how most of these end
        finally:
            close = getattr(messages, "close", None)
            if close is not None:
                close()

    route = BoundSocket(served_path(operation), endpoint, name=operation.name)
    route.operation = operation
    router.routes.append(route)


async def _refuse(socket: WebSocket, response: Response) -> None:
    await socket.send_denial_response(response)


async def _send(socket: WebSocket, messages: AsyncIterator[dict[str, Any]]) -> None:
    """Waits while the other side does not read; meanwhile the hub merges what is new."""
    async for message in messages:
        await socket.send_text(json.dumps(message, ensure_ascii=False, separators=(",", ":"), default=str))


async def _listen(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_either_ends(*work: Awaitable[None]) -> None:
    """Raises what the first one to end raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
