"""Somebody types faster than things open."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.keys import _character_to_key

from tests.tui.consoles import Person, person_at


def burst(person: Person, text: str, *, then: str = "") -> None:
    """All at once, as a slow line delivers what was typed meanwhile."""
    for letter in text:
        person.console.post_message(events.Key(_character_to_key(letter), letter))
    if then:
        person.console.post_message(events.Key(then, None))


async def test_a_filter_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "/status:waiting", then="enter")
        await person.sees("/ status:waiting", "50 matching")
        assert not person.fake.called("items.act")


async def test_an_action_and_its_value_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "jjazoe", then="enter")
        await person.until(lambda: person.fake.called("items.act"), "the assignment")
        await person.sees("zoe")


async def test_what_was_typed_before_a_question_is_no_answer(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "Dy")
        await person.sees("Delete")
        assert not person.fake.called("items.act")
        assert not person.fake.called("bulk.confirm")


async def test_moving_is_never_held_up(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "j" * 50 + "k" * 20)
        await person.until(lambda: person.console.queue.table.position[0] == 30, "row 31")


async def test_a_filter_and_moves_behind_it_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "/status:waiting", then="enter")
        burst(person, "jjj")
        await person.sees("/ status:waiting", "50 matching")
        await person.until(lambda: person.console.queue.table.position[0] == 3, "three rows down")
        assert person.console.queue.view.filter == "status:waiting"
