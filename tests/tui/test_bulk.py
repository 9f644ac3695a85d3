"""Acting on many: what will happen is said before it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events

from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.screens.bulk.dialog import BulkDialog
from quarterdeck.tui.screens.items.screen import QueueScreen
from tests.tui.consoles import Person, key_of, person_at
from tests.tui.fake_client import NOW, FakeClient, item, operation


async def _assign_three(person: Person) -> None:
    await person.press("space", "space", "space", "a")
    await person.sees("Assign: 3 items", "3 chosen one by one", "Assignee")
    await person.type("ben")
    await person.press("enter")
    await person.sees("3 will be acted on", "low risk", "can be undone", "y Assign 3")


async def test_from_marks_to_a_running_operation(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)
        assert person.fake.called("bulk.draft") == [{"params": {"assignee": "ben", "reason": None}, "ids": [1, 2, 3]}]
        await person.press("y")
        await person.sees("Assign #12", "0%")
        assert person.fake.called("bulk.confirm") == [{"count": 3}]
        assert "marked" not in person.screen


async def test_cancel_has_the_focus_and_gives_the_draft_back(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)
        await person.press("enter")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "the dialog to close")
        await person.until(lambda: person.fake.called("bulk.cancel"), "the draft to be given back")
        assert not person.fake.called("bulk.confirm")
        await person.sees("3 marked")


async def test_the_key_that_opened_it_does_not_confirm(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)
        await person.press("a", "a")
        assert isinstance(person.console.screen, BulkDialog)
        assert not person.fake.called("bulk.confirm")


async def test_all_that_match_minus_some_goes_by_a_token(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("priority:urgent")
        await person.press("enter")
        await person.sees("7 matching")
        await person.press("A", "space", "r")
        await person.sees("Resolve: 6 items", "priority:urgent", "1 that you unmarked")
        await person.press("enter")
        await person.sees("will be skipped", "does not apply in their state")
        assert person.fake.called("items.select") == [
            {"filter": "priority:urgent"},
            {"filter": "priority:urgent", "except_ids": [1], "boundary": 300},
        ]
        assert person.fake.called("bulk.draft")[0]["selection"] == "token-2"


async def test_high_risk_asks_for_the_count(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("A", "D")
        await person.sees("Delete: 300 items", "none: the whole queue")
        await person.press("enter")
        await person.sees("high risk", "type 300 to allow it")
        await person.press("y")
        await person.sees("Nothing is not 300")
        await person.type("42")
        await person.press("y")
        await person.sees("42 is not 300")
        await person.press("backspace", "backspace")
        await person.type("300")
        await person.press("y")
        await person.sees("Delete #12")
        assert person.fake.called("bulk.confirm") == [{"count": 300}]


async def test_a_refund_of_many_says_what_it_pays_out(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeClient()) as person:
        person.fake.rows |= {n: item(n, "returns", status="received") for n in range(401, 404)}
        person.fake.sums = [
            {"currency": "EUR", "amount": "1234567.5", "items": 2},
            {"currency": None, "amount": "5", "items": 1},
        ]
        await person.press("colon")
        await person.type("returns")
        await person.press("enter")
        await person.sees("3 matching")
        await person.press("A", "4")
        await person.sees("Refund: 3 items")
        await person.press("enter")
        await person.sees(
            "pays out 1,234,567.50 EUR  2 items", "5.00 (no currency named)  1 item", "type 3 to allow it"
        )


async def test_it_can_start_later(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("space", "space", "p")
        await person.sees("Set priority: 2 items", "Start")
        await person.press("tab", "tab")
        await person.type("soon")
        await person.press("enter")
        await person.sees("'soon' is no time to start at. Try 22:00, tomorrow 06:00")
        assert not person.fake.called("bulk.draft")
        await person.press("backspace", "backspace", "backspace", "backspace")
        await person.type("in 2h")
        await person.press("enter")
        await person.sees("starts 2026-", "in 2h")
        assert person.fake.called("bulk.draft")[0]["run_at"] == iso(NOW + 2 * HOUR)
        await person.press("y")
        await person.sees("Set priority #12 starts", "F3 can cancel it")


async def test_saved_under_a_name_and_used_again(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("b")
        await person.sees("Nothing is saved for support_tasks yet")
        await person.press("slash")
        await person.type("priority:urgent")
        await person.press("enter")
        await person.sees("7 matching")
        await person.press("A", "a")
        await person.sees("Assign: 7 items")
        await person.type("zoe")
        await person.press("enter")
        await person.sees("s saves this under a name")
        await person.press("s")
        await person.sees("Save Assign", "Name")
        await person.type("Morning")
        await person.press("enter")
        await person.sees("Saved as Morning")
        assert not person.fake.called("bulk.confirm")
        (saved,) = person.fake.called("bulk.save_template")
        assert (saved["action"], saved["filter"]) == ("assign", "priority:urgent")
        assert saved["params"] == {"assignee": "zoe", "reason": None}
        await person.press("escape", "escape", "escape")
        await person.sees("300 matching")
        await person.press("b")
        await person.sees("Morning", "assign · priority:urgent")
        await person.press("enter")
        await person.sees("Assign: 7 items", "priority:urgent", "zoe")
        await person.press("enter")
        await person.sees("6 will be acted on")
        await person.press("y")
        await person.until(lambda: person.fake.called("bulk.confirm"), "the operation to start")


async def test_rows_marked_one_by_one_are_not_saved(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)
        assert "saves this" not in person.screen
        await person.press("s")
        assert isinstance(person.console.screen, BulkDialog)


async def test_a_verdict_holds_only_for_what_was_typed(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)
        await person.press("tab")
        await person.type("y")
        await person.until(lambda: "will be acted on" not in person.screen, "the verdict to be taken back")
        assert not person.fake.called("bulk.confirm")


async def test_a_refusal_is_said_in_the_dialog(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)

        def refuse(*_: object) -> dict[str, object]:
            raise Problem(Code.TOO_MANY_OPERATIONS, "You have 3 operations running; wait for one of them.")

        person.fake._bulk_confirm = refuse  # type: ignore[method-assign]
        await person.press("y")
        await person.sees("You have 3 operations running")
        await person.press("escape")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "the dialog to close")


async def test_progress_end_failures_and_undo(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _assign_three(person)
        await person.press("y")
        await person.sees("Assign #12")
        running = operation(12, status="in_progress", eligible=3, succeeded=1, failed=1, eta_seconds=9)
        await person.fake.queue.put({"type": "operation_changed", "operation": running})
        await person.sees("66%", "2/3", "1 failed", "9s left")
        person.fake.operations[12].update(status="completed", succeeded=2, failed=1, total=3, eligible=3)
        person.fake.results[12] = [
            {"item_id": 2, "external_id": None, "title": "x", "tenant_id": "acme", "outcome": "failed"}
            | {"code": "changed_since", "sentence": "It has changed.", "retryable": True}
        ]
        await person.fake.queue.put({"type": "operation_changed", "operation": dict(person.fake.operations[12])})
        await person.sees("Assign #12: 2 done", "1 failed", "F retries them", "1 marked")
        assert person.console.queue.table.marks.ids == {2}
        await person.press("F")
        await person.sees("Retry the failed items of #12: 1 item")
        await person.press("escape")
        await person.press("u")
        await person.sees("Undo #12: 2 items")
        await person.press("y")
        await person.until(lambda: len(person.fake.called("bulk.confirm")) == 2, "the undo to start")


async def _delete_all(person: Person) -> None:
    await person.press("A", "D")
    await person.sees("Delete: 300 items")
    await person.press("enter")
    await person.sees("type 300 to allow it")


@pytest.mark.parametrize("size", [(80, 16), (40, 10), (80, 24)])
async def test_count_risk_and_buttons_stay_on_a_short_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    async with person_at(tmp_path, size=size) as person:
        await _delete_all(person)
        await person.sees("Delete: 300 items", "high risk", " Cancel ", "y Delete 300", "type 300")
        await person.type("300")
        await person.sees("y deletes 300", "y Delete 300")
        await person.press("pagedown", "pagedown", "pagedown")
        await person.sees("can be undone" if size[0] > 40 else "high risk", "y Delete 300")
        await person.press("y")
        await person.until(lambda: person.fake.called("bulk.confirm"), "the operation to start")


async def test_too_short_for_the_dialog_is_said_and_nothing_is_done(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _delete_all(person)
        await person.type("300")
        await person.pilot.resize_terminal(80, 5)
        await person.press("y")
        assert not person.fake.called("bulk.confirm")
        await person.pilot.resize_terminal(80, 24)
        await person.press("y")
        await person.until(lambda: person.fake.called("bulk.confirm"), "the operation to start")


async def test_enter_after_the_right_count_points_at_the_key(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _delete_all(person)
        await person.type("42")
        await person.press("enter")
        await person.sees("42 is not 300")
        await person.press("backspace", "backspace")
        await person.type("300")
        await person.sees("y deletes 300")
        assert "is not" not in person.screen
        await person.press("enter")
        await person.sees("y carries it out, not enter")
        assert not person.fake.called("bulk.confirm")
        await person.press("escape")
        await person.sees("Nothing was done.", "300 marked")


async def test_the_count_is_typed_anew_for_another_preview(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await _delete_all(person)
        await person.type("300")
        await person.sees("y deletes 300")
        await person.press("shift+tab", "shift+tab")
        await person.type("why")
        await person.until(lambda: "y Delete 300" not in person.screen, "the verdict to be taken back")
        await person.press("enter")
        await person.sees("type 300 to allow it")


async def test_what_comes_in_behind_the_mark_is_not_acted_on(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("A")
        await person.until(lambda: person.fake.selections, "the selection")
        person.fake.rows[301] = item(301)
        await person.press("D")
        await person.sees("Delete: 300 items")
        person.fake.rows[302] = item(302)
        await person.press("enter")
        await person.sees("type 300 to allow it")
        assert person.fake.called("bulk.draft")[0]["selection"] == "token-1"


async def test_what_comes_in_behind_the_mark_is_not_acted_on_with_exceptions_either(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("A", "space", "j", "space")
        person.fake.rows[301] = item(301)
        await person.sees("298 marked")
        await person.press("D")
        await person.sees("Delete: 298 items", "2 that you unmarked")
        await person.press("enter")
        await person.sees("type 298 to allow it")


async def test_marks_that_the_engine_did_not_take_are_gone_and_it_is_said(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:

        def refuse(*_: object) -> dict[str, object]:
            raise Problem(Code.STORE_BUSY, "The store is busy; try again.")

        person.fake._items_select = refuse  # type: ignore[method-assign]
        await person.press("A")
        await person.sees("All that match were not marked: The store is busy")
        assert not person.console.queue.table.marks


async def test_the_title_counts_what_the_preview_counts(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("space", "space", "r")
        await person.sees("Resolve: 2 items")
        honest = person.fake._bulk_draft

        def one_more(*asked: Any) -> dict[str, Any]:
            found = honest(*asked)
            found["operation"].update(total=3)
            return found

        person.fake._bulk_draft = one_more  # type: ignore[method-assign]
        await person.press("enter")
        await person.sees("Resolve: 3 items", "1 more than when you marked them.")


async def test_the_count_of_all_is_that_of_the_moment(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("A")
        await person.sees("300 marked")
        person.fake.rows[301] = item(301)
        await person.fake.queue.put(
            {"type": "resource_changed", "resource": "support_tasks", "change": "created", "ids": [301]}
        )
        await person.sees("300 marked as of A", "301 matching")
        await person.press("A")
        await person.sees("301 marked  301 matching")
        person.fake.rows[302] = item(302)
        await person.press("f5")
        await person.sees("302 marked  302 matching")


async def test_all_and_the_action_in_one_go(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("300 matching")
        for letter in "AD":
            person.console.post_message(events.Key(key_of(letter), letter))
        await person.sees("Delete: 300 items")
