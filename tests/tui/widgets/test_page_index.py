"""The arithmetic under the table: what is in memory is always a true piece of the list."""

from __future__ import annotations

from hypothesis import given, note
from hypothesis import strategies as st

from quarterdeck.tui.widgets.page_index import FAR, PageIndex
from quarterdeck.tui.widgets.rows import Page
from quarterdeck.tui.widgets.viewport import Viewport
from tests.tui.widgets.list_source import ListSource, row, rows


def ask(index: PageIndex, source: ListSource, first: int, last: int, margin: int = 0) -> int | None:
    """Fetch once what is missing. Returns how positions moved; None if nothing was missing."""
    fetch = index.plan(first, last, margin)
    if fetch is None:
        return None
    page = source.answer(cursor=fetch.cursor, direction=fetch.direction, limit=fetch.limit, skip=fetch.skip)
    return index.land(fetch, page)


def fill(index: PageIndex, source: ListSource, view: Viewport, margin: int = 0) -> None:
    """Fetch until the screen is full, as the table does."""
    for _ in range(60):
        moved = ask(index, source, view.top, view.bottom, margin)
        if moved is None:
            return
        if not index.loaded:
            view.cursor, view.top = FAR - 1, FAR - view.height
            continue
        view.shift(moved)
        view.settle(*index.limits(view.cursor))
        index.trim(view.top - margin, view.bottom + margin)
    raise AssertionError("the table would fetch for ever")


def seen(index: PageIndex, view: Viewport) -> list[int]:
    return index.ids(range(view.top, view.bottom))


def test_the_first_page_comes_from_the_beginning() -> None:
    index = PageIndex(page_size=10)
    source = ListSource(rows(25))
    assert ask(index, source, 0, 5) == 0
    assert index.ids(range(30)) == list(range(1, 11))
    assert index.total is None
    assert index.limits(0) == (0, 20)


def test_reading_to_the_end_tells_the_length() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(25))
    for first in (0, 10, 20):
        ask(index, source, first, first + 5)
    assert index.total == 25
    assert index.plan(20, 25, 50) is None


def test_the_end_is_reached_without_the_length_and_moves_to_its_place_when_it_is_known() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(1000))
    ask(index, source, FAR - 5, FAR)
    assert index.ids(range(FAR - 10, FAR)) == list(range(991, 1001))
    assert index.set_total(1000) == 1000 - FAR
    assert index.ids(range(990, 1000)) == list(range(991, 1001))


def test_a_short_list_read_from_its_end_is_known_whole() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(4))
    moved = ask(index, source, FAR - 5, FAR)
    assert (index.total, index.start) == (4, 0)
    assert moved == 4 - FAR


def test_a_jump_leaves_out_as_few_rows_as_it_can() -> None:
    index, source = PageIndex(page_size=100), ListSource(rows(3000))
    index.set_total(3000)
    ask(index, source, 0, 20)
    near_end = index.plan(2850, 2870)
    assert near_end is not None
    assert (near_end.direction, near_end.cursor) == ("previous", None)
    assert near_end.skip < 150
    middle = index.plan(1200, 1220)
    assert middle is not None
    assert middle.cursor == "100"
    page = source.answer(cursor=middle.cursor, direction=middle.direction, limit=middle.limit, skip=middle.skip)
    index.land(middle, page)
    assert index.ids(range(1200, 1220)) == list(range(1201, 1221))


def test_rows_that_came_in_above_push_the_positions_when_they_are_read() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(30))
    index.set_total(30)
    ask(index, source, 20, 25)
    source.rows[:0] = [row(at) for at in range(101, 108)]
    view = Viewport(5, 20, 20)
    here = index.row(view.cursor)
    for _ in range(8):
        moved = ask(index, source, 0 if view.top < 10 else view.top - 10, view.top)
        if moved is not None:
            view.shift(moved)
        view.move_to(view.cursor - 5, *index.limits(view.cursor))
    fill(index, source, view, 10)
    assert here is not None
    assert index.total == 37
    assert index.row(0) == source.rows[0]


def test_a_page_for_a_run_that_is_gone_is_left_alone() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(100))
    ask(index, source, 0, 5)
    fetch = index.plan(5, 15)
    assert fetch is not None
    index.forget()
    assert index.land(fetch, Page([row(999)], None, None)) == 0
    assert not index.loaded


def test_a_list_that_has_become_shorter_than_the_jump_is_forgotten() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(1000))
    index.set_total(1000)
    fetch = index.plan(400, 410)
    del source.rows[5:]
    assert fetch is not None
    index.land(fetch, source.answer(cursor=None, direction=fetch.direction, limit=10, skip=fetch.skip))
    assert not index.loaded
    assert index.total is None


def test_rows_in_memory_are_believed_over_the_count() -> None:
    index, source = PageIndex(page_size=10), ListSource(rows(30))
    ask(index, source, 0, 10)
    index.set_total(3)
    assert index.total == 11  # ten are seen, and the page said that there are more
    ask(index, source, 10, 11)
    ask(index, source, 20, 30)
    index.set_total(7)
    assert index.total == 30


