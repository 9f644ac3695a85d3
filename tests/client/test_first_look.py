"""The first rows without an HTTP library, and what happens to whoever still holds it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from quarterdeck import __version__
from quarterdeck.client.client import Client
from quarterdeck.client.first_look import FirstLook, FirstLookFailed, meet
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import items, system


def look_at(client: Client) -> FirstLook:
    return FirstLook(Home(Path(client.info["home"])), None)


async def test_it_sees_what_a_client_sees(running_engine: Client) -> None:
    look = await meet(look_at(running_engine))
    assert look is not None
    assert look.info["version"] == __version__
    query: dict[str, object] = {"sort": "priority", "filter": 'status:open "two words"'}
    seen = await look.call(items.LIST, query=query, resource="support_tasks")
    assert seen == await running_engine.call(items.LIST, query=query, resource="support_tasks")


async def test_what_was_asked_ahead_is_taken_once(running_engine: Client) -> None:
    look = look_at(running_engine)
    look.ask_ahead(system.ENGINE)
    look.ask_ahead(items.COUNT, resource="returns")
    assert await meet(look) is look
    assert (await look.call(items.COUNT, resource="returns"))["count"] == 0
    assert (await look.call(items.COUNT, resource="returns"))["count"] == 0


async def test_where_nobody_listens_there_is_nothing_to_see(engine_home: Home) -> None:
    look = FirstLook(engine_home, None)
    look.ask_ahead(system.ENGINE)
    assert await meet(look) is None


async def test_a_refusal_is_left_to_the_usual_way(running_engine: Client) -> None:
    with pytest.raises(FirstLookFailed, match=r"items\.list"):
        await look_at(running_engine).call(items.LIST, query={"filter": "statu:open"}, resource="returns")


async def test_what_changes_something_waits_for_the_client(running_engine: Client) -> None:
    look = look_at(running_engine)
    look.ask_ahead(items.COUNT, resource="returns")
    body: dict[str, Any] = {"items": [{"tenant_id": "acme", "title": "Early"}]}
    early = asyncio.create_task(look.call(items.CREATE, resource="returns", body=body))
    await asyncio.sleep(0)
    assert not early.done()
    look.hand_over(running_engine)
    assert len((await early)["ids"]) == 1
    assert (await look.call(items.COUNT, resource="returns"))["count"] == 1
