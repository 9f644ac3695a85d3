"""Runs through the API: enqueued once, shown with every attempt, watched as they go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import audit, queues, runs
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from tests.support.desk import refused

TOP = Path(__file__).resolve().parents[3]
MODULE = "tests.engine.runs.working"


@pytest.fixture
async def client(engine_home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    engine_home.config.write_text(f'[engine]\nhandler_modules = ["{MODULE}"]\n')
    async with await connect(engine_home) as opened:
        await opened.call(queues.PUT, queue="mail", body={"handler": "python", "target": f"{MODULE}:tell"})
        await opened.call(queues.PUT, queue="slow", body={"handler": "python", "target": f"{MODULE}:brood"})
        await opened.call(queues.PUT, queue="out", body={"handler": "worker"})
        yield opened


def new(queue: str = "out", **more: Any) -> dict[str, Any]:
    return {"queue": queue, "kind": "mail.send", "tenant_id": "acme", **more}


async def enqueue(client: Client, *wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await client.call(runs.ENQUEUE, body={"runs": list(wanted)}, **more)


async def ended(client: Client, number: int) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found = await client.call(runs.SHOW, id=number)
            if found["run"]["status"] in ("completed", "dead", "cancelled"):
                return found
            await asyncio.sleep(0.02)


async def test_a_request_for_runs_is_audited_once(client: Client) -> None:
    ids = (await enqueue(client, new(unique_key="a"), new(), new("mail")))["ids"]
    await enqueue(client, new(unique_key="a"))
    found = await client.call(audit.LIST, query={"action": "runs.enqueue"})
    (entry,) = found["items"]  # the second request made nothing
    assert entry["details"] == {"count": 3, "first": ids[0], "last": ids[2], "queues": {"mail": 1, "out": 2}}
    assert (entry["resource"], entry["target"], entry["tenant_id"]) == ("runs", None, "acme")


async def test_a_run_from_its_order_to_its_result(client: Client) -> None:
    made = await enqueue(client, new("mail", payload={"to": "ana"}), new("mail"))
    assert (made["created"], made["existing"]) == (2, [])
    found = await ended(client, made["ids"][0])
    assert found["run"]["payload"] == {"to": "ana"}
    assert found["run"]["result"]["tenant"] == "acme"
    assert [(each["number"], each["outcome"]) for each in found["attempts"]] == [(1, "completed")]
    log = await client.call(runs.LOGS, id=made["ids"][0], query={"limit": 2})
    assert [line["text"] for line in log["items"]] == ["hello", "printed mail.send"]
    log = await client.call(runs.LOGS, id=made["ids"][0], query={"limit": 2, "cursor": log["next"]})
    assert ([line["text"] for line in log["items"]], log["next"]) == (["no end"], None)
    log = await client.call(runs.LOGS, id=made["ids"][0], query={"search": "PRINTED"})
    assert len(log["items"]) == 1


async def test_the_same_order_twice_is_one(client: Client) -> None:
    first = await enqueue(client, new(), idempotency_key="k")
    assert await enqueue(client, new(), idempotency_key="k") == first
    with refused(Code.IDEMPOTENCY_KEY_REUSED):
        await enqueue(client, new(kind="other"), idempotency_key="k")
    keyed = await enqueue(client, new(unique_key="order-7"))
    again = await enqueue(client, new(unique_key="order-7"), new())
    assert (again["ids"][0], again["created"], again["existing"]) == (keyed["ids"][0], 1, keyed["ids"])


async def test_all_of_them_or_none(client: Client) -> None:
    with refused(Code.NOT_FOUND, "no queue outt. Did you mean out"):
        await enqueue(client, new(), new("outt"))
    assert (await client.call(runs.LIST))["items"] == []
    with refused(Code.FORBIDDEN, "engine's own queue"):
        await enqueue(client, {**new("bulk"), "kind": "bulk.batch", "payload": {"batch": 0}})
    with refused(Code.INVALID_INPUT, "larger than 4 MiB"):
        await enqueue(client, new(), new(payload="x" * 5_000_000))
    large = await enqueue(client, new(payload="x" * 1_000_000))
    assert len((await client.call(runs.SHOW, id=large["ids"][0]))["run"]["payload"]) == 1_000_000


async def test_of_other_tenants_nothing_is_seen_and_secrets_are_masked(client: Client, engine_home: Home) -> None:
    made = await enqueue(client, new(payload={"password": "hunter2", "to": "ana"}))
    (number,) = made["ids"]
    here = Principal("ana", Role.OPERATOR, frozenset({"acme"}))
    there = replace(here, tenants=frozenset({"bolt"}))
    async with await connect(engine_home, act_as=here) as ana:
        shown = (await ana.call(runs.SHOW, id=number))["run"]["payload"]
        assert shown["to"] == "ana"
        assert "hunter2" not in str(shown)
        with refused(Code.FORBIDDEN, "tenant bolt"):
            await enqueue(ana, new(tenant_id="bolt"))
    async with await connect(engine_home, act_as=there) as ben:
        for operation in (runs.SHOW, runs.LOGS):
            with refused(Code.NOT_FOUND):
                await ben.call(operation, id=number)
        with refused(Code.NOT_FOUND):
            async for _ in ben.watch_run(number):
                break


async def test_a_run_is_watched_as_it_goes(client: Client) -> None:
    (number,) = (await enqueue(client, new("slow", payload=0.3)))["ids"]
    states, written = [], 0
    async with asyncio.timeout(20), aclosing(client.watch_run(number)) as messages:
        async for message in messages:
            if message["type"] == "run_changed":
                assert message["run"]["payload"] is None
                states.append(message["run"]["status"])
                if states[-1] == "completed":
                    break
            else:
                written += 1
    assert states[-1] == "completed"
    assert set(states) <= {"waiting", "active", "completed"}
    assert written <= 1
