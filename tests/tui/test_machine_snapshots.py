"""Runs, dead letters and exceptions as pictures, at three sizes; both lists in every theme.

After a change that is meant: pytest tests/tui/test_machine_snapshots.py --snapshot-update, then look at the pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_runs import FakeWork, dead_letter, exception, with_log
from tests.tui.test_snapshots import SIZES, THEMES, Story, before


async def runs(person: Person) -> None:
    await person.press("f7")
    await person.sees("240 matching", "✕ dead")
    await person.press("j", "space", "j")
    await person.sees("1 marked")


async def run_detail(person: Person) -> None:
    await person.press("f7")
    await person.sees("240 matching", "✕ dead")
    await person.press("enter")
    await person.sees("try 5 of 5", "#1 ✕ failed")
    await person.pilot.pause()


async def run_log(person: Person) -> None:
    await person.press("f7")
    await person.sees("240 matching", "✕ dead")
    await person.press("j", "l")
    await person.sees("40 of 40 entries")
    await person.press("slash")
    await person.type("refund")
    await person.press("enter")
    await person.until(lambda: "\n▸ " in person.screen, "a match")


async def payload(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("p")
    await person.sees("customer")
    await person.press("j", "j", "j", "j", "j")
    await person.sees(".customer.name")


async def dead_letters(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("j", "space", "j")
    await person.sees("1 marked")


async def dead_letter_detail(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("enter")
    await person.sees("5 attempts", "#1 ✕ failed")
    await person.pilot.pause()


async def searching(person: Person) -> None:
    assert isinstance(person.fake, FakeWork)
    person.fake.letters = {n: dead_letter(n) for n in range(1, 4_001)}
    person.fake.part = 0.05
    await person.press("colon")
    await person.type("dlq amount")
    await person.press("enter")
    await person.sees("searched", "666+ matching", "validation amount")
    await person.pilot.pause(0.3)


async def errors(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("E")
    await person.sees("3 groups", "No answer from")


async def group_retry(person: Person) -> None:
    await errors(person)
    await person.press("A")
    await person.sees("40 marked")
    await person.press("r")
    await person.sees("Retry: 40 dead letters")
    await person.press("enter")
    await person.sees("will be acted on")


async def growth(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("c")
    await person.sees("added", "by queue")


async def editing(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("e")
    await person.sees("F2 see the difference", "4711")
    await person.press("down", "down", "end", "backspace", "backspace")
    await person.type("0,,")
    await person.press("f2")
    await person.sees("Line 3")


async def edited(person: Person) -> None:
    await editing(person)
    await person.press("end", "backspace", "f2")
    await person.sees('+   "amount"')


async def story(person: Person) -> None:
    await person.press("colon")
    await person.type("exceptions")
    await person.press("enter")
    await person.sees("refund.send failed")
    await person.press("enter")
    await person.sees("dead letter #4")
    await person.pilot.pause()


async def machine_help(person: Person) -> None:
    await person.press("f8")
    await person.sees("120 matching", "pending")
    await person.press("question_mark")
    await person.sees("Keys in dead_letters")


STORIES: dict[str, Story] = {
    each.__name__: each
    for each in (
        *(runs, run_detail, run_log, payload, dead_letters, dead_letter_detail, searching, errors, group_retry),
        *(growth, editing, edited, story, machine_help),
    )
}


def world() -> FakeWork:
    fake = with_log(FakeWork(), 2)
    fake.runs[3]["kind"] = "請求書 \x1b]52;c;aGk=\x07 [/bold]"
    fake.letters[4] = dead_letter(4, status="pending", retries=2)
    fake.rows[900] = exception(900, 4)
    fake.logs[2][36]["text"] = "a line that is much longer than the screen is wide, " * 5
    fake.logs[2][37]["text"] = "\x1b[31mred\x1b[0m\ttabs and\nmore than one line [/] \u202e turned"
    return fake


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The breadcrumb names the home: the same one in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))


def the_console(tmp_path: Path, theme: str) -> FakeConsole:
    return console_on(tmp_path / "quarterdeck", world(), theme=theme)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", STORIES)
def test_screen(snap_compare: Any, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=size, run_before=before(STORIES[name]))


@pytest.mark.parametrize("theme", THEMES[1:])
@pytest.mark.parametrize("name", ["runs", "dead_letters", "run_detail"])
def test_screen_in_theme(snap_compare: Any, tmp_path: Path, name: str, theme: str) -> None:
    console = the_console(tmp_path, theme)
    assert snap_compare(console, terminal_size=(80, 24), run_before=before(STORIES[name]))
