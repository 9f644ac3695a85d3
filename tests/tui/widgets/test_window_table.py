"""The table as a person uses it: keys in, lines out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from quarterdeck.tui.widgets.rows import CellContext, Column, Row
from quarterdeck.tui.widgets.window_table import WindowTable
from tests.tui.widgets.list_source import ListSource, row, rows

COLUMNS = (
    Column("id", "id", 6, lambda row, _: (str(row["id"]), "muted"), right=True),
    Column("title", "title", 10, lambda row, _: (row["title"], ""), flex=True),
    Column("wide", "wide", 8, lambda row, _: ("wide", ""), hide_below=100),
)


class Alone(App[None]):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.table = WindowTable(COLUMNS, noun="tickets", rest_ms=options.pop("rest_ms", 5), **options)
        self.heard: list[Any] = []
        self.refreshed: list[int] = []
        refresh = self.table.refresh

        def counted(*regions: Any, **how: Any) -> Any:
            self.refreshed.append(len(regions) if regions else 999)
            return refresh(*regions, **how)

        self.table.refresh = counted  # type: ignore[method-assign]

    def compose(self) -> ComposeResult:
        yield self.table
        yield Static(id="elsewhere")

    def on_mount(self) -> None:
        self.table.focus()

    def on_window_table_cursor_rested(self, event: WindowTable.CursorRested) -> None:
        self.heard.append(("rested", None if event.row is None else event.row["id"]))

    def on_window_table_opened(self, event: WindowTable.Opened) -> None:
        self.heard.append(("opened", event.row["id"]))

    def on_window_table_marks_changed(self) -> None:
        self.heard.append(("marks", self.table.hidden_marks))

    def on_window_table_count_known(self, event: WindowTable.CountKnown) -> None:
        self.heard.append(("count", event.total))

    def on_window_table_fetch_failed(self, event: WindowTable.FetchFailed) -> None:
        self.heard.append(("failed", event.sentence))

    def on_window_table_refused(self, event: WindowTable.Refused) -> None:
        self.heard.append(("refused", event.sentence))

    def on_window_table_new_rows(self, event: WindowTable.NewRows) -> None:
        self.heard.append(("new", event.count))

    # What the tests say

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(self.table.size.height)]

    def shown(self) -> list[int]:
        return self.table.visible_ids()


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for something to become true, with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def opened(pilot: Pilot[None], source: ListSource, **options: Any) -> WindowTable:
    app = pilot.app
    assert isinstance(app, Alone)
    app.table.show(source, **options)
    await until(lambda: app.table.position[1] == len(source.rows) and (app.table.cursor_row or not source.rows))
    await pilot.pause()
    return app.table


async def test_rows_stand_under_their_titles() -> None:
    app = Alone()
    async with app.run_test(size=(60, 12)) as pilot:
        await opened(pilot, ListSource(rows(500)))
        lines = app.lines()
        assert lines[0].split() == ["id", "title"]
        assert lines[1].split() == ["▸", "1", "row", "1", "▐"]
        assert lines[2].split() == ["2", "row", "2"]
        assert {len(line) for line in lines} == {60}
        assert lines[0].index("id") + 1 == lines[1].index("1")


async def test_a_cursor_key_refreshes_two_lines() -> None:
    app = Alone()
    async with app.run_test(size=(60, 24)) as pilot:
        table = await opened(pilot, ListSource(rows(5000)))
        app.refreshed.clear()
        for _ in range(10):
            table.action_down()
        await pilot.pause()
        assert table.cursor_id == 11
        assert app.refreshed == [2] * 10


async def test_leaving_the_window_flips_by_half_a_page() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(5000)))
        height = len(app.shown())
        for _ in range(height):
            table.action_down()
        assert app.shown()[0] == height // 2 + 1
        assert table.cursor_id == height + 1


async def test_holding_down_never_shows_a_row_out_of_place() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(5000)))
        for at in range(1000):
            table.action_down()
            await asyncio.sleep(0)
            shown = app.shown()
            assert shown == list(range(shown[0], shown[0] + len(shown)))
            if at % 100 == 0:
                await pilot.pause()
        await until(lambda: table.cursor_id == 1001)


async def test_memory_does_not_grow_with_the_list() -> None:
    app = Alone(page_cache=6)
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(20_000)))
        for _ in range(150):
            table.action_page_down()
            await until(lambda: table.cursor_id is not None)
        await pilot.pause()
        assert table._index.end - table._index.start <= 8 * 100


async def test_end_and_home_work_before_the_count_is_known() -> None:
    app = Alone()
    source = ListSource(rows(5000))
    source.count_gate.clear()
    async with app.run_test(size=(60, 22)) as pilot:
        table = app.table
        table.show(source)
        await until(lambda: table.cursor_id == 1)
        assert table.position == (0, None)
        assert table.at_least == 100
        table.action_bottom()
        await until(lambda: table.cursor_id == 5000)
        assert table.position == (-1, None)
        table.action_up()
        assert table.cursor_id == 4999
        source.count_gate.set()
        await until(lambda: table.position == (4998, 5000))
        assert table.cursor_id == 4999
        await pilot.pause()
        assert app.lines()[-1].rstrip().endswith("▐")
        table.action_top()
        await until(lambda: table.cursor_id == 1)
        assert ("count", 5000) in app.heard


async def test_the_cursor_moves_while_rows_are_on_their_way() -> None:
    app = Alone()
    source = ListSource(rows(5000))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        await until(lambda: table._index.end == 100 or table._index.end == 200)
        source.gate.clear()
        for _ in range(30):
            table.action_page_down()
        await pilot.pause()
        assert "· · ·" in app.lines()[5]
        assert table.cursor_row is None
        here = table.position[0]
        source.gate.set()
        await until(lambda: table.cursor_row is not None)
        await pilot.pause()
        assert table.cursor_id == here + 1
        assert "· · ·" not in "".join(app.lines())


async def test_a_fetch_that_is_overtaken_is_cancelled_and_never_more_than_one_is_on_its_way() -> None:
    app = Alone()
    source = ListSource(rows(50_000))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        source.gate.clear()
        table.action_bottom()
        await pilot.pause()
        asked = len(source.asked)
        for _ in range(20):
            table.action_up()
        await pilot.pause()
        assert len(source.asked) == asked  # what is on its way will do
        table.action_top()
        table.action_bottom()
        await pilot.pause()
        source.gate.set()
        await until(lambda: table.cursor_id == 50_000)
        assert len(source.asked) <= asked + 2


async def test_an_empty_list_says_what_to_do_next() -> None:
    app = Alone(empty="No tickets. Press / to change the filter.")
    async with app.run_test(size=(60, 12)) as pilot:
        table = await opened(pilot, ListSource([]))
        assert "No tickets. Press / to change the filter." in app.lines()[2]
        for action in (table.action_down, table.action_bottom, table.action_page_up, table.action_top):
            action()
        table.action_mark()
        table.action_mark_all()
        table.action_open()
        assert table.cursor_row is None
        await until(lambda: app.heard.count(("refused", "There is nothing to mark.")) == 2)
        await until(lambda: ("rested", None) in app.heard)


async def test_loading_says_what_and_how_many() -> None:
    app = Alone()
    source = ListSource(rows(1204))
    source.gate.clear()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(source)
        await until(lambda: app.table.position[1] == 1204)
        await pilot.pause()
        assert "Loading 1,204 tickets…" in app.lines()[2]
        source.gate.set()
        await until(lambda: app.table.cursor_id == 1)


async def test_failure_says_why_and_goes_on_when_told() -> None:
    app = Alone()
    source = ListSource(rows(30))
    source.fails = "No engine answers at /run/x.sock; qd engine start starts one."
    async with app.run_test(size=(80, 12)) as pilot:
        app.table.show(source)
        await until(lambda: ("failed", source.fails) in app.heard)
        await pilot.pause()
        assert source.fails in app.lines()[2]
        assert "F5 tries again." in app.lines()[3]
        source.fails = None
        app.table.retry()
        await until(lambda: app.table.cursor_id == 1 and app.table.position[1] == 30)


async def test_failure_behind_rows_that_are_shown_keeps_them() -> None:
    app = Alone()
    source = ListSource(rows(3000))
    async with app.run_test(size=(80, 12)) as pilot:
        table = await opened(pilot, source)
        source.fails = "The store is busy."
        table.action_bottom()
        await until(lambda: ("failed", "The store is busy.") in app.heard)
        table.action_top()
        await pilot.pause()
        assert "not all could be loaded, f5 tries again" in app.lines()[0]
        assert app.shown()[0] == 1
        source.fails = None
        table.action_bottom()
        table.retry()
        await until(lambda: table.cursor_id == 3000)


async def test_marks_are_ids_and_survive_another_filter() -> None:
    app = Alone()
    everything = ListSource(rows(100))
    even = ListSource([found for found in rows(100) if found["id"] % 2 == 0], scope="even")
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, everything)
        for _ in range(3):
            table.action_mark()  # 1, 2, 3; each goes to the next
        assert table.marks.ids == {1, 2, 3}
        assert [line[1] for line in app.lines()[1:5]] == ["■", "■", "■", " "]
        await opened(pilot, even)
        await until(lambda: ("marks", 2) in app.heard)
        assert table.marks.ids == {1, 2, 3}
        assert table.hidden_marks == 2
        assert app.lines()[1][1] == "■"
        await opened(pilot, everything)
        await until(lambda: table.hidden_marks == 0)
        assert table.action_clear()
        assert not table.action_clear()
        assert not table.marks


async def test_a_range_marks_what_is_between() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(5000)))
        table.action_down()
        table.action_range()
        for _ in range(3):
            table.action_down()
        await pilot.pause()
        assert [line[1] for line in app.lines()[1:7]] == [" ", "│", "│", "│", "│", " "]
        table.action_mark()
        assert table.marks.ids == {2, 3, 4, 5}
        table.action_range()
        assert table.action_clear()  # gives up the range, not the marks
        assert table.marks.ids == {2, 3, 4, 5}


async def test_a_range_reaches_over_rows_that_were_never_loaded() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(5000)))
        table.action_range()
        table.action_bottom()
        table.action_range()
        await until(lambda: len(table.marks.ids) == 5000)
        await opened(pilot, ListSource(rows(20_000)))
        table.action_range()
        table.action_bottom()
        table.action_range()
        await pilot.pause()
        assert ("refused", "A range holds at most 10,000 rows; mark all of a narrower filter.") in app.heard


async def test_all_that_match_is_one_mark() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(5000), scope="status:open"))
        table.action_mark_all()
        await pilot.pause()
        assert table.marks.count(table.position[1]) == 5000
        assert all(line[1] == "■" for line in app.lines()[1:])
        table.action_mark()  # all but this one
        assert table.marks.count(5000) == 4999
        assert app.lines()[1][1] == " "
        await opened(pilot, ListSource(rows(10), scope="status:closed"))
        table.action_mark()
        await pilot.pause()
        assert table.hidden_marks is None
        assert any(kind == "refused" and "status:open" in said for kind, said in app.heard)
        assert not any("■" in line for line in app.lines())


async def test_changed_rows_are_patched_in_place_and_only_they_are_drawn() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(500)))
        app.refreshed.clear()
        await table.patch([row(3, "now urgent"), row(400, "not on the screen")])
        await pilot.pause()
        assert "now urgent" in app.lines()[3]
        assert app.refreshed == [1]


async def test_rows_that_no_longer_match_are_dimmed_until_the_next_look() -> None:
    app = Alone()
    source = ListSource(rows(500))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        table.action_down()
        del source.rows[4]
        table.drop([5])
        await pilot.pause()
        assert app.lines()[5][1] == "×"
        assert app.shown()[4] == 5
        table.reload()
        await until(lambda: 5 not in app.shown())
        assert table.cursor_id == 2
        await until(lambda: table.position[1] == 499)


async def test_new_rows_are_announced_and_move_nothing_until_they_are_brought_in() -> None:
    app = Alone()
    source = ListSource(rows(500))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        for _ in range(5):
            table.action_down()
        source.rows[:0] = [row(at, "new") for at in range(1001, 1013)]
        table.note_new(12)
        await pilot.pause()
        assert table.news == "12 new, i brings them in"
        assert app.shown()[:3] == [1, 2, 3]
        table.bring_in_new()
        await until(lambda: ("new", 0) in app.heard)
        await pilot.pause()
        assert table.cursor_id == 6
        assert app.lines()[6][0] == "▸"  # on the line where it was
        assert table.position[0] == 17
        await until(lambda: table.position[1] == 512)
        table.action_top()
        await until(lambda: table.cursor_id == 1001)


async def test_into_an_empty_list_new_rows_come_by_themselves() -> None:
    app = Alone()
    source = ListSource([])
    async with app.run_test(size=(60, 22)) as pilot:
        table = app.table
        table.show(source)
        await until(lambda: table.position[1] == 0)
        source.rows = rows(3)
        table.note_new(3)
        await until(lambda: app.shown() == [1, 2, 3])
        await pilot.pause()
        assert table.new_count == 0
        assert table.cursor_id == 1


async def test_bringing_in_works_in_the_middle_and_at_the_end() -> None:
    app = Alone()
    source = ListSource(rows(5000))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        table.action_bottom()
        await until(lambda: table.cursor_id == 5000)
        source.rows += [row(at, "new") for at in range(6001, 6004)]
        table.note_new(3)
        table.bring_in_new()
        await until(lambda: table.new_count == 0 and table.position[1] == 5003)
        assert table.cursor_id == 5000
        for _ in range(80):
            table.action_page_up()
            await until(lambda: table.cursor_row is not None)
        middle = table.cursor_id
        assert middle is not None
        at = source.rows.index(table.cursor_row)
        source.rows.insert(at, row(7001, "new"))
        table.note_new(1)
        table.bring_in_new()
        await until(lambda: 7001 in app.shown())
        assert table.cursor_id == middle


async def test_a_row_under_the_cursor_that_is_gone_gives_way_to_its_neighbour() -> None:
    app = Alone()
    source = ListSource(rows(50))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        for _ in range(4):
            table.action_down()
        source.rows = [found for found in source.rows if found["id"] not in (5, 6)]
        table.reload()
        await until(lambda: 5 not in app.shown())
        assert table.cursor_id == 7
        source.rows = []
        table.reload()
        await until(lambda: table.position[1] == 0)
        await pilot.pause()
        assert "Nothing here." in app.lines()[2]
        source.rows = rows(3)
        table.reload()
        await until(lambda: table.cursor_id == 1)


async def test_looking_again_at_the_screen_finds_changes_nobody_named() -> None:
    app = Alone()
    source = ListSource(rows(500))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        source.rows[2] = row(3, "changed meanwhile")
        del source.rows[3]
        table.refetch_visible()
        await until(lambda: "changed meanwhile" in app.lines()[3])
        assert app.lines()[4][1] == "×"
        assert table.cursor_id == 1


async def test_the_same_list_from_a_new_source_keeps_cursor_and_marks() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(5000)))
        for _ in range(150):
            table.action_down()
        await until(lambda: table.cursor_id == 151)
        table.action_mark()
        top = app.shown()[0]
        again = ListSource(rows(5000))
        table.show(again, keep=True)
        await until(lambda: again.asked and table._feeder._flying is None)
        assert (table.cursor_id, app.shown()[0], table.marks.ids) == (152, top, {151})


async def test_show_puts_the_cursor_where_it_was_asked_to() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(300)), cursor_id=42)
        assert table.cursor_id == 42
        await opened(pilot, ListSource(rows(299)), cursor_id=250)
        assert table.cursor_id == 1


async def test_a_new_list_that_comes_soon_replaces_the_old_one_without_a_flicker() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(300)))
        app.refreshed.clear()
        table.show(ListSource([row(at, "other") for at in range(500, 900)]))
        assert app.refreshed == []
        await until(lambda: "other" in app.lines()[1])


async def test_resize_keeps_the_row_under_the_cursor() -> None:
    app = Alone()
    async with app.run_test(size=(120, 40)) as pilot:
        table = await opened(pilot, ListSource(rows(3000)))
        for _ in range(30):
            table.action_down()
        assert "wide" in app.lines()[0]
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert table.cursor_id == 31
        assert 31 in app.shown()
        assert "wide" not in app.lines()[0]
        assert {len(line) for line in app.lines()} == {60}
        for size in ((20, 3), (5, 2), (1, 1), (200, 60)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all(len(line) == size[0] for line in app.lines())
        assert table.cursor_id == 31


async def test_a_rested_cursor_is_told_once() -> None:
    app = Alone(rest_ms=30)
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(300)))
        await until(lambda: ("rested", 1) in app.heard)
        app.heard.clear()
        for _ in range(10):
            table.action_down()
        await until(lambda: app.heard)
        assert app.heard == [("rested", 11)]
        await table.patch([row(11, "changed")])
        await until(lambda: app.heard == [("rested", 11)] * 2)
        table.action_open()
        await until(lambda: ("opened", 11) in app.heard)


async def test_the_mouse_moves_the_cursor_and_opens() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(300)))
        await pilot.click(WindowTable, offset=(10, 5))
        assert table.cursor_id == 5
        await pilot.click(WindowTable, offset=(10, 7), times=2)
        await until(lambda: ("opened", 7) in app.heard)
        await pilot.click(WindowTable, offset=(10, 0))
        assert table.cursor_id == 7


async def test_an_idle_table_draws_only_what_the_time_changes() -> None:
    minutes = 0

    def age(found: Row, context: CellContext) -> tuple[str, str]:
        return f"{(context.now + found['id'] * 7) // 60}m", ""

    app = Alone(clock=lambda: minutes)
    app.table.columns = (Column("age", "age", 6, age, live=True), *COLUMNS)
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(300)))
        app.refreshed.clear()
        table._tick()
        assert app.refreshed == []
        minutes = 4  # one row in fifteen turns
        table._tick()
        await pilot.pause()
        assert 0 < len(app.refreshed) < 4
        drawn = len(app.refreshed)
        table._tick()
        assert len(app.refreshed) == drawn


@pytest.mark.parametrize("plain", [False, True])
async def test_without_the_focus_the_cursor_is_quieter_but_there(plain: bool) -> None:
    from quarterdeck.tui.theming import choose

    app = Alone()
    app.look = choose("brutalist", plain=plain)  # type: ignore[attr-defined]
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(300)))
        focused = table.render_line(1)
        app.set_focus(None)
        await pilot.pause()
        blurred = table.render_line(1)
        assert focused.text == blurred.text
        assert focused.text[0] == "▸"
        assert [segment.style for segment in focused] != [segment.style for segment in blurred]


async def test_a_changed_row_off_the_screen_shows_its_new_value_when_it_is_seen() -> None:
    app = Alone()
    source = ListSource(rows(500))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        source.rows[30] = row(31, "changed off the screen")
        table.outdate([31])
        table.action_page_down()
        await until(lambda: any("changed off the screen" in line for line in app.lines()))


async def test_after_a_change_of_everything_every_page_is_new() -> None:
    app = Alone()
    source = ListSource(rows(500))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        for _ in range(12):
            table.action_page_down()
        await until(lambda: table._index.end > 250 and not table._feeder.is_flying)
        source.rows = [row(at, f"anew {at}") for at in range(1, 501)]
        table.refetch_visible()
        for move in (table.action_page_up, table.action_page_down, table.action_page_down, table.action_top):
            move()
            await until(lambda: all("anew" in line for line in app.lines()[1:20]))


async def test_all_that_match_leaves_out_what_no_longer_does() -> None:
    app = Alone()
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, ListSource(rows(50)))
        table.action_mark_all()
        table.drop([1])
        await pilot.pause()
        assert [line[1] for line in app.lines()[1:4]] == ["×", "■", "■"]
        table.action_mark()
        await until(lambda: any(kind == "refused" for kind, _ in app.heard))
        assert table.marks.except_ids == set()
        assert table.news == "1 no longer matches, f5 refreshes"


async def test_marks_over_an_empty_list_are_all_hidden() -> None:
    app = Alone()
    source = ListSource(rows(50))
    async with app.run_test(size=(60, 22)) as pilot:
        table = await opened(pilot, source)
        table.action_mark()
        await until(lambda: ("marks", 0) in app.heard)
        source.rows = []
        table.reload()
        await until(lambda: ("marks", 1) in app.heard)
        assert table.hidden_marks == 1
