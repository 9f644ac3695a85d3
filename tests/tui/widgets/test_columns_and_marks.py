"""Which columns a table of some width has; what is marked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from quarterdeck.tui.glyphs import ASCII
from quarterdeck.tui.theming import choose
from quarterdeck.tui.widgets.columns import GUTTER, place
from quarterdeck.tui.widgets.marks import Marks
from quarterdeck.tui.widgets.row_painter import LineState, Painter
from quarterdeck.tui.widgets.rows import Column


def column(key: str, width: int, **how: Any) -> Column:
    return Column(key, key, width, lambda row, _: (str(row.get("text", key)), ""), **how)


COLUMNS = (
    column("priority", 8),
    column("due", 9, right=True),
    column("title", 20, flex=True),
    column("tenant", 12, hide_below=90),
    column("assignee", 10),
)


def test_the_flexible_column_takes_what_is_left() -> None:
    placed = {found.column.key: found.width for found in place(COLUMNS, 120)}
    assert placed["title"] == 120 - GUTTER - 1 - (8 + 9 + 12 + 10) - 4 * 2
    assert "tenant" not in {found.column.key for found in place(COLUMNS, 89)}


def test_in_a_very_narrow_table_the_title_is_the_last_to_go() -> None:
    assert [found.column.key for found in place(COLUMNS, 30)] == ["priority", "due", "title"]
    assert [found.column.key for found in place(COLUMNS, 12)] == ["title"]


@given(st.integers(1, 250), st.text(max_size=60), st.booleans(), st.booleans(), st.booleans())
def test_every_line_is_as_wide_as_the_table(width: int, text: str, cursor: bool, stale: bool, ascii: bool) -> None:
    look = choose("brutalist")
    if ascii:
        look = look._replace(glyphs=ASCII)
    placed = place(COLUMNS, width)
    painter = Painter(look, placed, width)
    state = LineState(cursor=cursor, focused=True, stale=stale, marked=stale, thumb=cursor)
    used = GUTTER + 1 + sum(found.width + found.gap for found in placed)
    for segments in (
        painter.row({"id": 1, "text": text}, state, 0),
        painter.placeholder(state),
        painter.header(text),
        painter.message(text, "error"),
        painter.blank(),
    ):
        cells = sum(cell_len(segment.text) for segment in segments)
        assert cells == width or (used > width and cells == used)


def test_the_line_under_the_cursor_is_one_run_of_text() -> None:
    painter = Painter(choose("brutalist"), place(COLUMNS, 80), 80)
    assert len(painter.row({"id": 1}, LineState(cursor=True, focused=True), 0)) == 1


def test_without_colour_every_state_of_a_line_still_differs() -> None:
    painter = Painter(choose("brutalist", plain=True), place(COLUMNS, 80), 80)
    states = [
        LineState(),
        LineState(cursor=True, focused=True),
        LineState(marked=True),
        LineState(stale=True),
        LineState(in_range=True),
    ]
    texts = ["".join(segment.text for segment in painter.row({"id": 1}, state, 0)) for state in states]
    assert len(set(texts)) == len(states)


def test_single_marks() -> None:
    marks = Marks()
    assert not marks
    marks.toggle(1)
    marks.add([2, 3])
    marks.toggle(2)
    assert (marks.ids, marks.count(None)) == ({1, 3}, 2)
    marks.remove([1])
    assert marks.has(3)
    assert not marks.has(1)


def test_all_minus_some() -> None:
    marks = Marks()
    marks.add([5])
    marks.mark_all("status:open")
    marks.toggle(7)
    assert marks
    assert marks.ids == set()
    assert marks.has(1, "status:open")
    assert not marks.has(7, "status:open")
    assert not marks.has(1, "status:closed")
    assert marks.count(1_000_000) == 999_999
    assert marks.count(None) is None
    marks.remove([1, 2])  # they were acted on
    assert marks.count(1_000_000) == 999_997
    marks.add([7])
    assert marks.has(7, "status:open")
    marks.clear()
    assert not marks
    assert marks.scope == ""