@given(
    length=st.integers(0, 400),
    page_size=st.integers(1, 60),
    capacity=st.integers(2, 6),
    height=st.integers(1, 25),
    counted=st.booleans(),
    moves=st.lists(
        st.sampled_from(["down", "up", "pagedown", "pageup", "top", "bottom", "count"]) | st.integers(0, 420),
        max_size=60,
    ),
)
def test_what_is_on_the_screen_is_the_list(
    length: int, page_size: int, capacity: int, height: int, counted: bool, moves: list[str | int]
) -> None:
    """Whatever the operator does, the screen shows consecutive rows of the list at their true positions."""
    source = ListSource(rows(length))
    index, view = PageIndex(page_size=page_size, capacity=capacity), Viewport(height)
    note(f"{length=} {page_size=} {capacity=} {height=} {counted=} {moves=}")
    if counted:
        index.set_total(length)
    fill(index, source, view)
    for move in moves:
        limits = index.limits(view.cursor)
        match move:
            case "down":
                view.move_to(view.cursor + 1, *limits)
            case "up":
                view.move_to(view.cursor - 1, *limits)
            case "pagedown":
                view.page(1, *limits)
            case "pageup":
                view.page(-1, *limits)
            case "top":
                view.cursor = view.top = 0
            case "bottom":
                end = FAR if index.total is None else index.total
                view.cursor, view.top = max(0, end - 1), max(0, end - height)
            case "count":
                far = view.cursor >= FAR // 2
                index.set_total(length)
                if far and index.total is not None:
                    view.shift(index.total - FAR)
                view.settle(*index.limits(view.cursor))
            case int():
                view.move_to(move, *limits)
        fill(index, source, view, height)
        expected = list(range(view.top + 1, min(view.bottom, length) + 1))
        if view.cursor >= FAR // 2:
            expected = list(range(length - (FAR - view.top) + 1, length - (FAR - view.bottom) + 1))
        assert seen(index, view) == expected
        assert view.top <= view.cursor < view.bottom
        assert length == 0 or index.row(view.cursor) is not None
        assert len(list(index.rows())) <= capacity * page_size + 2 * page_size + 4 * height + 500


@given(
    length=st.integers(1, 200),
    height=st.integers(1, 20),
    data=st.data(),
)
def test_a_changing_list_never_shows_a_row_twice_or_out_of_order(length: int, height: int, data: st.DataObject) -> None:
    source = ListSource(rows(length))
    index, view = PageIndex(page_size=20, capacity=4), Viewport(height)
    fill(index, source, view)
    fresh = 1000
    for _ in range(data.draw(st.integers(1, 25))):
        what = data.draw(st.sampled_from(["down", "pagedown", "pageup", "top", "bottom", "insert", "count"]))
        if what == "insert":
            at = data.draw(st.integers(0, len(source.rows)))
            source.rows.insert(at, row(fresh))
            fresh += 1
        elif what == "count":
            far = view.cursor >= FAR // 2
            index.set_total(len(source.rows))
            if far and index.total is not None:
                view.shift(index.total - FAR)
        elif what == "top":
            view.cursor = view.top = 0
        elif what == "bottom":
            end = FAR if index.total is None else index.total
            view.cursor, view.top = max(0, end - 1), max(0, end - height)
        elif what == "down":
            view.move_to(view.cursor + 1, *index.limits(view.cursor))
        else:
            view.page(1 if what == "pagedown" else -1, *index.limits(view.cursor))
        fill(index, source, view, height)
        places = {found["id"]: at for at, found in enumerate(source.rows)}
        order = [places[found["id"]] for _, found in index.rows()]
        assert order == sorted(set(order))
        assert index.row(view.cursor) is not None


@given(length=st.integers(1, 900), height=st.integers(1, 25), data=st.data())
def test_a_reload_finds_the_rows_on_the_screen_again(length: int, height: int, data: st.DataObject) -> None:
    """Rows come and go while the operator looks; those that stay are found, and stand next to each other."""
    source = ListSource(rows(length))
    index, view = PageIndex(page_size=50, capacity=5), Viewport(height)
    index.set_total(length)
    fill(index, source, view, height)
    view.move_to(data.draw(st.integers(0, length - 1)), *index.limits(view.cursor))
    fill(index, source, view, height)
    before = seen(index, view)
    fresh = data.draw(st.integers(0, 30))
    for number in range(fresh):
        source.rows.insert(data.draw(st.integers(0, len(source.rows))), row(5000 + number))
    gone = data.draw(st.sets(st.sampled_from(before), max_size=3)) if length > 10 else set()
    if data.draw(st.booleans()):
        source.rows = [found for found in source.rows if found["id"] not in gone]
    else:
        gone = set()
    # Cursors of rows that are gone still work in the engine; here they would not be found.
    boundary = index.plan_reload(view.top, view.bottom, fresh)
    if boundary.cursor is not None and int(boundary.cursor) in gone:
        return
    page = source.answer(cursor=boundary.cursor, direction=boundary.direction, limit=boundary.limit, skip=boundary.skip)
    index.land(boundary, page)
    places = {found["id"]: at for at, found in enumerate(source.rows)}
    order = [places[found["id"]] for _, found in index.rows()]
    assert not order or order == list(range(order[0], order[0] + len(order)))
    assert {row_id for row_id in before if row_id not in gone} <= {found["id"] for _, found in index.rows()}
    assert index.total is None or index.total >= index.end
