"""What a console hears over its WebSockets, from a real engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.finding import socket_of
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import bulk, items, system
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem

Messages = AsyncGenerator[dict[str, Any], None]


async def create(client: Client, count: int, tenant: str = "acme") -> list[int]:
    new = {"items": [{"tenant_id": tenant, "title": f"item {number}"} for number in range(count)]}
    return list((await client.call(items.CREATE, resource="returns", body=new))["ids"])


async def following(messages: Messages, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    async with asyncio.timeout(10):
        async for message in messages:
            if message["type"] == kind:
                return message
    raise AssertionError("the messages ended")


async def test_whoever_looks_hears_what_changes(running_engine: Client) -> None:
    events = running_engine.events()
    assert (await anext(events))["type"] == "connected"
    ids = await create(running_engine, 2)
    assert await following(events, "resource_changed") == {
        "type": "resource_changed",
        "resource": "returns",
        "change": "created",
        "ids": ids,
    }
    await running_engine.call(items.ACT, resource="returns", id=ids[0], action="approve", body={})
    said = await following(events, "resource_changed")
    assert (said["change"], said["ids"]) == ("updated", ids[:1])
    await events.aclose()


async def test_nobody_hears_of_other_tenants(running_engine: Client, engine_home: Home) -> None:
    narrow = Principal("ana", Role.OPERATOR, frozenset({"acme"}))
    async with await connect(engine_home, act_as=narrow) as ana:
        events = ana.events()
        assert (await anext(events))["type"] == "connected"
        await create(running_engine, 3, "globex")
        mine = await create(running_engine, 1, "acme")
        assert (await following(events, "resource_changed"))["ids"] == mine
        await events.aclose()


async def test_a_watch_goes_from_the_draft_to_the_end(running_engine: Client, engine_home: Home) -> None:
    ids = await create(running_engine, 500)
    body = {"ids": ids, "params": {"priority": "high"}, "batch_size": 50}
    draft = await running_engine.call(bulk.DRAFT, resource="returns", action="set-priority", body=body)
    number = draft["operation"]["id"]
    watch = running_engine.watch(number)
    first = await anext(watch)
    assert (first["type"], first["operation"]["status"]) == ("progress_update", "draft")
    await running_engine.call(bulk.CONFIRM, id=number)
    async with asyncio.timeout(20):
        rest = [message async for message in watch]
    assert {message["type"] for message in rest[:-1]} <= {"progress_update"}
    assert rest[-1]["type"] == "operation_completed"
    assert rest[-1]["operation"]["succeeded"] == 500
    # Whoever comes late hears the end at once.
    assert [each["type"] async for each in running_engine.watch(number)] == ["operation_completed"]


async def test_a_watch_of_nothing_is_refused_with_the_reason(running_engine: Client, engine_home: Home) -> None:
    with pytest.raises(Problem) as refused:
        await anext(running_engine.watch(4711))
    assert refused.value.code is Code.NOT_FOUND
    assert "4711" in refused.value.detail


async def test_one_that_never_reads_holds_up_nobody(running_engine: Client, engine_home: Home) -> None:
    _reader, writer = await asyncio.open_unix_connection(socket_of(engine_home), limit=1)
    writer.write(
        f"GET {system.EVENTS.url()} HTTP/1.1\r\nHost: engine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await writer.drain()
    events = running_engine.events()
    assert (await anext(events))["type"] == "connected"
    ids = await create(running_engine, 150)
    seen: set[int] = set()
    async with asyncio.timeout(30):
        for number in ids:
            await running_engine.call(items.ACT, resource="returns", id=number, action="approve", body={})
        while len(seen) < len(ids):
            said = await following(events, "resource_changed")
            seen.update(said["ids"] if said["change"] == "updated" else ())
    assert seen == set(ids)
    await events.aclose()
    writer.transport.abort()
    assert (await running_engine.call(system.READYZ))["status"] == "ok"
