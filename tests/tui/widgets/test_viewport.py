"""Where the cursor and the screen stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.tui.widgets.viewport import Viewport


def test_the_screen_flips_by_half_when_the_cursor_leaves_it() -> None:
    view = Viewport(height=20)
    for _ in range(19):
        assert not view.move_to(view.cursor + 1, 0, 1000)
    assert view.move_to(view.cursor + 1, 0, 1000)
    assert (view.top, view.cursor) == (10, 20)
    flips = sum(view.move_to(view.cursor + 1, 0, 1000) for _ in range(100))
    assert flips == 10


def test_it_flips_back_by_half_too() -> None:
    view = Viewport(height=20, top=500, cursor=500)
    assert view.move_to(499, 0, 1000)
    assert view.top == 490


def test_a_page_keeps_the_cursor_on_its_line() -> None:
    view = Viewport(height=20, top=100, cursor=105)
    view.page(1, 0, 1000)
    assert (view.top, view.cursor) == (119, 124)
    view.page(-1, 0, 1000)
    assert (view.top, view.cursor) == (100, 105)


def test_no_empty_lines_below_the_last_row() -> None:
    view = Viewport(height=20)
    view.move_to(999, 0, 1000)
    assert (view.top, view.cursor) == (980, 999)


def test_an_empty_list_keeps_the_cursor_at_the_beginning() -> None:
    view = Viewport(height=5)
    view.move_to(1, 0, 0)
    assert (view.top, view.cursor) == (0, 0)


def test_a_smaller_terminal_keeps_the_cursor_in_sight() -> None:
    view = Viewport(height=40, top=100, cursor=135)
    view.resize(10, 0, 1000)
    assert view.line_of(135) is not None


@given(
    height=st.integers(1, 60),
    length=st.integers(0, 300),
    moves=st.lists(st.tuples(st.sampled_from("mprsw"), st.integers(-400, 400)), max_size=40),
)
def test_the_cursor_is_always_seen_and_always_inside(height: int, length: int, moves: list[tuple[str, int]]) -> None:
    view = Viewport(height)
    for kind, value in moves:
        match kind:
            case "m":
                view.move_to(view.cursor + value, 0, length)
            case "p":
                view.page(1 if value > 0 else -1, 0, length)
            case "r":
                view.resize(abs(value) % 60, 0, length)
            case "s":
                view.settle(0, length)
            case "w":
                view.scroll(value, 0, length)
        assert 0 <= view.cursor < max(length, 1)
        assert view.line_of(view.cursor) is not None
        assert view.top == 0 or view.bottom <= length
