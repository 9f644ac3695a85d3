"""A console on a fake engine, at a fixed time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.keys import _character_to_key
from textual.pilot import Pilot

from quarterdeck.config.home import Home
from quarterdeck.config.settings import ConsoleSettings, Settings
from quarterdeck.tui.app import Console
from quarterdeck.tui.keymap import Keymap
from quarterdeck.tui.session import Session
from quarterdeck.tui.state import ConsoleState, load
from tests.tui.fake_client import NOW, FakeClient

PATIENCE = 10.0


class FakeConsole(Console):
    """Connects to what it was given. `refused`: why no engine answers."""

    fake: FakeClient
    refused = ""

    async def connect(self, home: Home, *, on_wait: Any) -> Any:
        if self.refused:
            from quarterdeck.client.errors import Unreachable

            raise Unreachable(self.refused)
        self.fake.info = self.fake.say()
        return self.fake


def console_on(
    folder: Path,
    fake: FakeClient | None = None,
    *,
    settings: ConsoleSettings | None = None,
    state: ConsoleState | None = None,
    read_only: bool = False,
    theme: str | None = None,
    now: int = NOW,
    kind: type[FakeConsole] = FakeConsole,
) -> FakeConsole:
    home = Home(folder)
    home.create()
    chosen = settings or ConsoleSettings(detail_delay_ms=0)
    session = Session(
        home,
        Settings(console=chosen),
        Keymap(chosen.keys),
        state or load(home.console_state)[0],
        read_only=read_only,
        now=lambda: now,
    )
    console = kind(session, theme=theme)
    console.fake = fake or FakeClient()
    return console


class Person:
    """Somebody at the keyboard of a console under test."""

    def __init__(self, console: FakeConsole, pilot: Pilot[None]) -> None:
        self.console, self.pilot, self.fake = console, pilot, console.fake

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*(key_of(letter) for letter in text))

    async def sees(self, *words: str) -> None:
        """Waits until all of the words stand on the screen."""
        await self.until(lambda: all(word in self.screen for word in words), " and ".join(words))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited for {what}. The screen:\n{self.screen}")
            await self.pilot.pause(0.02)

    @property
    def screen(self) -> str:
        """What stands on the screen."""
        strips = self.console.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def line(self, number: int) -> str:
        return self.screen.splitlines()[number]


def key_of(letter: str) -> str:
    return _character_to_key(letter)


@asynccontextmanager
async def person_at(
    folder: Path, fake: FakeClient | None = None, *, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Person]:
    """A console that shows its first rows."""
    console = console_on(folder / "home", fake, **options)
    async with console.run_test(size=size) as pilot:
        person = Person(console, pilot)
        await person.until(console.first_rows.is_set, "the first rows")
        await pilot.pause()
        yield person
