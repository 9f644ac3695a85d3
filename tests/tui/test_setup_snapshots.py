"""What is set up, as pictures: each list at the smallest and at a large size, and forms.

After a change that is meant: pytest tests/tui/test_setup_snapshots.py --snapshot-update, then look at them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_setup import SetupClient
from tests.tui.test_snapshots import Story, before


async def rules(person: Person) -> None:
    person.console.everywhere.go("rules")
    await person.sees("Mail fails", "Prometheus")


async def channels(person: Person) -> None:
    person.console.everywhere.go("channels")
    await person.sees("old-hook", "5 channels")
    await person.press("j")
    await person.sees("old-hook: The receiver")


async def silences(person: Person) -> None:
    person.console.everywhere.go("silences")
    await person.sees("Cable cut", "2 silences hold")


async def policies(person: Person) -> None:
    person.console.everywhere.go("policies")
    await person.sees("Acme, prompt")


async def rule_form(person: Person) -> None:
    await rules(person)
    await person.press("c")
    await person.sees("Change rule Mail fails", "mon-fri 22:00-07:00")
    await person.press("tab", "ctrl+u", "tab", "a", "enter")
    await person.sees("is needed", "2 fields to put right")


async def rule_test(person: Person) -> None:
    await rules(person)
    await person.press("t")
    await person.sees("✕ fires  31.5%")


SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
STORIES: tuple[tuple[Story, tuple[int, int]], ...] = (
    *((story, size) for story in (rules, channels, silences, policies) for size in (SMALL, LARGE)),
    (rule_form, SMALL),
    (rule_form, MIDDLE),
    (rule_test, SMALL),
)


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same home and the same local time in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def the_console(tmp_path: Path) -> FakeConsole:
    return console_on(tmp_path / "quarterdeck", SetupClient(), theme="brutalist")


@pytest.mark.parametrize(
    ("story", "size"), STORIES, ids=lambda each: getattr(each, "__name__", "") or "x".join(map(str, each))
)
def test_screen(snap_compare: Any, tmp_path: Path, story: Story, size: tuple[int, int]) -> None:
    assert snap_compare(the_console(tmp_path), terminal_size=size, run_before=before(story))
