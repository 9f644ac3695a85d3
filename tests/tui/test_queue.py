"""A morning at the queue."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.contract.enums import Resource
from quarterdeck.tui.screens.items.screen import QueueScreen
from quarterdeck.tui.state import ConsoleState, load
from quarterdeck.tui.widgets.filter_editor import FilterEditor
from tests.tui.consoles import person_at
from tests.tui.fake_client import FakeClient, item
from tests.tui.setting_up import paste


async def test_the_first_look(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.sees("support_tasks", "by priority", "300 matching", "Cannot log in", "urgent")


async def test_an_empty_queue_says_what_to_do(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeClient(0)) as person:
        await person.sees("qd import support_tasks FILE")


async def test_filtering_with_completion(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("sta")
        await person.sees("state of the item")
        await person.press("tab")
        await person.sees("/ status:")
        await person.type("wai")
        await person.press("tab", "enter")
        await person.sees("status:waiting", "50 matching")
        assert "resolved" not in person.screen
        await person.press("escape")
        await person.sees("300 matching")


async def test_completion_knows_the_store(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.until(lambda: person.fake.called("items.facets"), "the values of the store")
        await person.type("tenant:")
        await person.sees("acme", "globex", "initech")


async def test_a_mistake_in_a_filter_is_shown_at_its_column(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("kind:refund statu:open")
        await person.press("enter")
        await person.sees("Column 13", "Did you mean 'status'")
        pointed = next(line for line in person.screen.splitlines() if line.strip() == "^")
        written = next(line for line in person.screen.splitlines() if "statu:open" in line)
        assert pointed.index("^") == written.index("statu:open")
        await person.press("escape")
        assert not person.console.screen.query(FilterEditor)
        await person.sees("300 matching")


async def test_a_filter_that_matches_nothing_says_how_to_go_on(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await paste(person, "id:99999\nstatus:open\t\n")
        await person.sees("id:99999 status:open")
        await person.press("enter")
        await person.sees("Nothing matches this filter")
        assert "Mark" not in person.line(23)
        await person.press("space")
        await person.sees("Mark needs items; there are none here.")


async def test_sorting(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("o")
        await person.sees("least pressing first")
        await person.press("down", "enter")
        await person.sees("by -priority", "low")
        assert "urgent" not in person.screen


async def test_the_detail_follows_the_cursor(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("enter")
        await person.sees("CASE-1001", "I ordered three weeks ago")
        await person.press("j")
        await person.sees("CASE-1002")
        await person.press("J")
        await person.sees("timeline")
        await person.press("enter")
        await person.until(lambda: "CASE-1002" not in person.screen, "the pane to close")


async def test_the_detail_lies_beside_where_there_is_room(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(120, 40)) as person:
        await person.press("enter")
        await person.sees("CASE-1001", "Asked the bank.", "priority: normal → urgent")
        assert "CASE-1001" in person.line(4)


async def test_resolving_one_and_taking_it_back(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("r")
        await person.sees("Resolve #1", "Note")
        await person.type("done")
        await person.press("enter")
        await person.sees("Resolve: #1 is resolved", "u takes it back")
        assert person.fake.called("items.act") == [{"params": {"note": "done"}, "version": 1}]
        assert person.fake.rows[1]["status"] == "resolved"
        await person.press("u")
        await person.sees("Taken back: Resolve #1")
        assert person.fake.rows[1]["status"] == "open"


async def test_esc_in_a_dialog_changes_nothing(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("r")
        await person.sees("Resolve #1")
        await person.press("escape")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "the dialog to close")
        assert not person.fake.called("items.act")


async def test_choosing_a_priority(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("p")
        await person.sees("Set priority #1", "urgent", "normal")
        await person.press("l", "enter")
        await person.sees("Set priority: #1")
        assert person.fake.rows[1]["priority"] == "low"


async def test_a_needed_field_says_so(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("c")
        await person.sees("Comment #1")
        await person.press("enter")
        await person.sees("Comment is needed.")
        await person.type("called")
        await person.press("enter")
        await person.sees("Comment added to #1.")
        assert person.fake.called("items.act")[0]["params"] == {"body": "called"}


async def test_deleting_one_asks_first_and_not_with_the_same_key(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("D")
        await person.sees("Delete #1", "Cancel", "y delete")
        await person.press("D", "enter")
        await person.until(lambda: isinstance(person.console.screen, QueueScreen), "Cancel to be taken")
        assert not person.fake.called("items.act")
        await person.press("D")
        await person.sees("y delete")
        await person.press("y")
        await person.sees("Delete: #1")


async def test_a_key_that_does_nothing_says_why(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("O")
        await person.sees("Reopen applies to cancelled, closed, resolved; this one is open.")
        await person.press("percent_sign")
        await person.sees("% does nothing here; ? shows the keys.")
        await person.press("1")
        await person.sees("1 does nothing here; it is Approve in returns.")
        await person.press("u")
        await person.sees("Nothing of yours to take back")


async def test_read_only_says_why_everything_is_off(tmp_path: Path) -> None:
    async with person_at(tmp_path, read_only=True) as person:
        await person.sees("read-only")
        for key in ("r", "n", "u", "S", "a"):
            await person.press(key)
            await person.sees("is off: this console is read-only")
        looked = {"items.list", "items.count", "bulk.list", "overview.critical"}
        assert {name for name, *_ in person.fake.calls} <= looked


async def test_a_viewer_is_told_which_role_it_takes(tmp_path: Path) -> None:
    fake = FakeClient()
    fake.role = "viewer"
    async with person_at(tmp_path, fake) as person:
        await person.press("r")
        await person.sees("Resolve needs the role operator; you are viewer.")


async def test_claim_next_goes_to_the_item(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("n")
        await person.sees("Claim: #7", "with you", "CASE-1007")
        assert person.console.queue.table.cursor_id == 7
        assert person.console.session.claims == {7: Resource.SUPPORT_TASKS}


async def test_claim_next_shows_an_item_that_the_filter_hides(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("assignee:none")
        await person.press("enter")
        await person.sees("assignee:none")
        await person.press("n")
        await person.sees("with you", "CASE-1007")


async def test_skip_gives_it_back_with_a_reason(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("S")
        await person.sees("this one is not yours")
        await person.press("n")
        await person.sees("with you")
        await person.press("S")
        await person.sees("not offered to you for a while")
        await person.type("needs French")
        await person.press("enter")
        await person.sees("is back in the queue; n claims the next")
        assert person.fake.called("items.skip") == [{"reason": "needs French"}]
        assert person.console.session.claims == {}


async def test_nothing_to_claim(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeClient(0)) as person:
        await person.press("n")
        await person.sees("Nothing unassigned waits in this queue.")


async def test_somebody_else_was_faster(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        person.fake.rows[1]["version"] = 5
        await person.press("r")
        await person.sees("Resolve #1")
        await person.press("enter")
        await person.sees("has changed since you looked")


async def test_marks_survive_a_filter_and_are_counted(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("space", "space", "space")
        await person.sees("3 marked")
        await person.press("slash")
        await person.type("priority:low")
        await person.press("enter")
        await person.sees("3 marked (3 hidden)")
        await person.press("escape")
        await person.until(lambda: "marked" not in person.screen, "the marks to go first")
        await person.press("escape")
        await person.sees("300 matching")


async def test_a_range_that_is_still_open_counts_when_something_is_done(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("v", "j", "j", "j", "y")
        await person.sees("Copied 4 ids.", "4 marked")
        await person.press("escape", "v", "j", "a")
        await person.sees("2 items", "2 marked")


async def test_new_rows_are_announced_and_brought_in(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("j")
        person.fake.rows[301] = item(301, priority="urgent", title="Brand new")
        await person.fake.queue.put(
            {"type": "resource_changed", "resource": "support_tasks", "change": "created", "ids": [301]}
        )
        await person.sees("1 new")
        assert "Brand new" not in person.screen
        await person.press("i")
        await person.sees("Brand new", "301 matching")
        assert person.console.queue.table.cursor_id == 2


async def test_a_change_elsewhere_shows_in_place(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        person.fake.rows[2].update(title="Changed by Ana", version=2)
        await person.fake.queue.put(
            {"type": "resource_changed", "resource": "support_tasks", "change": "updated", "ids": [2]}
        )
        await person.sees("Changed by Ana")


async def test_a_change_off_the_screen_shows_when_it_is_seen(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        person.fake.rows[30].update(title="Changed by Ana", version=2)
        person.fake.rows[1].update(title="Seen at once", version=2)
        await person.fake.queue.put(
            {"type": "resource_changed", "resource": "support_tasks", "change": "updated", "ids": [1, 30]}
        )
        await person.sees("Seen at once")
        await person.press("pagedown")
        await person.sees("Changed by Ana")


async def test_what_no_longer_matches_is_dimmed_and_said(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("status:open")
        await person.press("enter")
        await person.sees("150 matching")
        for row in person.fake.rows.values():
            row["status"] = "closed"
        await person.fake.queue.put(
            {"type": "resource_changed", "resource": "support_tasks", "change": "updated", "ids": None}
        )
        await person.sees("no longer match, F5 refreshes", "0 matching")
        assert person.console.queue.table.cursor_id is not None
        await person.press("f5")
        await person.sees("Nothing matches this filter")
        assert "no longer match" not in person.screen


async def test_changes_of_another_queue_cost_nothing(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.until(lambda: person.fake.called("bulk.list"), "the link to settle")
        before = len(person.fake.calls)
        await person.fake.queue.put(
            {"type": "resource_changed", "resource": "returns", "change": "updated", "ids": [1]}
        )
        await person.until(lambda: person.fake.queue.empty(), "the message to be taken")
        await asyncio.sleep(0)
        assert [name for name, *_ in person.fake.calls[before:]] == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_nothing_is_wider_than_the_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    async with person_at(tmp_path, size=size) as person:
        await person.press("enter", "question_mark")
        lines = person.screen.splitlines()
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]


async def test_remapped_keys_show_in_footer_and_help(tmp_path: Path) -> None:
    settings = ConsoleSettings(detail_delay_ms=0, keys={"resolve": "w", "help": "H"})
    async with person_at(tmp_path, settings=settings) as person:
        await person.sees("w Resolve", "H Help")
        await person.press("w")
        await person.sees("Resolve #1")
        await person.press("escape", "H")
        await person.sees("Keys in support_tasks")


async def test_esc_takes_one_thing_back_at_a_time_and_the_filter_comes_back(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        table = person.console.queue.table
        await person.press("slash")
        await person.type("status:open")
        await person.press("enter")
        await person.sees("150 matching")
        await person.press("space", "enter", "v")
        await person.until(lambda: person.console.queue.detail.is_open, "the detail pane")
        await person.press("escape")
        assert not person.console.queue.detail.is_open
        assert table._range is not None
        await person.press("escape")
        assert table._range is None
        assert table.marks
        await person.press("escape")
        assert not table.marks
        await person.press("escape")
        await person.sees("Filter cleared; / then up brings it back.", "300 matching")
        await person.press("slash", "up", "enter")
        await person.sees("150 matching")
        assert load(person.console.session.home.console_state)[0].filters == ["status:open"]


async def test_earlier_filters_are_stepped_through_and_what_was_typed_is_kept(tmp_path: Path) -> None:
    state = ConsoleState(filters=["status:open", "priority:low"])
    async with person_at(tmp_path, state=state) as person:
        await person.press("slash")
        await person.type("ki")
        await person.press("up", "up")
        await person.sees("priority:low")
        await person.press("down")
        await person.sees(" / status:open")
        await person.press("down")
        await person.until(lambda: "status:open" not in person.line(1), "what was typed")
        assert " / ki" in person.line(1)


async def test_a_filter_is_added_to_behind_a_space(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("slash")
        await person.type("status:open")
        await person.press("enter", "slash")
        await person.type("priority:low")
        await person.press("enter")
        await person.sees("status:open priority:low")


async def test_the_title_has_room_beside_the_detail(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(120, 40)) as person:
        await person.press("enter")
        await person.sees("Asked the bank.")
        placed = {each.column.key: each.width for each in person.console.queue.table._painting().placed}
        assert placed["title"] >= 30


async def test_in_a_very_small_terminal_the_list_wins(tmp_path: Path) -> None:
    async with person_at(tmp_path, size=(40, 10)) as person:
        await person.press("enter")
        await person.until(lambda: person.console.queue.detail.is_open, "the detail pane")
        assert len(person.console.queue.table.visible_ids()) >= 3


async def test_nobody_is_late_with_what_is_done(tmp_path: Path) -> None:
    fake = FakeClient(1)
    fake.rows[1].update(sla_due_at="2020-01-01T00:00:00Z")
    async with person_at(tmp_path, fake) as person:
        await person.press("enter")
        await person.until(lambda: person.screen.count(" late ") == 2, "late in list and pane")
        fake.rows[1].update(status="resolved", version=2)
        await fake.queue.put({"type": "resource_changed", "resource": "support_tasks", "change": "updated", "ids": [1]})
        await person.until(lambda: " late " not in person.screen, "nobody to wait any more")


async def test_an_empty_queue_is_said_in_full_in_forty_columns(tmp_path: Path) -> None:
    async with person_at(tmp_path, FakeClient(0), size=(40, 12)) as person:
        await person.sees("FILE", "--mapping MAP.toml")


async def test_the_order_is_chosen_with_the_keys_of_the_list(tmp_path: Path) -> None:
    async with person_at(tmp_path) as person:
        await person.press("o")
        await person.sees("least pressing first")
        await person.press("j", "enter")
        await person.sees("by -priority")
