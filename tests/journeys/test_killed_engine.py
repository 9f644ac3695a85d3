"""The engine is killed in the middle of things: it goes on where it was, and nobody is acted on twice."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import time
from contextlib import suppress

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import audit, bulk, items
from tests.support.engines import engine_process, kill_engine
from tests.support.person import Person
from tests.support.terminal import NotSeen, Terminal

pytestmark = pytest.mark.timeout(180)
COUNT = 20_000
KILLS = 4


async def fill(client: Client, count: int) -> None:
    for start in range(0, count, 1_000):
        new = [{"tenant_id": "acme", "title": f"Item {start + number}"} for number in range(1_000)]
        await client.call(items.CREATE, resource="support_tasks", body={"items": new})


async def test_a_bulk_operation_survives_every_kill_and_acts_once(engine_home: Home) -> None:
    chance = random.Random(4)
    client = await connect(engine_home)
    await fill(client, COUNT)
    token = (await client.call(items.SELECT, resource="support_tasks", body={"filter": ""}))["token"]
    body = {"selection": token, "params": {"assignee": "ana"}, "batch_size": 500}
    draft = await client.call(bulk.DRAFT, resource="support_tasks", action="assign", body=body)
    number = draft["operation"]["id"]
    await client.call(bulk.CONFIRM, id=number, body={})
    killed = 0
    while killed < KILLS:
        await progress_beyond(client, number, COUNT * killed // (KILLS + 2))
        await asyncio.sleep(chance.random() * 0.05)  # somewhere inside a batch
        kill_engine(engine_home)
        killed += 1
        await client.close()
        client = await connect(engine_home)
    async for message in client.watch(number):
        last = message["operation"]
    assert (last["status"], last["succeeded"], last["failed"], last["skipped"]) == ("completed", COUNT, 0, 0)
    assert (await client.call(audit.VERIFY))["intact"]
    found = await client.call(items.COUNT, resource="support_tasks", query={"filter": "assignee:ana"})
    assert found["count"] == COUNT
    await client.close()
    acted, most = events_of(engine_home, number)
    assert (acted, most) == (COUNT, 1)


async def progress_beyond(client: Client, number: int, wanted: int) -> None:
    deadline = time.monotonic() + 30
    while (await client.call(bulk.SHOW, id=number))["operation"]["succeeded"] < wanted:
        assert time.monotonic() < deadline


def events_of(home: Home, number: int) -> tuple[int, int]:
    """How many items have events of the operation, and the most that one of them has."""
    store = sqlite3.connect(f"file:{home.store}?mode=ro", uri=True)
    try:
        rows = store.execute(
            "SELECT item_id, COUNT(*) FROM item_events WHERE operation_id = ? GROUP BY item_id", (number,)
        ).fetchall()
    finally:
        store.close()
    return len(rows), max(count for _, count in rows)


def test_the_console_says_so_and_comes_back_with_its_place(person: Person) -> None:
    person.qd("items", "add", "support_tasks", "--tenant", "acme", "--title", "First of all")
    person.qd("items", "add", "support_tasks", "--tenant", "acme", "--title", "Second thoughts")
    with person.console() as console:
        console.wait_for("2 matching")
        console.press("/second\r")
        console.wait_for("1 matching")
        console.press("space")
        console.wait_for("1 marked")
        before = engine_process(person.home)
        assert before is not None
        kill_engine(person.home)
        # The console starts another one, and everything is where it was.
        deadline = time.monotonic() + 30
        while (after := engine_process(person.home)) is None or after.pid == before.pid:
            assert time.monotonic() < deadline, f"no engine came back. The screen:\n{console.text}"
            console.settle(quiet=0.1)
        console.wait_for("/ second")
        console.wait_for("1 marked")
        console.press("enter")
        console.wait_for("acme")
        _press_until_heard(console, "c", "Comment: 1 item")
        console.press("still here", "enter")
        console.wait_for("1 will be acted on")
        console.press("y")
        console.wait_for("1 done")
    shown = person.json("items", "list", "support_tasks", "-q", "has:comment")
    assert [item["title"] for item in shown["items"]] == ["Second thoughts"]


def _press_until_heard(console: Terminal, key: str, answer: str) -> None:
    """Pressed again after each "has to wait", also one that was gone before anybody looked: the rows are back a moment
    before the line is."""
    for _ in range(10):
        console.press(key)
        with suppress(NotSeen):
            console.wait_for(f"{answer}|has to wait", seconds=3)
        console.settle(quiet=0.2)
        if re.search(answer, console.text):
            return
    raise AssertionError(console.text)
