"""qd demo: ready in seconds, alive, and gone without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.cli import main
from quarterdeck.client.client import Client
from quarterdeck.client.finding import engine_running
from quarterdeck.client.local import connect
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.operations import audit, dead_letters, items, queues, sla, workers
from quarterdeck.demo import process
from quarterdeck.demo.life import Life
from quarterdeck.demo.queues import PAUSED, QUEUES
from quarterdeck.demo.seed import seed
from quarterdeck.demo.workers import POSTS
from tests.support.engines import end_engine


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path / "demo")
    yield place
    if place.path.exists():
        asyncio.run(process.stop(place))
        end_engine(place)


async def grows(home: Home) -> None:
    """Something happens in the world."""
    async with await connect(home, start=False) as client:
        before = (await client.call(audit.LIST, query={"limit": 1}))["items"][0]["id"]
        deadline = time.monotonic() + 30
        while (await client.call(audit.LIST, query={"limit": 1}))["items"][0]["id"] < before + 3:
            assert time.monotonic() < deadline, "nothing happens in the demo world"
            await asyncio.sleep(0.1)


def test_open_look_and_wipe(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--home", str(home.path)]
    assert main.run(["demo", *where, "--no-console"]) == 0
    said = capsys.readouterr().err
    assert "4,000 items, three tenants" in said
    assert f"qd demo --home {home.path}" in said

    asyncio.run(grows(home))
    asyncio.run(machines_work(home))
    assert process.running(home)
    assert main.run(["demo", *where, "--no-console"]) == 0
    assert "items, three tenants" not in capsys.readouterr().err

    assert main.run(["demo", *where, "stop"]) == 0
    assert process.running(home) is None
    assert engine_running(home) is None
    assert home.store.exists()
    assert main.run(["demo", *where, "wipe"]) == 0
    assert not home.path.exists()
    assert main.run(["demo", *where, "wipe"]) == 0


async def machines_work(home: Home) -> None:
    """Every queue has done something, workers are known by their health, and something has failed."""
    async with await connect(home, start=False) as client, asyncio.timeout(60):
        while True:
            found = {queue["name"]: queue for queue in (await client.call(queues.LIST))["items"]}
            health = await client.call(workers.HEALTH)
            failed = await client.call(items.COUNT, query={"filter": "error:any"}, resource="runs")
            if (
                set(QUEUES) <= set(found)
                and all(queue["completed"] for name, queue in found.items() if name in QUEUES and name not in PAUSED)
                and {each["name"] for each in health["instances"]} >= set(POSTS)
                and failed["count"]
            ):
                break
            await asyncio.sleep(0.1)
        assert found["stock-sync"]["paused"]
        stats = await client.call(dead_letters.STATS)
        assert stats["totals"]["pending"] > 100


async def test_promises_are_kept_fall_due_and_are_broken(running_engine: Client) -> None:
    await seed(running_engine, lambda text: None)
    policies = (await running_engine.call(sla.POLICIES))["items"]
    assert {each["name"] for each in policies} == {"Round the clock", "Returns in office hours", "Premium"}
    for resource in (Resource.SUPPORT_TASKS, Resource.RETURNS):
        kept = await running_engine.call(sla.COMPLIANCE, query={"resource": resource, "days": 30})
        assert kept["met"] > 50
        assert 60 < kept["percent"] < 98
        replayed = await running_engine.call(sla.REPLAY, body={"resource": resource})
        assert replayed["differing"] == 0
    near = (await running_engine.call(sla.AT_RISK))["items"]
    assert len(near) > 20
    assert len((await running_engine.call(sla.BREACHES))["items"]) > 50
    resolutions = [each for each in near if each["target"] == "resolution"]
    clocks = await running_engine.call(sla.CLOCKS, resource=resolutions[0]["resource"], id=resolutions[0]["item_id"])
    assert {each["state"] for each in clocks["clocks"]} & {"running"}
    premium = {"tenant_id": "harbour-bikes", "title": "Flat tyre", "kind": "question", "priority": "urgent"}
    made = await running_engine.call(items.CREATE, body={"items": [premium]}, resource=Resource.SUPPORT_TASKS)
    clocks = await running_engine.call(sla.CLOCKS, resource=Resource.SUPPORT_TASKS, id=made["ids"][0])
    assert [each["policy"] for each in clocks["clocks"]] == ["Premium", "Premium"]


def test_a_home_with_real_work_is_left_alone(engine_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    engine_home.store.write_text("precious")
    where = ["--home", str(engine_home.path)]
    assert main.run(["demo", *where, "--no-console"]) == 1
    assert "is not a demo home" in capsys.readouterr().err
    assert main.run(["demo", *where, "wipe"]) == 1
    assert "nothing was removed" in capsys.readouterr().err
    assert engine_home.store.read_text() == "precious"


async def test_life_goes_on_for_hundreds_of_steps(running_engine: Client) -> None:
    await seed(running_engine, lambda text: None)
    life = Life(running_engine, seed=5)
    for _ in range(300):
        await life.step()
    running_engine.act_as = None
    entries = (await running_engine.call(audit.LIST, query={"limit": 500}))["items"]
    assert {"items.claim", "items.resolve", "items.approve"} & {entry["action"] for entry in entries}
    assert len({entry["actor"] for entry in entries}) >= 5
    for resource in Resource:
        assert (await running_engine.call(items.COUNT, resource=resource))["count"] > 400


def test_the_world_comes_back_with_its_engine_where_somebody_looks_and_stops_with_it_else(home: Home) -> None:
    where = ["--home", str(home.path)]
    assert main.run(["demo", *where, "--no-console"]) == 0
    with process.watching(home):
        asyncio.run(grows(home))
        world, engine = process.running(home), engine_running(home)
        assert engine is not None
        os.kill(engine, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while engine_running(home) is not None:
            assert time.monotonic() < deadline, "it outlives SIGKILL"
            time.sleep(0.01)
        assert main.run(["engine", "start", *where]) == 0
        asyncio.run(grows(home))
        assert process.running(home) == world
    assert main.run(["engine", "stop", *where]) == 0
    deadline = time.monotonic() + 30
    while process.running(home) is not None:
        assert time.monotonic() < deadline, "the demo's process outlives its engine"
        time.sleep(0.05)
