"""Usage as pictures, at three sizes, and in every theme at the smallest.

After a change that is meant: pytest tests/tui/test_usage_snapshots.py --snapshot-update, then look at them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.config.settings import ConsoleSettings
from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_usage import UsageClient
from tests.tui.test_snapshots import SIZES, THEMES, Story, before


async def usage(person: Person) -> None:
    await person.press("f12")
    await person.sees("this month", "api_calls", "by tenant", "acme")
    await person.press("j", "j")


async def one_tenant(person: Person) -> None:
    await usage(person)
    await person.press("enter")
    await person.sees("tenant initech", "newest first")
    await person.press("w", "j")
    await person.sees("this week")


async def limits(person: Person) -> None:
    await usage(person)
    await person.press("b", "b")
    await person.sees("at this pace", "a month")


STORIES: dict[str, Story] = {story.__name__: story for story in (usage, one_tenant, limits)}


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
    return console_on(tmp_path / "quarterdeck", UsageClient(), theme=theme, settings=settings)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_screen(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(the_console(tmp_path, "brutalist"), terminal_size=size, run_before=before(usage))


@pytest.mark.parametrize("story", ["one_tenant", "limits"])
def test_table(snap_compare: Any, tmp_path: Path, story: str) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(STORIES[story]))


@pytest.mark.parametrize("theme", THEMES[1:])
def test_screen_in_theme(snap_compare: Any, tmp_path: Path, theme: str) -> None:
    assert snap_compare(the_console(tmp_path, theme), terminal_size=(80, 24), run_before=before(limits))


def test_screen_in_ascii_without_colour(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = the_console(tmp_path, "brutalist", ConsoleSettings(ascii=True, detail_delay_ms=0))
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(usage))
