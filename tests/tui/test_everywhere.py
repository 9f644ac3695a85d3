"""What works on every screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.contract.clock import HOUR, iso
from quarterdeck.tui.screens.bulk.operations import OperationsScreen
from quarterdeck.tui.screens.items.screen import QueueScreen
from quarterdeck.tui.state import ConsoleState, View, load
from tests.tui.consoles import FakeConsole, Person, console_on, person_at
from tests.tui.fake_client import NOW, FakeClient, item, operation
from tests.tui.fake_machines import MachineClient


def history() -> FakeClient:
    fake = FakeClient()
    fake.operations[12] = operation(12, label="Resolve", failed=2, succeeded=1_178, created_at=iso(NOW - 3 * HOUR))
    fake.operations[13] = operation(13, status="in_progress", succeeded=400, failed=3, finished_at=None, eta_seconds=12)
    fake.results[12] = [
        {"item_id": n, "external_id": None, "title": f"Order {n}", "tenant_id": "acme", "outcome": "failed"}
        | {"code": "changed_since", "sentence": "It has changed since.", "retryable": True}
        for n in (1, 2)
    ]
    return fake


async def test_help_says_every_key_of_the_place(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(120, 70)) as person:
        await person.press("question_mark")
        await person.sees("Keys in support_tasks", "Claim", "Mark", "Go to")
        for bound in person.console.front.bound():
            assert bound.command.label[:14] in person.screen
        await person.press("escape")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "help to close")


async def test_the_palette_does_what_it_names(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("f2")
        await person.type("resol")
        await person.sees("The work is done.")
        await person.press("enter")
        await person.sees("Resolve #1")


async def test_the_palette_says_why_something_is_off(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("f2")
        await person.type("reop")
        await person.press("enter")
        await person.sees("Reopen applies to")


async def test_going_to_another_queue_and_back(tmp_path: Path) -> None:
    fake = FakeClient()
    fake.rows[900] = item(900, "returns", title="Shoes too small")
    async with person_at(tmp_path, fake) as person:
        await person.press("colon")
        await person.type("returns")
        await person.press("enter")
        await person.sees("returns", "Shoes too small", "1 Approve")
        await person.press("colon")
        await person.type("900")
        await person.press("enter")
        await person.sees("id:900", "Shoes too small")
        await person.press("colon")
        await person.type("nowhere at all")
        await person.press("enter")
        await person.sees("leads nowhere")


async def test_an_item_by_its_number(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("colon")
        await person.type("17")
        await person.press("enter")
        await person.sees("support task #17", "id:17", "CASE-1017")
        await person.press("colon")
        await person.type("99999")
        await person.press("enter")
        await person.sees("There is no item 99999.")


async def test_the_operations(tmp_path: Path) -> None:
    async with person_at(tmp_path, history()) as person:
        await person.sees("Assign #13")
        await person.press("f3")
        await person.sees("operations", "Resolve", "1 running")
        await person.press("j")
        await person.sees("Resolve #12", "why some failed", "Order 1", "It has changed since.")
        await person.press("r")
        await person.sees("Retry the failed items of #12: 2 items", "y Retry")
        await person.press("escape")
        await person.press("x")
        await person.sees("Resolve #12 is completed already.")
        await person.press("c")
        await person.sees("Resume applies to operations that failed")
        await person.press("k")
        await person.press("u")
        await person.sees("Undo waits until Assign #13 is done")
        await person.press("x")
        await person.sees("Cancel Assign #13", "what is done stays done")
        await person.press("y")
        await person.sees("Assign #13 stops after the batches in flight", "stopping")
        await person.press("q")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "the queue")


async def test_progress_shows_in_the_history(tmp_path: Path) -> None:
    async with person_at(tmp_path, history()) as person:
        await person.press("f3")
        await person.sees("34%")
        changed = operation(13, status="in_progress", succeeded=800, failed=3, finished_at=None, eta_seconds=4)
        person.fake.operations[13] = changed
        await person.fake.queue.put({"type": "operation_changed", "operation": changed})
        await person.sees("68%", "800 done")


async def test_results_one_by_one_and_exported(tmp_path: Path, monkeypatch: object) -> None:
    import os

    async with person_at(tmp_path, history()) as person:
        before = os.getcwd()
        os.chdir(tmp_path)
        try:
            await person.press("f3", "j")
            await person.sees("Order 2")
            await person.press("e")
            await person.sees("The result of every item is in")
            assert (tmp_path / "operation-12.csv").read_bytes().startswith(b"item_id,outcome")
        finally:
            os.chdir(before)
        await person.press("o")
        await person.sees("Show which results")
        await person.press("escape")
        await person.press("enter")
        screen = person.console.screen
        assert isinstance(screen, OperationsScreen)
        assert screen.results.has_focus


async def test_results_of_any_number_are_paged_and_not_held(tmp_path: Path) -> None:
    fake = history()
    fake.operations[12].update(failed=60_000)
    fake.results[12] = [
        {"item_id": n, "external_id": None, "title": f"Order {n}", "tenant_id": "acme", "outcome": "failed"}
        | {"code": "changed_since", "sentence": "It has changed since.", "retryable": True}
        for n in range(1, 60_001)
    ]
    async with person_at(tmp_path, fake, size=(120, 40)) as person:
        await person.press("f3", "j")
        await person.sees("Order 2")
        await person.press("enter", "G")
        await person.sees("Order 60000")
        await person.press("k", "k")
        await person.sees("Order 59998")
        await person.press("g")
        await person.until(lambda: "Order 60000" not in person.screen and "Order 1 " in person.screen, "the first")
        await person.press(*["pagedown"] * 20)
        screen = person.console.screen
        assert isinstance(screen, OperationsScreen)
        await person.until(lambda: screen.results.cursor_row is not None, "the row under the cursor")
        index = screen.results._index
        assert sum(1 for _ in index.rows()) <= index.page_size * index.capacity
        asked = [query for name, _, query, _ in fake.calls if name == "bulk.items"]
        assert sum(int(query["limit"]) for query in asked) < 5_000


async def test_themes_change_at_once_and_are_remembered(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("f4")
        await person.sees("daylight", "high-contrast")
        await person.press("j", "enter")
        await person.until(lambda: person.console.look.name == "daylight", "daylight")
        await person.press("q")
    assert load(tmp_path / "home" / "console.json")[0].theme == "daylight"


async def test_copying(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("y")
        await person.sees("Copied CASE-1001.")
        await person.press("space", "space", "y")
        await person.sees("Copied 2 ids.")
        await person.press("A", "y")
        await person.sees("qd export")


async def test_screen_filter_and_sort_come_back(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("priority:high")
        await person.press("enter", "j", "j", "f3")
        await person.sees("No bulk operation yet")
        person.console.leave()
    async with person_at(tmp_path) as person:
        await person.sees("operations")
        await person.press("q")
        await person.sees("priority:high")
        await person.until(lambda: person.console.queue.table.cursor_id == 10, "the cursor to come back")


async def test_a_remembered_filter_that_is_no_longer_valid(tmp_path: Path) -> None:
    state = ConsoleState(views={"support_tasks": View("statu:open")})
    console = console_on(tmp_path / "home", state=state)
    async with console.run_test() as pilot:
        person = Person(console, pilot)
        await person.sees("statu")


async def test_no_engine_says_why_and_comes_back_by_itself(tmp_path: Path) -> None:
    class Late(FakeConsole):
        refused = "The engine did not start: the disk is full."

    home = tmp_path / "home"
    console = console_on(home, kind=Late)
    async with console.run_test() as pilot:
        person = Person(console, pilot)
        await person.sees("No engine: The engine did not start: the disk is full.")
        await person.press("n")
        await person.sees("Next has to wait")
        Late.refused = ""
        await person.sees("300 matching")


async def test_a_lost_engine_keeps_filter_cursor_and_marks(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("priority:high")
        await person.press("enter", "j", "space")
        await person.sees("1 marked")
        person.fake.down = "the engine is gone."
        await person.fake.queue.put({"type": "disconnected", "reason": "the engine is gone."})
        await person.sees("No engine: the engine is gone.")
        await person.press("r")
        await person.sees("Resolve has to wait")
        person.fake.down = ""
        await person.fake.queue.put({"type": "connected", "version": "0.1.0"})
        await person.until(lambda: "No engine" not in person.screen, "the banner to go")
        await person.sees("priority:high", "1 marked")
        assert person.console.queue.table.cursor_id == 10


async def test_ctrl_c_says_how_to_leave(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("ctrl+c")
        await person.sees("q leaves the console; the engine goes on.")


async def test_from_an_item_back_to_the_filter(tmp_path: Path) -> None:
    for back in ("q", "escape"):
        async with person_at(tmp_path / back) as person:
            queue = person.console.queue
            await person.press("slash")
            await person.type("status:waiting")
            await person.press("enter")
            await person.sees("50 matching")
            await person.press("j", "j")
            row = queue.table.cursor_id
            await person.press("colon")
            await person.type("42")
            await person.press("enter")
            await person.sees("id:42")
            await person.press(back)
            await person.sees("status:waiting", "50 matching")
            await person.until(lambda queue=queue, row=row: queue.table.cursor_id == row, "the row to be found again")


async def test_what_does_not_exist_is_said_and_leaves_everything(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("colon")
        await person.type("4200")
        await person.sees("Enter looks for it.")
        await person.press("enter")
        await person.sees("There is no item 4200.", "300 matching")
        await person.press("colon")
        await person.type("operation 99")
        await person.press("enter")
        await person.sees("There is no operation 99.")
        assert person.console.front is person.console.queue


async def test_a_stopped_engine_says_how_to_start_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with person_at(tmp_path) as person:
        reason = f"The engine of {tmp_path}/home was stopped."
        await person.fake.queue.put({"type": "disconnected", "reason": reason})
        await person.sees("No engine: It was stopped; start it with: qd --home ~/home")
        await person.sees("engine start")


async def test_the_footer_does_not_offer_where_one_is(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(200, 40)) as person:
        await person.sees("F3 Operations")
        await person.press("f3")
        await person.until(lambda: isinstance(person.console.screen, OperationsScreen), "the operations")
        assert "F3 Operations" not in person.screen


async def test_in_ascii_nothing_else_is_drawn(tmp_path: Path) -> None:
    settings = ConsoleSettings(detail_delay_ms=0, ascii=True)
    for size in ((80, 50), (120, 40)):
        async with person_at(tmp_path / str(size[0]), settings=settings, size=size) as person:
            await person.press("enter")
            await person.sees("Asked the bank.")
            assert person.screen.isascii(), person.screen
            await person.press("slash")
            await person.sees("complete")
            assert person.screen.isascii(), person.screen
            await person.press("escape", "colon")
            await person.sees("Go to")
            assert person.screen.isascii(), person.screen


async def test_a_screen_on_its_way_while_the_engine_is_reached(tmp_path: Path) -> None:
    async with person_at(tmp_path, MachineClient()) as person:
        for place in ("queues", "runs", "workers"):
            person.console.everywhere.go(place)
            person.console.linked()
        await person.sees("workers")
