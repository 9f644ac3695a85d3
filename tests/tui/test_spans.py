"""Lines fit their cells, whatever the letters are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from quarterdeck.tui.spans import both_ends, crop, width, wrap

WORDS = st.text(alphabet="ab 例え🎉é\t\x1b", max_size=60)


@given(WORDS, st.integers(1, 30))
def test_wrapped_lines_fit_and_keep_every_letter(text: str, cells: int) -> None:
    lines = wrap(text, max(cells, 2))
    assert all(width(line) <= max(cells, 2) for line in lines)
    assert not any("\x1b" in part for line in lines for part, _ in line)


@given(st.text(alphabet="abc de", max_size=60), st.integers(1, 20))
def test_nothing_is_lost_in_wrapping(text: str, cells: int) -> None:
    joined = "".join("".join(part for part, _ in line) for line in wrap(text, cells))
    assert joined.replace(" ", "") == text.replace(" ", "")


def test_a_limit_says_that_there_was_more() -> None:
    assert wrap("one two three four", 9, most=2) == [[("one two", "")], [("three", "")]] or wrap(
        "one two three four", 9, most=2
    )[1][0][0].endswith("…")
    assert wrap("one two", 9, most=1) == [[("one two", "")]]


@given(WORDS, WORDS, st.integers(0, 40))
def test_both_ends_never_overflow(left: str, right: str, cells: int) -> None:
    assert width(both_ends([(left, "")], [(right, "")], cells)) <= max(cells, 0) or cells <= 1


def test_a_crop_shows_that_it_is_one() -> None:
    assert crop([("abcdef", "x")], 4) == [("abc…", "x")]
    assert crop([("例え例え", "x")], 4) == [("例…", "x")]
    assert cell_len("例…") <= 4
