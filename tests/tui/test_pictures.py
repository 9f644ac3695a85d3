"""The screens as pictures: sizes and themes. Look at them when they change: `--snapshot-update` writes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.fake_client import FakeClient
from tests.tui.test_everywhere import history

SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = ["brutalist", "daylight", "high-contrast", "terminal"]
NARROW = (80, 24)

Story = Callable[[Person], Awaitable[None]]


async def detail(person: Person) -> None:
    await person.press("j", "space", "enter")
    await person.sees("1 marked", "CASE-1003", "I ordered three weeks ago")


async def verdict(person: Person) -> None:
    await person.press("A", "D")
    await person.sees("Delete: 300 items")
    await person.press("enter")
    await person.sees("high risk", "type 300")


async def operations(person: Person) -> None:
    await person.press("f3", "j")
    await person.sees("why some failed", "Order 1")


async def help_(person: Person) -> None:
    await person.press("question_mark")
    await person.sees("Keys in support_tasks")


async def editing(person: Person) -> None:
    await person.press("slash")
    await person.until(lambda: person.fake.called("items.facets"), "the values of the store")
    await person.type("status:open prio")
    await person.sees("priority:")


async def mistaken(person: Person) -> None:
    await person.press("slash")
    await person.type("statu:open")
    await person.press("enter")
    await person.sees("Did you mean")


async def palette(person: Person) -> None:
    await person.press("f2")
    await person.type("re")
    await person.sees("Release", "Resolve")


async def unreachable(person: Person) -> None:
    await person.fake.queue.put(
        {"type": "disconnected", "reason": "the engine of ~/desk does not answer; start it with: qd engine start."}
    )
    await person.sees("No engine:")


async def priority(person: Person) -> None:
    await person.press("p")
    await person.sees("Set priority #1")


STORIES: dict[str, Story] = {
    "detail": detail,
    "verdict": verdict,
    "operations": operations,
    "help": help_,
    "editing": editing,
    "mistaken": mistaken,
    "palette": palette,
    "unreachable": unreachable,
    "priority": priority,
}

CASES = [
    *(("detail", theme, size) for theme in THEMES for size in SIZES),
    *((story, "brutalist", size) for story in ("verdict", "operations", "help") for size in SIZES),
    *((story, theme, NARROW) for story in ("verdict", "operations") for theme in THEMES[1:]),
    *((story, "brutalist", NARROW) for story in ("editing", "mistaken", "palette", "unreachable", "priority")),
]


@pytest.mark.parametrize(
    ("story", "theme", "size"), CASES, ids=[f"{story}-{theme}-{size[0]}x{size[1]}" for story, theme, size in CASES]
)
def test_picture(
    story: str, theme: str, size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]
) -> None:
    fake: FakeClient = history() if story == "operations" else FakeClient()
    console: FakeConsole = console_on(tmp_path / "home", fake, theme=theme)

    async def tell(pilot: Pilot[Any]) -> None:
        person = Person(console, pilot)
        await person.until(console.first_rows.is_set, "the first rows")
        await STORIES[story](person)
        await pilot.pause()

    assert snap_compare(console, terminal_size=size, run_before=tell)
