"""Each screen as a picture, at three sizes; the queue and the bulk dialog in every theme.

After a change that is meant: pytest tests/tui/test_snapshots.py --snapshot-update, then look at the pictures.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_client import FakeClient, item

SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("brutalist", "daylight", "high-contrast", "terminal")
Story = Callable[[Person], Awaitable[None]]


async def queue(person: Person) -> None:
    await person.press("j", "space", "j", "space", "j")
    await person.sees("2 marked")


async def detail(person: Person) -> None:
    await person.press("j", "j", "enter")
    await person.sees("I ordered three weeks ago")


async def filtering(person: Person) -> None:
    await person.press("slash")
    await person.type("status:open pri")
    await person.sees("priority:")


async def filter_mistake(person: Person) -> None:
    await person.press("slash")
    await person.type("kind:refund statu:open")
    await person.press("enter")
    await person.sees("Column 13")


async def bulk_form(person: Person) -> None:
    await person.press("space", "space", "space", "a")
    await person.sees("Assign: 3 items")


async def bulk_preview(person: Person) -> None:
    await person.press("A", "space", "r")
    await person.sees("Resolve: 299 items")
    await person.press("enter")
    await person.sees("will be skipped")


async def bulk_high_risk(person: Person) -> None:
    await person.press("A", "D")
    await person.sees("Delete: 300 items")
    await person.press("enter")
    await person.sees("type 300 to allow it")


async def operations(person: Person) -> None:
    await bulk_form(person)
    await person.type("zoe")
    await person.press("enter")
    await person.sees("3 will be acted on")
    await person.press("y")
    await person.sees("Assign #12")
    await person.press("f3")
    await person.sees("operations")


async def help_page(person: Person) -> None:
    await person.press("question_mark")
    await person.sees("Claim")


async def palette(person: Person) -> None:
    await person.press("f2")
    await person.type("res")
    await person.sees("Resolve")


async def go_to(person: Person) -> None:
    await person.press("colon")
    await person.type("re")
    await person.sees("returns")


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        queue,
        detail,
        filtering,
        filter_mistake,
        bulk_form,
        bulk_preview,
        bulk_high_risk,
        operations,
        help_page,
        palette,
        go_to,
    )
}


def world() -> FakeClient:
    fake = FakeClient(300)
    fake.rows[2] = item(2, title="請求書の金額が違います — wide letters keep their columns", priority="urgent")
    fake.rows[3] = item(3, title="[/bold] \x1b]52;c;aGk=\x07 markup and escapes are only text", priority="urgent")
    return fake


def before(story: Story) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        console = pilot.app
        assert isinstance(console, FakeConsole)
        person = Person(console, pilot)
        await person.until(lambda: console.first_rows.is_set(), "the first rows")
        await story(person)
        await pilot.pause()

    return run


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The breadcrumb names the home: the same one in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))


def the_console(tmp_path: Path, theme: str) -> FakeConsole:
    return console_on(tmp_path / "quarterdeck", world(), theme=theme)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("story", STORIES)
def test_screen(snap_compare: Any, tmp_path: Path, story: str, size: tuple[int, int]) -> None:
    console = the_console(tmp_path, "brutalist")
    assert snap_compare(console, terminal_size=size, run_before=before(STORIES[story]))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("theme", THEMES[1:])
@pytest.mark.parametrize("story", ["queue", "bulk_preview"])
def test_screen_in_theme(snap_compare: Any, tmp_path: Path, story: str, theme: str, size: tuple[int, int]) -> None:
    console = the_console(tmp_path, theme)
    assert snap_compare(console, terminal_size=size, run_before=before(STORIES[story]))
