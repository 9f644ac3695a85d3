"""Somebody at the console who sets things up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events

from quarterdeck.tui.screens.setup.form_fields import EntryRow
from tests.tui.consoles import Person, person_at
from tests.tui.fake_setup import SetupClient


@asynccontextmanager
async def at_the(what: str, tmp_path: Path, fake: SetupClient | None = None, **options: Any) -> AsyncIterator[Person]:
    async with person_at(tmp_path, fake or SetupClient(), **options) as person:
        person.console.everywhere.go(what)
        yield person


async def paste(person: Person, text: str) -> None:
    """Into the field that has the focus; a letter at a time would take a test most of its time."""
    person.console.post_message(events.Paste(text))
    await person.pilot.pause()


async def at_field(person: Person, title: str) -> None:
    """The focus on the first line of a field, without a way there by tab."""
    row = next(row for row in person.console.screen.query(EntryRow) if row.entry.title == title)
    row.boxes[0].focus()
    await person.pilot.pause()


async def fill(person: Person, text: str) -> None:
    """What stands in the field, replaced."""
    await person.press("ctrl+u")
    await paste(person, text)
