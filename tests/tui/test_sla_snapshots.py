"""Service levels as pictures, at three sizes, and in every theme at the smallest.

After a change that is meant: pytest tests/tui/test_sla_snapshots.py --snapshot-update, then look at them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.config.settings import ConsoleSettings
from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_sla import SlaClient
from tests.tui.test_promises import CALL, RAISE, clock
from tests.tui.test_snapshots import SIZES, THEMES, Story, before


async def service_levels(person: Person) -> None:
    await person.press("f10")
    await person.sees("promises kept", "38 at risk", "159 broken in 30 days")
    await person.press("j", "j")


async def broken_ones(person: Person) -> None:
    await service_levels(person)
    await person.press("b", "j", "l", "w")
    await person.sees("13 weeks", "ago")


async def an_items_clocks(person: Person) -> None:
    person.fake.clocks[1] = {
        "clocks": [clock("first_response", "met", used_minutes=9.5, target_minutes=15), clock()],
        "suggestions": [RAISE, CALL],
    }
    await person.press("f10")
    await person.sees("38 at risk")
    await person.press("enter")
    await person.sees("promises", "suggested")


STORIES: dict[str, Story] = {story.__name__: story for story in (service_levels, broken_ones, an_items_clocks)}


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same home and the same local time in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def the_console(tmp_path: Path, theme: str, settings: ConsoleSettings | None = None) -> FakeConsole:
    return console_on(tmp_path / "quarterdeck", SlaClient(), theme=theme, settings=settings)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("story", STORIES)
def test_screen(snap_compare: Any, tmp_path: Path, story: str, size: tuple[int, int]) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=size, run_before=before(STORIES[story]))


@pytest.mark.parametrize("theme", THEMES[1:])
def test_screen_in_theme(snap_compare: Any, tmp_path: Path, theme: str) -> None:
    console = the_console(tmp_path, theme)
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(service_levels))


def test_screen_in_ascii_without_colour(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = the_console(tmp_path, "brutalist", ConsoleSettings(ascii=True, detail_delay_ms=0))
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(service_levels))
