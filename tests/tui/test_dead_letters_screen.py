"""Dead letters: found, grouped, looked into, retried, given up, brought back."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.contract.enums import MachineResource, Resource
from quarterdeck.tui.screens.items.screen import QueueScreen
from quarterdeck.tui.state import load
from tests.tui.consoles import Person, person_at
from tests.tui.fake_runs import FakeWork, dead_letter, exception


async def at_letters(person: Person, where: str = "dlq") -> None:
    await person.press("colon")
    await person.type(where)
    await person.press("enter")
    await person.sees("dead letter", "status")


async def test_the_list_says_state_queue_tries_and_error(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await person.press("f8")
        await person.sees("dead letters › by -created", "120 matching", "○ pending", "◌ discarded", "validation amount")


async def test_a_group_is_taken_with_one_key_and_retried_as_a_whole(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_letters(person, "dlq status:pending")
        await person.sees("/ status:pending", "60 matching")
        await person.press("E")
        await person.sees("of those that match status:pending", "20 ×", "3 groups")
        await person.press("j", "A")
        await person.sees("/ status:pending group:", "20 marked")
        await person.press("r")
        await person.sees("Retry: 20 dead letters", "Rate")
        await person.type("50")
        await person.press("enter")
        await person.sees("20 will be acted on")
        await person.press("y")
        await person.sees("Retry #12")
        assert person.fake.called("bulk.draft")[-1]["params"] == {"rate": "50", "reason": None}


async def test_seeing_a_group_marks_nothing_and_another_group_takes_its_place(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_letters(person)
        await person.press("E")
        await person.sees("3 groups")
        await person.press("enter")
        await person.sees("/ group:", "40 matching")
        assert "marked" not in person.screen
        await person.press("E")
        await person.sees("1 group")
        await person.press("q")
        await person.press("escape")
        await person.sees("120 matching")


async def test_one_key_retries_one(tmp_path: Path) -> None:
    fake = FakeWork()
    async with person_at(tmp_path, fake) as person:
        await at_letters(person)
        await person.press("r")
        await person.sees("Retry: dead letter #1 is retrying", "R shows its run", "◐ retrying")
        assert fake.called("items.act") == [{"params": {}, "version": 1}]
        await person.press("r")
        await person.sees("Retry applies to pending; this one is retrying.")


async def test_discarding_asks_and_is_brought_back(tmp_path: Path) -> None:
    fake = FakeWork()
    async with person_at(tmp_path, fake) as person:
        await at_letters(person)
        await person.press("D")
        await person.sees("Discard dead letter #1", "Cancel")
        await person.press("D", "enter")
        await person.sees("Nothing was done.")
        await person.press("D", "tab")
        await person.type("sent by hand")
        await person.press("enter", "y")
        await person.sees("Discard: dead letter #1 is discarded", "O brings it back")
        await person.press("O")
        await person.sees("Bring back dead letter #1")
        await person.press("enter")
        await person.sees("Bring back: dead letter #1 is pending")


async def test_the_detail_tells_attempts_error_and_payload(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork(), size=(120, 60)) as person:
        await at_letters(person)
        await person.press("enter")
        await person.sees("5 attempts", "#3 ! lost", "what attempt #5 said", 'order: "4711"', "p opens it")
        await person.sees("#1001 · R shows it", "source", "2026.11.2")


async def test_its_run_and_its_exception_are_one_key_away_and_back(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.letters[4] = dead_letter(4, run_id=7, status="pending", exception_id=12)
    fake.rows[12] |= {"resource": "exceptions", "title": "refund.send failed for good"}
    async with person_at(tmp_path, fake) as person:
        await at_letters(person, "dlq 4")
        await person.press("R")
        await person.sees("run #7", "try 1 of 5")
        await person.press("escape")
        await person.sees("dead letter #4")
        await person.press("x")
        await person.sees("exception #12", "refund.send failed for good")
        await person.press("q")
        await person.sees("dead letter #4")
        await person.press("x")
        await person.sees("exception #12")
        await person.press("escape")
        await person.sees("dead letter #4")
        await person.press("q")
        await person.sees("support_tasks")


async def test_a_visit_changes_nothing_of_what_the_list_remembers(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_letters(person, "dlq error:503")
        await person.sees("/ error:503")
        await person.press("colon")
        await person.type("run 5")
        await person.press("enter")
        await person.sees("run #5")
        await person.press("q")
        await person.sees("/ error:503")
        await person.press("q")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "the queue")
        state = load(person.console.session.home.console_state)[0]
        assert state.view(MachineResource.RUNS).filter == ""
        assert state.view(MachineResource.DEAD_LETTERS).filter == "error:503"


async def test_the_screen_is_there_again_at_the_next_start(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_letters(person, "dlq status:pending")
        await person.press("j", "j")
        await person.press("p")
        await person.sees("payload")
        person.console.leave()
    async with person_at(tmp_path, FakeWork()) as person:
        await person.sees("dead letters › by -created", "/ status:pending", "60 matching")


async def test_a_search_in_texts_goes_on_by_itself_and_says_how_far_it_is(tmp_path: Path) -> None:
    fake = FakeWork(letters=400)
    fake.part = 0.1
    async with person_at(tmp_path, fake) as person:
        await at_letters(person, 'dlq "4400"')  # dies at the end of the list only
        await person.until(lambda: "+ matching" in person.screen or "matching" in person.screen, "a count")
        await person.until(lambda: "searched" not in person.screen, "the end of the search")
        asked = [query for name, _, query, _ in fake.calls if name == "dead_letters.list"]
        assert len(asked) >= 10


async def test_when_the_search_has_room_for_no_more_it_waits(tmp_path: Path) -> None:
    fake = FakeWork(letters=4_000)
    fake.part = 0.05
    async with person_at(tmp_path, fake) as person:
        await at_letters(person, "dlq amount")
        await person.sees("searched", "+ matching", "validation amount")
        number = sum("amount" in str(row) for row in fake.letters.values())
        for _ in range(90):
            await person.press("pagedown")
        await person.until(lambda: "searched" not in person.screen, "the end of the search")
        await person.sees(f"{number:,} matching")


async def test_the_end_of_a_search_is_looked_for_from_the_end(tmp_path: Path) -> None:
    fake = FakeWork(letters=4_000)
    fake.part = 0.05
    async with person_at(tmp_path, fake, size=(120, 30)) as person:
        await at_letters(person, "dlq amount")
        await person.sees("+ matching")
        await person.press("G")
        await person.sees("3998")


async def test_read_only_says_why_nothing_can_be_done(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork(), read_only=True) as person:
        await at_letters(person)
        for key in ("r", "e", "D", "O"):
            await person.press(key)
            await person.sees("read-only")
        assert not person.fake.called("items.act")


async def test_a_viewer_may_look_and_do_nothing(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.role = "viewer"
    async with person_at(tmp_path, fake) as person:
        await at_letters(person)
        await person.press("r")
        await person.sees("Retry needs the role operator; you are viewer.")
        await person.press("p")
        await person.sees("payload", "order")


async def test_news_patch_the_badge_in_place(tmp_path: Path) -> None:
    fake = FakeWork()
    async with person_at(tmp_path, fake) as person:
        await at_letters(person, "dlq status:pending")
        await person.sees("○ pending")
        fake.letters[1]["status"] = "succeeded"
        message = {"type": "resource_changed", "resource": "dead_letters", "change": "updated", "ids": [1]}
        await fake.queue.put(message)
        await person.sees("● succeeded", "1 no longer match")


async def test_an_empty_list_says_what_comes_here(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork(letters=0)) as person:
        await person.press("f8")
        await person.sees("Nothing has died.")
        await person.press("E")
        await person.sees("there is nothing to group")


async def test_the_chart_says_what_came_and_went(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_letters(person)
        await person.press("c")
        await person.sees("added", "resolved", "expired", "by queue", "refunds-api", "3 expire within a day")
        await person.press("w")
        await person.sees("the last month, each day")
        await person.press("escape")
        await person.sees("matching")


async def test_an_exception_is_visited_only(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.letters[4] = dead_letter(4, exception_id=12)
    fake.rows[12] |= {"resource": "exceptions"}
    async with person_at(tmp_path, fake) as person:
        await at_letters(person, "dlq 4")
        await person.press("x")
        await person.sees("exception #12")
        kept = person.console.session.state.view(Resource.EXCEPTIONS).filter
        assert kept == "status:open,retrying,needs_manual_review"
        await person.press("q")
        await person.sees("dead letter #4")
        assert person.console.session.state.view(Resource.EXCEPTIONS).filter == kept
        assert not person.console.session.state.detail


async def test_an_exception_tells_the_whole_story_and_leads_on(tmp_path: Path) -> None:
    fake = FakeWork()
    fake.rows[900] = exception(900, 4)
    fake.letters[4] = dead_letter(4, run_id=7, status="pending", retries=2)
    async with person_at(tmp_path, fake, size=(120, 60)) as person:
        await person.press("colon")
        await person.type("exceptions")
        await person.press("enter")
        await person.sees("refund.send failed: 503")
        await person.press("enter")
        await person.sees("dead letter #4 · d shows it", "retried 2 ×", "#3 ! lost", "timeline")
        await person.press("d")
        await person.sees("dead letter #4", "id:4")
        await person.press("escape")
        await person.sees("exceptions", "matching")
        await person.press("R")
        await person.sees("run #7")
        await person.press("escape")
        await person.press("r")
        await person.sees("Retry: #900 is retrying")


async def test_a_bulk_discard_is_taken_back_from_here(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await at_letters(person, "dlq status:pending")
        await person.sees("60 matching")
        await person.press("A", "D")
        await person.sees("Discard: 60 dead letters")
        await person.type("gone for good")
        await person.press("enter")
        await person.sees("type 60 to allow it")
        await person.press("6", "0", "y")
        await person.sees("Discard #12")
        await person.press("u")
        await person.sees("Undo #12")
        assert person.fake.called("bulk.undo")


async def test_a_screen_leads_back_to_the_one_it_was_opened_from(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork()) as person:
        await person.press("f8")
        await person.sees("dead letters › by")
        await person.press("f3")
        await person.sees("› operations")
        await person.press("q")
        await person.sees("dead letters › by")
        await person.press("f7")
        await person.sees("runs › by")
        await person.press("f8")  # it is open already, beneath
        await person.sees("dead letters › by")
        await person.press("q")
        await person.sees("support_tasks › by")


async def test_what_was_done_to_one_is_taken_back_or_it_is_said_why_not(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeWork(), size=(120, 40)) as person:
        await at_letters(person, "dlq status:pending")
        await person.press("D")
        await person.sees("Discard dead letter", "tab Reason")
        await person.press("tab")
        await person.type("a test")
        await person.press("enter", "y")
        await person.sees("is discarded", "u or O brings it back")
        await person.press("j", "r")
        await person.sees("is retrying")
        await person.press("u")
        await person.sees("cannot be taken back: its new run is on its way.", "u now takes back Discard of dead letter")
        await person.press("u")
        await person.sees("Taken back: Discard of dead letter", "It is pending again.")
