"""A console on a fake engine, at a fixed time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck.config.home import Home
from quarterdeck.config.settings import ConsoleSettings, Settings
from quarterdeck.tui.app import Console
from quarterdeck.tui.keymap import Keymap
from quarterdeck.tui.session import Session
from quarterdeck.tui.state import ConsoleState, load
from tests.tui.fake_client import NOW, FakeClient


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
    console = FakeConsole(session, theme=theme)
    console.fake = fake or FakeClient()
    return console
