"""Usage over HTTP: our own form, CloudEvents, and what calls are counted for; and what a kill can lose."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.client.transport import LocalAddress, open_http
from quarterdeck.config.home import Home
from quarterdeck.contract.clock import HOUR, iso, now_ms
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import items, usage
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.usage import metering
from tests.support.engines import kill_engine
from tests.support.serving import served

EVENT = {
    "specversion": "1.0",
    "type": "com.example.sms",
    "source": "https://gateway.example.com",
    "id": "A-1",
    "subject": "acme",
    "time": None,
    "datacontenttype": "application/json",
    "data": {"quantity": 3, "to": "+46 8 123"},
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


async def answer(home: Home, media: str, body: Any) -> tuple[int, Any]:
    async with open_http(LocalAddress(home)) as http:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        found = await http.post(usage.RECORD.path, content=content, headers={"Content-Type": media})
        return found.status_code, found.json()


async def totals(client: Client, **query: object) -> dict[str, int]:
    found = await client.call(usage.SUMMARY, query=query)
    return {each["resource_type"]: each["quantity"] for each in found["totals"]}


async def test_cloud_events_are_taken_one_by_one_and_in_batches(engine: Engine, engine_home: Home) -> None:
    async with served(engine), Client(LocalAddress(engine_home)) as client:
        assert await answer(engine_home, STRUCTURED, EVENT) == (200, {"recorded": 1, "duplicates": 0})
        assert (await answer(engine_home, f"{STRUCTURED}; charset=UTF-8", EVENT))[1]["duplicates"] == 1
        batch = [EVENT, {**EVENT, "id": "A-2", "data": None}, {**EVENT, "id": "A-3", "time": iso(now_ms() - HOUR)}]
        assert await answer(engine_home, BATCH, batch) == (200, {"recorded": 2, "duplicates": 1})
        own = {"source": EVENT["source"], "id": "A-1", "tenant_id": "acme", "resource_type": "sms"}
        assert (await client.call(usage.RECORD, body={"events": [own]}))["duplicates"] == 1
        assert (await totals(client))["com.example.sms"] == 3 + 1 + 3


@pytest.mark.parametrize(
    ("media", "change", "status", "place"),
    [
        (STRUCTURED, {"specversion": "0.3"}, 422, "/specversion"),
        (STRUCTURED, {"subject": None}, 422, "/subject"),
        (STRUCTURED, {"data": {"quantity": 1.5}}, 422, "/data/quantity"),
        (STRUCTURED, {"data": {"quantity": -1}}, 422, "/data/quantity"),
        (STRUCTURED, {"type": "Not A Type"}, 422, "/type"),
        (STRUCTURED, {"time": "yesterday"}, 422, "/time"),
        (BATCH, {"id": ""}, 422, "/0/id"),
        ("application/xml", {}, 400, None),
        ("application/json", {}, 422, None),
    ],
)
async def test_what_is_no_event_of_usage_is_refused_with_its_place(
    engine: Engine, engine_home: Home, media: str, change: dict[str, Any], status: int, place: str | None
) -> None:
    async with served(engine):
        body: Any = {**EVENT, **change}
        found, said = await answer(engine_home, media, [body] if media == BATCH else body)
    assert found == status
    assert place is None or place in [each["pointer"].removeprefix("#") for each in said["errors"]]


async def test_calls_count_for_the_tenant_of_who_calls(engine: Engine, engine_home: Home) -> None:
    acme = Principal("acme-lead", Role.VIEWER, frozenset({"acme"}))
    async with served(engine), Client(LocalAddress(engine_home)) as root:
        async with Client(LocalAddress(engine_home), act_as=acme) as client:
            for _ in range(3):
                await client.call(items.COUNT, resource="support_tasks")
            with pytest.raises(Exception, match="needs the role"):
                await client.call(usage.RECORD, body={})
        for looked_at in ("globex", "typed"):  # by somebody who belongs to no tenant
            await root.call(usage.SUMMARY, query={"tenant": looked_at})
        await metering.flush(engine)
        assert await totals(root, tenant="acme") == {"api_calls": 3}, "what is refused does not count"
        assert await totals(root, tenant="globex") == await totals(root, tenant="typed") == {}
        assert await totals(root) == {"api_calls": 3 + 2}


async def test_who_looks_hears_of_usage_but_not_of_their_own_looking(engine: Engine, engine_home: Home) -> None:
    async with served(engine), Client(LocalAddress(engine_home)) as client:
        heard = engine.hub.subscribe(Principal("acme-lead", Role.VIEWER, frozenset({"acme"})))
        for operation in (usage.SUMMARY, usage.DETAILS, usage.LIMITS):
            await client.call(operation)
        await metering.flush(engine)
        assert (await totals(client))["api_calls"] == 3
        assert not heard.has_waiting
        await client.call(items.CREATE, resource="support_tasks", body={"items": [{"tenant_id": "acme", "title": "x"}]})
        await metering.flush(engine)
        said = [(await anext(heard))["type"] for _ in range(2)]
        assert said == ["resource_changed", "usage_changed"]
        # The next one comes a second later, however often something is used until then.
        for number in range(3):
            event = {"source": "x", "id": f"{number}", "tenant_id": "acme", "resource_type": "sms_sent"}
            await client.call(usage.RECORD, body={"events": [event]})
            await metering.flush(engine)
        assert not heard.has_waiting
        async with asyncio.timeout(10):
            assert await anext(heard) == {"type": "usage_changed"}
        assert not heard.has_waiting


async def until_ingested(client: Client, count: int) -> None:
    async with asyncio.timeout(30):
        while True:
            if (await totals(client, tenant="acme")).get("items_ingested") == count:
                return
            await asyncio.sleep(0.02)


async def test_a_kill_loses_no_more_than_the_last_second(running_engine: Client, engine_home: Home) -> None:
    """What was done a second before the kill is there afterwards, and nothing counts twice."""
    client = running_engine
    new = {"items": [{"tenant_id": "acme", "title": "an item"}] * 50}
    await client.call(items.CREATE, resource="support_tasks", body=new)
    await until_ingested(client, 50)
    await client.call(items.CREATE, resource="support_tasks", body=new)
    events = {"events": [{"source": "x", "id": "1", "tenant_id": "acme", "resource_type": "sms_sent"}]}
    await client.call(usage.RECORD, body=events)
    kill_engine(engine_home)
    async with await connect(engine_home) as again:
        found = await totals(again, tenant="acme")
        assert found["items_ingested"] in (50, 100)
        assert found["sms_sent"] == 1, "what was posted was answered, so it is kept"
        assert (await again.call(usage.RECORD, body=events))["duplicates"] == 1
        assert (await again.call(items.COUNT, resource="support_tasks"))["count"] == 100


async def test_of_calls_until_a_kill_all_but_those_of_the_last_moments_are_there(engine_home: Home) -> None:
    """A second is lost at most; a busy machine is given another."""
    clock, answered = asyncio.get_running_loop().time, list[float]()
    async with await connect(engine_home) as client:
        began = clock()
        while clock() - began < 3.5:
            new = {"items": [{"tenant_id": "acme", "title": "an item"}]}
            await client.call(items.CREATE, resource="support_tasks", body=new)
            answered.append(clock())
        killed = clock()
        kill_engine(engine_home)
    async with await connect(engine_home) as again:
        counted = (await totals(again, tenant="acme"))["items_ingested"]
    assert sum(at < killed - 2 for at in answered) <= counted <= len(answered)


async def test_a_shutdown_loses_nothing(engine_home: Home) -> None:
    async with await connect(engine_home) as client:
        for number in range(20):
            new = {"items": [{"tenant_id": "acme", "title": f"item {number}"}]}
            await client.call(items.CREATE, resource="support_tasks", body=new)
    await stop_engine(engine_home)
    async with await connect(engine_home) as client:
        assert (await totals(client, tenant="acme"))["items_ingested"] == 20
