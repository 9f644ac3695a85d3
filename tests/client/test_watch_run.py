"""Following one run: its states and its log, as they happen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import queues, runs
from quarterdeck.contract.problems import Code, Problem

PATIENCE = 20.0


@pytest.fixture
async def client(engine_home: Home) -> AsyncIterator[Client]:
    engine_home.config.write_text('[queues.mail]\nhandler = "worker"\n')
    found = await connect(engine_home)
    yield found
    await found.close()


async def next_with(messages: AsyncIterator[dict[str, Any]], kind: str, status: str = "") -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        async for message in messages:
            if message["type"] == kind and (not status or message["run"]["status"] == status):
                return message
    raise AssertionError(f"no {kind}")


async def test_states_and_log_lines_are_told(client: Client) -> None:
    made = await client.call(runs.ENQUEUE, body={"runs": [{"queue": "mail", "kind": "mail.send", "payload": {"a": 1}}]})
    number = made["ids"][0]
    async with contextlib.aclosing(client.watch_run(number)) as messages:
        assert (await next_with(messages, "run_changed"))["run"]["id"] == number
        lease = await client.call(queues.LEASE, body={"worker": "w-1"}, queue="mail")
        held = {"attempt": 1, "lease_token": lease["items"][0]["lease_token"]}
        await next_with(messages, "run_changed", "active")
        await client.call(runs.LOG, body={**held, "lines": [{"text": "half way"}]}, id=number)
        await next_with(messages, "log_written")
        lines = (await client.call(runs.LOGS, id=number))["items"]
        assert [line["text"] for line in lines] == ["half way"]
        await client.call(runs.COMPLETE, body=held, id=number)
        await next_with(messages, "run_changed", "completed")


async def test_a_run_that_does_not_exist_is_refused(client: Client) -> None:
    with pytest.raises(Problem) as caught:
        async with contextlib.aclosing(client.watch_run(99)) as messages:
            await anext(messages)
    assert caught.value.code is Code.NOT_FOUND
