"""Alerts as pictures, at three sizes, and in every theme at the smallest.

After a change that is meant: pytest tests/tui/test_alerts_snapshots.py --snapshot-update, then look at them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.config.settings import ConsoleSettings
from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_alerts import AlertClient
from tests.tui.test_snapshots import SIZES, THEMES, Story, before


async def alerts(person: Person) -> None:
    await person.press("f11")
    await person.sees("Host is slow (14)", "19 firing")
    await person.press("j", "space")


async def an_alert(person: Person) -> None:
    await person.press("f11")
    await person.sees("Host is slow (14)")
    await person.press("j", "j", "enter")
    await person.sees("It reads 93%")


async def a_silence(person: Person) -> None:
    await person.press("f11")
    await person.sees("Host is slow (14)")
    await person.press("s")
    await person.sees("site=north")
    await person.press("tab", "tab")
    await person.type("It moves.")
    await person.press("enter")
    await person.sees("14 alerts that fire")


STORIES: dict[str, Story] = {story.__name__: story for story in (alerts, an_alert)}


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
    return console_on(tmp_path / "quarterdeck", AlertClient(), theme=theme, settings=settings)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("story", STORIES)
def test_screen(snap_compare: Any, tmp_path: Path, story: str, size: tuple[int, int]) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=size, run_before=before(STORIES[story]))


def test_dialog(snap_compare: Any, tmp_path: Path) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(a_silence))


@pytest.mark.parametrize("theme", THEMES[1:])
def test_screen_in_theme(snap_compare: Any, tmp_path: Path, theme: str) -> None:
    console = the_console(tmp_path, theme)
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(an_alert))


def test_screen_in_ascii_without_colour(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = the_console(tmp_path, "brutalist", ConsoleSettings(ascii=True, detail_delay_ms=0))
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(an_alert))
