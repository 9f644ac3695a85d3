"""An engine nobody needs stops; one that somebody looks at or that has work does not."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from quarterdeck.config.settings import EngineSettings, Settings
from quarterdeck.engine import process
from quarterdeck.engine.bulk import finding
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service
from tests.engine.http.fakes import engine as fake_engine


class Ticks:
    """Keeps what the clock was given."""

    def __init__(self) -> None:
        self.ticks: dict[str, Callable[[], Awaitable[None]]] = {}

    def every(self, seconds: float, name: str, tick: Callable[[], Awaitable[None]]) -> None:
        self.ticks[name] = tick


def engine(
    minutes: int, monkeypatch: pytest.MonkeyPatch, *, runs: bool = False, operations: bool = False
) -> tuple[Engine, Ticks]:
    async def has_runs(_: Any) -> bool:
        return runs

    async def has_operations(_: Any) -> bool:
        return operations

    monkeypatch.setattr(service, "anything_to_do", has_runs)
    monkeypatch.setattr(finding, "anything_unfinished", has_operations)
    made, clock = fake_engine(), Ticks()
    made.settings = replace(Settings(), engine=EngineSettings(idle_minutes=minutes))
    made.clock = clock  # type: ignore[assignment]
    process._stop_when_idle(made)
    return made, clock


def gone_for(engine: Engine, minutes: float) -> None:
    engine.activity.last = time.monotonic() - minutes * 60


async def test_after_its_minutes_alone_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    made, clock = engine(15, monkeypatch)
    gone_for(made, 14.9)
    await clock.ticks["process: idle"]()
    assert not made.stopping.is_set()
    gone_for(made, 15.1)
    await clock.ticks["process: idle"]()
    assert made.stopping.is_set()


async def test_while_somebody_looks_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made, clock = engine(15, monkeypatch)
    made.activity.enter()
    gone_for(made, 60)
    await clock.ticks["process: idle"]()
    assert not made.stopping.is_set()
    made.activity.leave()
    await clock.ticks["process: idle"]()
    assert not made.stopping.is_set()


@pytest.mark.parametrize("what", ["runs", "operations"])
async def test_while_there_is_work_it_stays(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, clock = engine(15, monkeypatch, **{what: True})
    gone_for(made, 60)
    await clock.ticks["process: idle"]()
    assert not made.stopping.is_set()


def test_zero_minutes_mean_never(monkeypatch: pytest.MonkeyPatch) -> None:
    _, clock = engine(0, monkeypatch)
    assert not clock.ticks
