"""The line drops in the middle of a bulk operation: the operation finishes, and the next console says so."""

from __future__ import annotations

import asyncio
import shlex
import time

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import audit, bulk, items
from tests.support.engines import engine_process
from tests.support.person import QD
from tests.support.ssh import ssh_host

pytestmark = pytest.mark.timeout(60)
COUNT = 20_000


async def fill(client: Client, count: int) -> None:
    for start in range(0, count, 1_000):
        new = [{"tenant_id": "acme", "title": f"Item {start + number}"} for number in range(1_000)]
        await client.call(items.CREATE, resource="support_tasks", body={"items": new})


async def ended(client: Client, operation: int, *, seconds: float = 60) -> dict[str, object]:
    deadline = time.monotonic() + seconds
    async for message in client.watch(operation):
        assert time.monotonic() < deadline
        last: dict[str, object] = message["operation"]
    return last


async def test_a_bulk_operation_outlives_the_ssh_connection(engine_home: Home) -> None:
    command = f"{shlex.quote(str(QD))} --home {shlex.quote(str(engine_home.path))}"
    client = await connect(engine_home)
    await fill(client, COUNT)
    async with ssh_host() as host:
        line = await host.run(command)
        await line.wait_for(r"20,000 matching")
        line.press("A")
        await line.wait_for(r"20,000 marked")
        line.press("f")
        await line.wait_for("Set category")
        line.press("lost", "enter")
        await line.wait_for(r"20,000 will be acted on")
        line.press("y")
        await line.wait_for(r"#1 .*%")
        line.lose()

        engine = engine_process(engine_home)
        assert engine is not None
        (operation,) = (await client.call(bulk.LIST))["items"]
        last = await ended(client, operation["id"])
        assert (last["status"], last["succeeded"], last["failed"]) == ("completed", COUNT, 0)
        again = engine_process(engine_home)
        assert again is not None
        assert again.pid == engine.pid, "the engine was never restarted"
        await no_console_is_left(engine_home)

        line = await host.run(command)
        await line.wait_for(r"20,000 matching")
        line.press("f3")
        await line.wait_for(r"Set category +● completed +20,000")
        line.press("q")
        line.press("q")

    category = await client.call(items.COUNT, resource="support_tasks", query={"filter": "category:lost"})
    assert category["count"] == COUNT
    assert (await client.call(audit.VERIFY))["intact"]
    await client.close()


async def no_console_is_left(home: Home) -> None:
    """SIGHUP ends the console; only the engine still names the home."""
    import psutil

    def consoles() -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if str(home.path) in words and any(word.endswith("/qd") for word in words):
                found.append(process)
        return found

    deadline = time.monotonic() + 10
    while consoles():
        assert time.monotonic() < deadline, "the console did not notice that its terminal has gone"
        await asyncio.sleep(0.05)
