"""The engine as a process: one per home, told to stop, killed, refused, left alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.finding import answers, engine_running, socket_of
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import bulk, items, system
from quarterdeck.engine import process
from tests.support.engines import engine_process, kill_engine

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def start(home: Home) -> subprocess.CompletedProcess[str]:
    """An engine in the foreground, until it ends."""
    command = [sys.executable, "-m", "quarterdeck.engine", "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def test_only_its_owner_reaches_it(running_engine: Client, engine_home: Home) -> None:
    path = socket_of(engine_home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for name in ("quarterdeck.db", "engine.log", "engine.lock"):
        assert stat.S_IMODE((engine_home.path / name).stat().st_mode) & 0o077 == 0


async def test_a_second_engine_refuses_and_names_the_first(running_engine: Client, engine_home: Home) -> None:
    pid = running_engine.info["pid"]
    refused = await asyncio.to_thread(start, engine_home)
    assert refused.returncode == process.EXIT_RUNNING
    assert f"Another engine (pid {pid}) already runs for {engine_home.path}" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert (await running_engine.call(system.ENGINE))["pid"] == pid


async def test_killed_it_leaves_a_stale_socket_and_the_next_one_takes_its_place(
    running_engine: Client, engine_home: Home
) -> None:
    new = {"items": [{"tenant_id": "acme", "title": "kept"}]}
    await running_engine.call(items.CREATE, resource="returns", body=new)
    kill_engine(engine_home)
    assert socket_of(engine_home).exists()
    assert engine_running(engine_home) is None
    async with await connect(engine_home) as again:
        assert again.info["pid"] != running_engine.info["pid"]
        assert (await again.call(items.COUNT, resource="returns"))["count"] == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "api"])
async def test_told_to_stop_it_says_goodbye_and_leaves_nothing(
    running_engine: Client, engine_home: Home, how: Any
) -> None:
    running = engine_process(engine_home)
    assert running is not None
    path = socket_of(engine_home)
    events = running_engine.events()
    assert (await anext(events))["type"] == "connected"
    if how == "api":
        assert (await running_engine.call(system.STOP)) == {"pid": running.pid}
    else:
        running.send_signal(how)
    said = await asyncio.wait_for(anext(events), 10)
    assert said == {"type": "disconnected", "reason": f"The engine of {engine_home.path} was stopped."}
    await events.aclose()
    await until(lambda: engine_running(engine_home) is None)
    assert not path.exists()
    assert engine_home.lock.read_text() == ""
    assert "engine has stopped" in engine_home.log.read_text()
    assert not engine_home.store.with_name("quarterdeck.db-wal").exists()


async def test_a_closed_terminal_does_not_stop_it(running_engine: Client, engine_home: Home) -> None:
    running = engine_process(engine_home)
    assert running is not None
    assert os.getsid(running.pid) != os.getsid(0)
    running.send_signal(signal.SIGHUP)
    assert (await running_engine.call(system.HEALTHZ))["status"] == "ok"


async def test_stopped_amid_a_bulk_operation_it_goes_on_at_the_next_start(
    running_engine: Client, engine_home: Home
) -> None:
    ids: list[int] = []
    for _ in range(4):
        new = {"items": [{"tenant_id": "acme", "title": f"item {number}"} for number in range(1000)]}
        ids += (await running_engine.call(items.CREATE, resource="support_tasks", body=new))["ids"]
    body = {"ids": ids, "params": {"assignee": "ana"}, "batch_size": 20}
    draft = await running_engine.call(bulk.DRAFT, resource="support_tasks", action="assign", body=body)
    number = draft["operation"]["id"]
    await running_engine.call(bulk.CONFIRM, id=number, body={"count": len(ids)})
    await stop_engine(engine_home)
    async with await connect(engine_home) as again:
        states = [each async for each in again.watch(number)]
        assert states[-1]["type"] == "operation_completed"
        assert states[-1]["operation"]["succeeded"] == len(ids)
        count = await again.call(items.COUNT, resource="support_tasks", query={"filter": "assignee:ana"})
        assert count["count"] == len(ids)


async def test_the_same_engine_on_postgresql(engine_home: Home, postgres: PostgresServer) -> None:
    engine_home.config.write_text(f'[store]\nurl = "{postgres.database()}"\n')
    async with await connect(engine_home) as client:
        new = {"items": [{"tenant_id": "acme", "title": f"item {number}"} for number in range(300)]}
        ids = (await client.call(items.CREATE, resource="returns", body=new))["ids"]
        body = {"ids": ids, "params": {"assignee": "ana"}, "batch_size": 50}
        draft = await client.call(bulk.DRAFT, resource="returns", action="assign", body=body)
        await client.call(bulk.CONFIRM, id=draft["operation"]["id"])
        states = [each async for each in client.watch(draft["operation"]["id"])]
        assert states[-1]["operation"]["succeeded"] == 300
        assert (await client.call(system.ENGINE))["tenants"] == ["acme"]
        assert "quarterdeck_items" in await client.text(system.METRICS)
        assert not engine_home.store.exists()
        assert "postgresql" in client.info["store"]


async def test_a_socket_that_was_taken_away_is_made_again(running_engine: Client, engine_home: Home) -> None:
    socket_of(engine_home).unlink()
    await until(lambda: answers(engine_home))
    assert (await running_engine.call(system.ENGINE))["pid"] == running_engine.info["pid"]


async def test_without_its_home_there_is_nothing_left_to_serve(running_engine: Client, engine_home: Home) -> None:
    pid = running_engine.info["pid"]
    shutil.rmtree(engine_home.path)
    await until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid), seconds=15)


def _is_zombie(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


async def test_an_engine_of_another_runtime_folder_is_found(
    engine_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await connect(engine_home) as first:
        elsewhere = Path("/tmp") / f"qd-{os.getpid()}"
        elsewhere.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(elsewhere))
        try:
            async with await connect(engine_home, start=False) as second:
                assert second.info["pid"] == first.info["pid"]
        finally:
            for left in (elsewhere / "quarterdeck", elsewhere):
                if left.exists():
                    left.rmdir()


def test_a_broken_config_is_refused_with_one_sentence(engine_home: Home) -> None:
    engine_home.config.write_text("[engine]\nidle_minuets = 3\n")
    refused = start(engine_home)
    assert refused.returncode == process.EXIT_CONFIG
    assert refused.stderr == (
        f"{engine_home.config}: engine.idle_minuets is not a setting. See config.example.toml for all of them.\n"
    )
    assert not engine_home.store.exists()


def test_a_store_that_is_none_is_refused_and_kept(engine_home: Home) -> None:
    engine_home.store.write_bytes(b"these are not the rows you are looking for" * 100)
    refused = start(engine_home)
    assert refused.returncode == process.EXIT_STORE
    assert str(engine_home.store) in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr
    assert engine_home.store.read_bytes().startswith(b"these are not")


def test_a_file_in_place_of_the_socket_is_left_alone(engine_home: Home) -> None:
    path = engine_home.socket
    path.write_text("mine")
    try:
        refused = start(engine_home)
        assert refused.returncode == process.EXIT_CONFIG
        assert refused.stderr == f"{path} is in the way and is no socket; move it elsewhere.\n"
        assert path.read_text() == "mine"
    finally:
        path.unlink()


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = start(Home(tmp_path / "file" / "home"))
    assert refused.returncode == process.EXIT_CONFIG
    assert refused.stderr.startswith(f"Cannot make the home folder {tmp_path / 'file' / 'home'}")
    assert refused.stderr.count("\n") == 1
