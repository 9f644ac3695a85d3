"""Home as pictures, at three sizes, and in every theme at the smallest.

After a change that is meant: pytest tests/tui/test_home_snapshots.py --snapshot-update, then look at them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.config.settings import ConsoleSettings
from tests.tui.consoles import Person, console_on
from tests.tui.fake_home import HomeClient, alert, calm
from tests.tui.test_snapshots import SIZES, THEMES, Story, before, bulk_preview, queue


async def home(person: Person) -> None:
    await person.press("0")
    await person.sees("needs you", "Disk is nearly full")
    await person.press("tab", "right")


async def calm_home(person: Person) -> None:
    await person.press("0")
    await person.sees("Nothing needs you.")


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same home and the same local time in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_home(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    console = console_on(tmp_path / "quarterdeck", HomeClient())
    assert snap_compare(console, terminal_size=size, run_before=before(home))


@pytest.mark.parametrize("theme", THEMES[1:])
def test_home_in_theme(snap_compare: Any, tmp_path: Path, theme: str) -> None:
    console = console_on(tmp_path / "quarterdeck", HomeClient(), theme=theme)
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(home))


def test_home_in_ascii_without_colour(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    settings = ConsoleSettings(ascii=True, detail_delay_ms=0)
    console = console_on(tmp_path / "quarterdeck", HomeClient(), settings=settings)
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(home))


def test_nothing_needs_anybody(snap_compare: Any, tmp_path: Path) -> None:
    console = console_on(tmp_path / "quarterdeck", HomeClient(calm()))
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(calm_home))


async def warned_queue(person: Person) -> None:
    person.fake.fire(alert(0), alert(2))  # type: ignore[attr-defined]
    await person.sees("▲ critical: Mail fails")
    await queue(person)


async def warned_dialog(person: Person) -> None:
    person.fake.fire(alert(0), alert(2))  # type: ignore[attr-defined]
    await person.sees("▲ critical: Mail fails")
    await bulk_preview(person)


@pytest.mark.parametrize("story", [warned_queue, warned_dialog], ids=["queue", "dialog"])
def test_banner(snap_compare: Any, tmp_path: Path, story: Story) -> None:
    console = console_on(tmp_path / "quarterdeck", HomeClient())
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(story))
