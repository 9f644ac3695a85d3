"""Runs: looking at machine work and doing something about it."""

from __future__ import annotations

from pathlib import Path

from tests.tui.consoles import Person, person_at
from tests.tui.fake_runs import FakeWork


async def at_runs(person: Person, where: str = "runs") -> None:
    await person.press("colon")
    await person.type(where)
    await person.press("enter")
    await person.sees("matching")


async def test_the_list_says_state_queue_attempt_and_error(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await person.press("f7")
        await person.sees("runs › by -created", "240 matching", "✕ dead", "◐ active", "mail", "5/5", "503")
