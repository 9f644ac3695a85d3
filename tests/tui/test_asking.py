"""One item: what is asked before something is done, and what is said after."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.screens.items.screen import QueueScreen
from quarterdeck.tui.state import ConsoleState
from tests.tui.consoles import Person, person_at
from tests.tui.fake_client import FakeClient, item, operation


async def _closed(person: Person) -> None:
    await person.until(lambda: isinstance(person.console.screen, QueueScreen), "the dialog to close")


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["backspace"], "status:ope"),
        (["left", "left", "backspace"], "status:oen"),
        (["home", "delete"], "tatus:open"),
        (["home", "end", "backspace"], "status:ope"),
        (["ctrl+u"], ""),
        (["ctrl+a", "ctrl+k"], ""),
        (["ctrl+a", "ctrl+e", "backspace"], "status:ope"),
        (["ctrl+w"], "status:"),
    ],
)
async def test_a_filter_can_be_edited(tmp_path: Path, keys: list[str], left: str) -> None:
    from quarterdeck.tui.widgets.filter_editor import FilterEditor

    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("status:open")
        await person.press(*keys)
        assert person.console.screen.query_one(FilterEditor).query_one("TextInput").value == left  # type: ignore[attr-defined]
        assert "does nothing here" not in person.screen


async def test_enter_in_the_field_of_a_dangerous_dialog_carries_nothing_out(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("D")
        await person.sees("Delete #1", "tab Reason", "enter or esc cancels")
        await person.press("tab")
        await person.sees("enter goes to Cancel, where y delete is")
        await person.type("why")
        await person.press("enter")
        await person.sees("enter or esc cancels")
        assert not person.fake.called("items.act")
        await person.press("enter")
        await person.sees("Nothing was done.")
        assert not person.fake.called("items.act")
        await person.press("D")
        await person.sees("Delete #1")
        await person.press("tab")
        await person.type("spam")
        await person.press("enter", "y")
        await person.until(lambda: person.fake.called("items.act"), "the item to be deleted")
        assert person.fake.called("items.act")[0]["params"] == {"reason": "spam"}


async def test_somebody_elses_claim_is_not_released_by_one_key(tmp_path: Path) -> None:
    fake = FakeClient()
    fake.rows[1] = item(1, assignee="ana", status="in_progress")
    async with person_at(tmp_path, fake) as person:
        await person.press("x")
        await person.sees("Release #1", "ana has it, not you", "y release")
        await person.press("enter")
        await _closed(person)
        assert not fake.called("items.act")
        await person.press("x")
        await person.sees("y release")
        await person.press("y")
        await person.until(lambda: fake.called("items.act"), "the release")


async def test_my_own_claim_is_released_at_once(tmp_path: Path) -> None:
    fake = FakeClient()
    fake.rows[1] = item(1, assignee="olga", status="in_progress")
    async with person_at(tmp_path, fake) as person:
        await person.press("x")
        await person.until(lambda: fake.called("items.act"), "the release")


async def test_cancelling_a_running_operation_asks_once(tmp_path: Path) -> None:
    fake = FakeClient()
    fake.operations[13] = operation(13, status="in_progress", succeeded=400, finished_at=None, eta_seconds=9)
    async with person_at(tmp_path, fake) as person:
        await person.press("f3")
        await person.sees("#13")
        await person.press("x")
        await person.sees("Cancel Assign #13", "y stop it")
        await person.press("enter")
        await person.sees("Nothing was done.")
        assert not fake.called("bulk.cancel")


async def test_cancel_item_cannot_be_misread(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("X")
        await person.sees("enter cancels the item · esc goes back")


async def test_a_comment_is_called_a_comment(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("c")
        await person.sees("Comment #1")
        await person.type("called")
        await person.press("enter")
        await person.sees("Comment added to #1.")


async def test_a_refund_says_how_much(tmp_path: Path) -> None:
    fake = FakeClient(0)
    fake.rows = {1: item(1, "returns", status="received")}
    async with person_at(tmp_path, fake, state=ConsoleState(resource=Resource.RETURNS)) as person:
        await person.press("4")
        await person.sees("Refund #1", "Amount: 129.50 EUR", "y refund")


async def test_an_undo_that_is_refused_says_of_what_and_what_comes_next(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(160, 40)) as person:
        await person.press("r", "enter")
        await person.sees("Resolve: #1 is resolved")
        await person.press("j", "r", "enter")
        await person.sees("Resolve: #2 is resolved")
        undo = person.fake._items_undo

        def refuse(*_: object) -> dict[str, object]:
            raise Problem(Code.CHANGED_SINCE, "Item 2 has changed since you looked; look again, then decide.")

        person.fake._items_undo = refuse  # type: ignore[method-assign, assignment]
        await person.press("u")
        await person.sees("Resolve #2 was not taken back", "u now takes back Resolve #1.")
        person.fake._items_undo = undo  # type: ignore[method-assign]
        await person.press("u")
        await person.sees("Taken back: Resolve #1.")


async def test_an_undo_that_may_work_later_is_kept(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(120, 40)) as person:
        await person.press("r", "enter")
        await person.sees("Resolve: #1 is resolved")

        def refuse(*_: object) -> dict[str, object]:
            raise Problem(Code.STORE_BUSY, "The store is busy; try again.")

        person.fake._items_undo = refuse  # type: ignore[method-assign, assignment]
        await person.press("u")
        await person.sees("Resolve #1 was not taken back: The store is busy")
        assert len(person.console.session.acts) == 1
