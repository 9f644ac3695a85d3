"""What an engine survives: being killed, a full disk, a store that is broken, locked or not to be written."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.attention_crashes import torment as torment_attention
from benchmarks.claims import measure
from benchmarks.crashes import torment
from quarterdeck.client.client import Client
from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.operations import audit, bulk, items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine import process
from quarterdeck.engine.store.store import Store
from tests.support.engines import engine_process
from tests.support.postgres import PostgresServer

RESOURCE = "support_tasks"


async def test_killed_amid_bulk_operations_it_ends_them_by_itself(engine_home: Home) -> None:
    outcome = await torment(engine_home, count=4_000, kills=4, batches=(50, 100, 500))
    assert outcome.kills == 4
    assert outcome.faults == []


async def test_killed_while_alerts_fire_and_clocks_break_it_loses_nothing(engine_home: Home) -> None:
    outcome = await torment_attention(engine_home, kills=2, lasts=(0.3, 1.0), refuses=0.0)
    assert len(outcome.kills) == 2
    assert outcome.faults == []
    assert outcome.figures["alerts posted"] > 0
    assert outcome.figures["broken when they were due"] > 0
    assert outcome.figures["calls metered"] > 0


async def test_eight_processes_claim_at_once(engine_home: Home, store_kind: str, request: Any) -> None:
    if store_kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        engine_home.config.write_text(f'[store]\nurl = "{server.database()}"\n')
    claims, _, made, wrong = await measure(engine_home, 160, 8)
    assert sorted(claims.ids) == sorted(made)
    assert wrong == []
    assert len(claims.taken) == 8


# ----- a full disk


async def until(condition: Callable[[dict[str, Any]], bool], client: Client, number: int) -> dict[str, Any]:
    """The operation, when it is so."""
    async with asyncio.timeout(40):
        while True:
            found: dict[str, Any] = (await client.call(bulk.SHOW, id=number))["operation"]
            if condition(found):
                return found
            await asyncio.sleep(0.02)


async def fill(client: Client, count: int) -> list[int]:
    new = [{"tenant_id": "acme", "title": f"item {number}"} for number in range(count)]
    made: list[int] = (await client.call(items.CREATE, resource=RESOURCE, body={"items": new}))["ids"]
    return made


async def what_stops(client: Client) -> Code | None:
    """Why no more items can be made; None where there is room for plenty."""
    for _ in range(20):
        try:
            await fill(client, 1_000)
        except Problem as problem:
            return problem.code
    return None


async def test_a_full_disk_stops_the_operation_and_room_lets_it_go_on(
    running_engine: Client, engine_home: Home
) -> None:
    """A limit on the size of its files does to an engine what a full disk does."""
    client = running_engine
    ids = [item for _ in range(3) for item in await fill(client, 1_000)]
    body = {"ids": ids, "params": {"category": "x" * 500}, "batch_size": 100}
    draft = await client.call(bulk.DRAFT, resource=RESOURCE, action="set-category", body=body)
    number = draft["operation"]["id"]
    engine = engine_process(engine_home)
    assert engine is not None
    log = engine_home.store.with_name("quarterdeck.db-wal")
    largest = max(log.stat().st_size, engine_home.store.stat().st_size)
    engine.rlimit(psutil.RLIMIT_FSIZE, (largest + 1_500_000, resource.RLIM_INFINITY))
    await client.call(bulk.CONFIRM, id=number, body={"count": 3_000})
    stopped = await until(lambda operation: operation["error"] is not None, client, number)
    assert "does not take writes" in stopped["error"] or "is full" in stopped["error"]
    assert "check its space" in stopped["error"] or "free some space" in stopped["error"]
    assert 0 < stopped["succeeded"] < 3_000
    assert stopped["succeeded"] % 100 == 0
    count = await client.call(items.COUNT, resource=RESOURCE, query={"filter": f"category:{'x' * 500}"})
    assert count["count"] == stopped["succeeded"], "what was committed is kept"
    assert await what_stops(client) is Code.STORE_FULL

    engine.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    noted = await until(lambda operation: operation["status"] != "in_progress", client, number)
    if noted["status"] == "failed":
        assert "resume to go on" in noted["error"]
        await client.call(bulk.RESUME, id=number)
    done = await until(lambda operation: operation["status"] == "completed", client, number)
    assert (done["succeeded"], done["failed"], done["error"]) == (3_000, 0, None)
    with sqlite3.connect(engine_home.store) as connection:
        query = "SELECT count(*), count(DISTINCT item_id) FROM item_events WHERE operation_id = ?"
        assert connection.execute(query, (number,)).fetchone() == (3_000, 3_000)
    connection.close()
    assert (await client.call(audit.VERIFY))["intact"]


# ----- a store that cannot be used


def start(home: Home) -> subprocess.CompletedProcess[str]:
    """An engine in the foreground, until it ends."""
    command = [sys.executable, "-m", "quarterdeck.engine", "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def refused_in_a_sentence(home: Home, *words: str) -> None:
    done = start(home)
    assert done.returncode == process.EXIT_STORE
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in (str(home.store), *words):
        assert word in done.stderr, done.stderr


def make_store(home: Home) -> None:
    async def make() -> None:
        await (await Store.open(StoreSettings(), home)).close()

    asyncio.run(make())


def test_a_store_with_a_hole_is_refused(engine_home: Home) -> None:
    make_store(engine_home)
    whole = engine_home.store.read_bytes()
    engine_home.store.write_bytes(whole[:100] + b"\xff" * 4_000 + whole[4_100:])
    broken = engine_home.store.read_bytes()
    refused_in_a_sentence(engine_home, "cannot be used", "restore a copy")
    assert engine_home.store.read_bytes() == broken


def test_a_store_somebody_else_writes_is_refused(engine_home: Home) -> None:
    make_store(engine_home)
    holder = sqlite3.connect(engine_home.store, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        refused_in_a_sentence(engine_home, "busy", "try again")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert process.EXIT_STORE != 0


@pytest.fixture
def read_only(engine_home: Home) -> Iterator[Home]:
    """A home whose store nobody may write: by its permissions, or for root by the file system."""
    make_store(engine_home)
    if os.geteuid() != 0:
        engine_home.store.chmod(0o400)
        yield engine_home
        engine_home.store.chmod(0o600)
        return
    made = subprocess.run(["chattr", "+i", engine_home.store], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("root may write everything here: this file system has no immutable files")
    yield engine_home
    subprocess.run(["chattr", "-i", engine_home.store], check=True)


def test_a_store_not_to_be_written_is_refused(read_only: Home) -> None:
    refused_in_a_sentence(read_only, "is read-only", "make it writable")


def test_a_folder_in_place_of_the_store_is_refused(engine_home: Home) -> None:
    Path(engine_home.store).mkdir()
    refused_in_a_sentence(engine_home, "cannot be used", "unable to open")
