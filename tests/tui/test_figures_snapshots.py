"""Queues and workers as pictures, at three sizes, and in every theme at the smallest.

After a change that is meant: pytest tests/tui/test_figures_snapshots.py --snapshot-update, then look at them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_machines import MachineClient
from tests.tui.test_snapshots import SIZES, THEMES, Story, before


async def queues(person: Person) -> None:
    await person.press("f6")
    await person.sees("30 min", "refunds-api")
    await person.press("j", "j")


async def open_charts(person: Person) -> None:
    """They are open already in a tall terminal."""
    if "charts of" not in person.screen:
        await person.press("enter")
    await person.sees("throughput /min")


async def queue_charts(person: Person) -> None:
    await queues(person)
    await open_charts(person)


async def queue_day(person: Person) -> None:
    await queue_charts(person)
    await person.press("l", "w")
    await person.sees("the last 24 hours", "p95")


async def queue_pause(person: Person) -> None:
    await queues(person)
    await person.press("p")
    await person.sees("Pause refunds-api")


async def queue_change(person: Person) -> None:
    await queues(person)
    await person.press("c")
    await person.sees("Change refunds-api")
    await person.press("0", "0", "0", "0", "enter")
    await person.sees("must be 1 to 10,000")


async def workers(person: Person) -> None:
    await person.press("f9")
    await person.sees("reporter-1")
    await person.press("j", "j", "j")
    await person.sees("refunder-2")


async def worker_charts(person: Person) -> None:
    await workers(person)
    await open_charts(person)
    await person.sees("checked just now")


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (queues, queue_charts, queue_day, queue_pause, queue_change, workers, worker_charts)
}


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same home and the same local time in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def the_console(tmp_path: Path, theme: str) -> FakeConsole:
    return console_on(tmp_path / "quarterdeck", MachineClient(), theme=theme)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("story", STORIES)
def test_screen(snap_compare: Any, tmp_path: Path, story: str, size: tuple[int, int]) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=size, run_before=before(STORIES[story]))


@pytest.mark.parametrize("theme", THEMES[1:])
@pytest.mark.parametrize("story", ["queue_charts", "workers"])
def test_screen_in_theme(snap_compare: Any, tmp_path: Path, story: str, theme: str) -> None:
    console = the_console(tmp_path, theme)
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(STORIES[story]))
