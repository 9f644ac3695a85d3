"""Finding, starting and replacing the engine of a home."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quarterdeck import __version__
from quarterdeck.client import local
from quarterdeck.client.client import Client
from quarterdeck.client.errors import Unreachable, VersionMismatch
from quarterdeck.client.finding import engine_running
from quarterdeck.client.local import connect, start_engine, stop_engine
from quarterdeck.config.home import Home, HomeError
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import system
from quarterdeck.contract.principal import Principal
from tests.support.engines import kill_engine


async def test_an_engine_is_started_when_none_answers_and_found_afterwards(engine_home: Home) -> None:
    said: list[str] = []
    async with await connect(engine_home, on_wait=said.append) as first:
        assert said == ["Starting the engine"]
        assert first.info["version"] == __version__
        assert first.info["pid"] == engine_running(engine_home)
        async with await connect(engine_home, on_wait=said.append) as second:
            assert second.info["pid"] == first.info["pid"]
    assert said == ["Starting the engine"]


async def test_many_at_once_share_one_engine(engine_home: Home) -> None:
    clients = await asyncio.gather(*(connect(engine_home) for _ in range(4)))
    assert len({client.info["pid"] for client in clients}) == 1
    for client in clients:
        await client.close()


async def test_without_leave_to_start_it_says_how(engine_home: Home) -> None:
    with pytest.raises(Unreachable, match=f"No engine runs for {engine_home.path}; start one with: qd engine start"):
        await connect(engine_home, start=False)


async def test_an_engine_that_refuses_to_start_says_why(engine_home: Home) -> None:
    engine_home.config.write_text("[engine]\nidle_minutes = -1\n")
    with pytest.raises(Unreachable) as refused:
        await connect(engine_home)
    said = str(refused.value)
    assert said.startswith(f"The engine did not start: {engine_home.config}: engine.idle_minutes")
    assert said.endswith(f". See {engine_home.log}.")


async def test_a_home_that_cannot_be_made_is_named(engine_home: Home) -> None:
    (engine_home.path / "file").write_text("")
    with pytest.raises(HomeError, match="Cannot make the home folder"):
        await connect(Home(engine_home.path / "file" / "home"))


async def test_starting_and_stopping(engine_home: Home) -> None:
    pid = await start_engine(engine_home)
    assert await start_engine(engine_home) == pid
    assert await stop_engine(engine_home) == pid
    assert await stop_engine(engine_home) is None


async def test_somebody_narrower(engine_home: Home) -> None:
    viewer = Principal("vera", Role.VIEWER, frozenset({"acme"}))
    async with await connect(engine_home, act_as=viewer) as client:
        assert client.info["principal"] == {"actor": "vera", "role": "viewer", "tenants": ["acme"]}


async def test_an_idle_engine_of_another_version_is_replaced(
    engine_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await connect(engine_home) as old:
        monkeypatch.setattr(local, "__version__", "9.9.9")
        said: list[str] = []
        # What is installed here is not 9.9.9 either, so the new engine is still another one.
        with pytest.raises(VersionMismatch, match=r"is version .*, this is 9\.9\.9, and it came back as"):
            await connect(engine_home, on_wait=said.append)
        assert said[0] == f"Replacing the engine, version {__version__}"
        assert engine_running(engine_home) not in (None, old.info["pid"])


async def test_an_engine_at_work_is_left_alone_whatever_its_version(
    engine_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_work(client: Any) -> bool:
        return True

    monkeypatch.setattr(local, "_at_work", at_work)
    async with await connect(engine_home) as old:
        monkeypatch.setattr(local, "__version__", "9.9.9")
        async with await connect(engine_home) as client:
            assert client.info["pid"] == old.info["pid"]
        monkeypatch.setattr(local, "API_NUMBER", 2)
        with pytest.raises(VersionMismatch, match="it is at work; wait for its bulk operations"):
            await connect(engine_home)
        with pytest.raises(VersionMismatch, match="stop it with: qd engine stop"):
            await connect(engine_home, start=False)


async def test_a_console_sees_its_engine_die_and_come_back(running_engine: Client, engine_home: Home) -> None:
    events = running_engine.events()
    assert (await anext(events))["type"] == "connected"
    kill_engine(engine_home)
    said = [await asyncio.wait_for(anext(events), 20) for _ in range(2)]
    assert [each["type"] for each in said] == ["disconnected", "connected"]
    assert str(engine_home.path) in said[0]["reason"]
    assert (await running_engine.call(system.ENGINE))["pid"] != running_engine.info["pid"]
    await events.aclose()


async def test_an_engine_that_was_stopped_stays_stopped_until_somebody_starts_one(
    running_engine: Client, engine_home: Home
) -> None:
    events = running_engine.events()
    assert (await anext(events))["type"] == "connected"
    await stop_engine(engine_home)
    assert (await anext(events))["reason"] == f"The engine of {engine_home.path} was stopped."
    waits = asyncio.ensure_future(anext(events))
    done, _ = await asyncio.wait({waits}, timeout=0.5)
    assert not done
    assert engine_running(engine_home) is None
    await start_engine(engine_home)
    assert (await asyncio.wait_for(waits, 20))["type"] == "connected"
    await events.aclose()
