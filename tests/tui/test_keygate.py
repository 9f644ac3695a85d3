"""Somebody types faster than things open."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual import events
from textual.keys import _character_to_key

from quarterdeck.contract.operations import Operation
from quarterdeck.tui.screens.bulk.operations import OperationsScreen
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import FakeClient, item, operation


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


def two_queues() -> FakeClient:
    fake = FakeClient()
    fake.rows |= {n: item(n, "returns") for n in range(401, 421)}
    fake.operations[7] = operation(7, status="in_progress", batches_done=1)
    return fake


async def test_going_to_a_queue_and_moving_there_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path, two_queues()) as person:
        await person.sees("300 matching")
        burst(person, ":returns", then="enter")
        burst(person, "jjj")
        await person.sees("returns", "20 matching")
        await person.until(lambda: person.console.queue.table.position[0] == 3, "three rows down")


async def test_moves_wait_for_the_rows_of_a_slow_engine(tmp_path: Path) -> None:
    fake, gate = two_queues(), asyncio.Event()
    at_once = fake.call

    async def call(op: Operation, **asked: Any) -> dict[str, Any]:
        if op.name == "items.list" and asked.get("resource") == "returns":
            await gate.wait()
        return await at_once(op, **asked)

    fake.call = call  # type: ignore[assignment,method-assign]
    async with person_at(tmp_path, fake) as person:
        await person.sees("300 matching")
        burst(person, ":returns", then="enter")
        burst(person, "jj1")
        await person.sees("home › returns")
        gate.set()
        await person.sees("Approve #403")


async def test_going_to_an_operation_and_acting_there_never_acts_on_an_item(tmp_path: Path) -> None:
    async with person_at(tmp_path, two_queues()) as person:
        await person.sees("300 matching")
        burst(person, ":op 7", then="enter")
        burst(person, "x")
        await person.sees("Cancel Assign #7", "stop it")
        assert not person.fake.called("items.act")


async def test_leaving_go_to_and_moving_on_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, ":ret", then="escape")
        burst(person, "jj")
        await person.until(lambda: person.console.queue.table.position[0] == 2, "two rows down")
        assert not person.console.session.lost
        burst(person, "/stat", then="escape")
        burst(person, "j")
        await person.until(lambda: person.console.queue.table.position[0] == 3, "one more")


async def test_a_command_of_the_palette_and_its_answer_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "", then="f2")
        burst(person, "sort", then="enter")
        burst(person, "j", then="enter")
        await person.sees("by -priority")


async def test_a_value_ends_with_enter_and_what_follows_moves_the_cursor(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "jazoe", then="enter")
        burst(person, "jj")
        await person.until(lambda: person.fake.called("items.act"), "the assignment")
        assert person.fake.called("items.act")[0]["params"]["assignee"] == "zoe"
        await person.until(lambda: person.console.queue.table.position[0] == 3, "two rows further")


async def test_enter_twice_closes_one_thing(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "o", then="enter")
        burst(person, "", then="enter")
        await person.until(lambda: person.console.queue.detail.is_open, "the second enter to open the detail pane")


async def test_what_is_typed_behind_back_is_for_the_queue(tmp_path: Path) -> None:
    async with person_at(tmp_path, two_queues()) as person:
        await person.press("f3")
        await person.until(lambda: isinstance(person.console.screen, OperationsScreen), "the operations")
        await person.sees("Assign #7")
        burst(person, "qjjc")
        await person.sees("Comment #3")
        assert not person.fake.called("bulk.resume")


async def test_a_yes_behind_a_form_is_no_answer_to_what_it_leads_to(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("space", "space", "a")
        await person.sees("Assign: 2 items")
        burst(person, "zoe", then="enter")
        burst(person, "y")
        await person.sees("2 will be acted on")
        assert person.fake.called("bulk.draft")[0]["params"]["assignee"] == "zoe"
        assert not person.fake.called("bulk.confirm")


async def test_a_completion_and_what_follows_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        burst(person, "/stat", then="tab")
        burst(person, "wait", then="tab")
        burst(person, "", then="enter")
        await person.sees("/ status:waiting", "50 matching")
