"""The console's link to its engine: found or started, held, found again when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from quarterdeck.client.errors import Unreachable
from quarterdeck.config.home import HomeError
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import bulk, items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.failures import FAILURES

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
_FIRST_ROWS_SECONDS = 5.0
_BREATH_SECONDS = 0.1
RENEWALS_PER_CLAIM = 3


async def hold(console: Console) -> None:
    """Connects, and stays connected for as long as the console lives."""
    session = console.session
    if (look := await console.look_first()) is not None:
        session.learned(look.info)
        session.connected(look)
        console.linked()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(console.first_rows.wait(), _FIRST_ROWS_SECONDS)
    await asyncio.sleep(_BREATH_SECONDS)  # what there is is drawn before httpx is imported beside it
    wait = _FIRST_WAIT
    client: Any = None
    while client is None:
        try:
            client = await console.connect(session.home, on_wait=console.waiting)
        except (Unreachable, HomeError, Problem, OSError) as error:
            console.lost(str(error))
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
    seen = look is not None and console.first_rows.is_set() and not session.lost
    session.learned(client.info)
    session.connected(client)
    if look is not None:
        look.hand_over(client)
    if not seen:
        console.linked()
    # WebSocket support is imported when there are rows to look at; it would keep them waiting.
    await console.first_rows.wait()
    await _running(console)
    console.look_for_alerts()
    async with contextlib.aclosing(session.client.events()) as messages:
        async for message in messages:
            await _heard(console, message)


async def _heard(console: Console, message: dict[str, Any]) -> None:
    kind = message["type"]
    if kind == "disconnected":
        console.lost(_what_to_do(console, message["reason"]))
    elif kind == "connected":
        if console.session.lost:
            console.session.connected(console.session.client)
            console.linked()
            console.notice("The engine is back.", "success")
            await _running(console)
            console.look_for_alerts()
        else:
            await console.news({"type": Message.RESYNC})
    elif kind == Message.OPERATION_CHANGED:
        console.operation_changed(message["operation"])
        await console.news(message)
    else:
        await console.news(message)


def _what_to_do(console: Console, reason: str) -> str:
    """An engine that was stopped stays stopped: how to start it, before the path it may be cut behind."""
    if not reason.endswith(" was stopped."):
        return reason
    return f"It was stopped; start it with: {console.session.home.typed('engine start')}"


async def _running(console: Console) -> None:
    """What runs already, from this console or another, before its messages come."""
    try:
        found = await console.session.client.call(bulk.LIST, query={"running": True, "limit": 50})
    except FAILURES:
        return  # the events say why, in a moment
    alive = {operation["id"] for operation in found["items"]}
    for number in set(console.session.running) - alive:
        await _ended(console, number)
    for operation in found["items"]:
        console.operation_changed(operation)


async def _ended(console: Console, number: int) -> None:
    """It came to its end while we were not connected."""
    try:
        found = await console.session.client.call(bulk.SHOW, id=number)
    except FAILURES:
        console.session.running.pop(number, None)
        return
    console.operation_changed(found["operation"])


async def follow(console: Console, number: int) -> None:
    """Progress of an operation that this console has started, ten times a second at most."""
    try:
        async with contextlib.aclosing(console.session.client.watch(number)) as messages:
            async for message in messages:
                console.operation_changed(message["operation"])
    except FAILURES:
        return  # /ws/events brings its end too


async def renew_claims(console: Console) -> None:
    """Keep the claims of whoever works here. Called a few times in the life of a claim."""
    session = console.session
    if session.client is None or session.lost:
        return
    for number, resource in list(session.claims.items()):
        try:
            await session.client.call(items.RENEW, resource=resource, id=number)
        except Problem as error:
            if error.code in (Code.NOT_YOURS, Code.NOT_FOUND):
                session.claims.pop(number, None)
        except Unreachable:
            return
