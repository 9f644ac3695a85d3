"""WebSockets: changes as they happen, and the progress of one bulk operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter

from quarterdeck import __version__
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import bulk, system
from quarterdeck.engine.http.binding import Call
from quarterdeck.engine.http.sockets import bind_socket
from quarterdeck.engine.live.hub import Subscription, Watch

# After a message the next one waits this long, so that a storm of changes is told in few messages.
GATHER_SECONDS = 0.05

router = APIRouter()


class _Events:
    """Says hello, then what changes."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._greeted = False
        self._said_at = 0.0

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self

    async def __anext__(self) -> dict[str, Any]:
        if not self._greeted:
            self._greeted = True
            return {"type": Message.HELLO, "version": __version__}
        loop = asyncio.get_running_loop()
        pause = self._said_at + GATHER_SECONDS - loop.time()
        if pause > 0 and not self._subscription.has_waiting:
            await asyncio.sleep(pause)
        message = await self._subscription.__anext__()
        if not self._subscription.has_waiting:
            self._said_at = loop.time()
        return message

    def close(self) -> None:
        self._subscription.close()


async def _events(call: Call) -> AsyncIterator[dict[str, Any]]:
    return _Events(call.engine.hub.subscribe(call.principal))


async def _watch(call: Call) -> Watch:
    from quarterdeck.engine.bulk.service import show

    # Watched before it is read: what happens in between is not lost.
    watch = call.engine.hub.watch(call.path["id"])
    try:
        detail = await show(call.engine, call.principal, call.path["id"])
    except BaseException:
        watch.close()
        raise
    watch.begin(detail.operation.model_dump(mode="json"), detail.operation.status.is_final)
    return watch


bind_socket(router, system.EVENTS, _events)
bind_socket(router, bulk.WATCH, _watch)
