"""Fewer bytes, the same picture."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.tui.thrift import thrifty

COLORS = st.sampled_from(["38;5;231", "38;2;1;2;3", "31", "97", "39", ""])
GROUNDS = st.sampled_from(["48;5;16", "48;2;4;5;6", "41", "107", "49", ""])
ATTRIBUTES = st.lists(st.sampled_from(["1", "3", "4", "7", "9"]), max_size=3, unique=True)
WORDS = st.sampled_from(["a", "word", "  ", "漢字", "x" * 9, ""])
MOVES = st.sampled_from(["", "\r\n", "\x1b[3;2H", "\x1b[1;9H", "\n"])


@st.composite
def runs(draw: st.DrawFn) -> str:
    codes = ";".join(filter(None, [*draw(ATTRIBUTES), draw(COLORS), draw(GROUNDS)]))
    text, move = draw(WORDS), draw(MOVES)
    end = draw(st.sampled_from(["\x1b[0m", "\x1b[0m", "\x1b[0m", ""]))
    return (f"\x1b[{codes}m{text}{end}" if codes else text) + move


def picture(data: str) -> object:
    screen = pyte.Screen(20, 6)
    pyte.ByteStream(screen).feed(data.encode())
    return [[screen.buffer[y][x] for x in range(20)] for y in range(6)], (screen.cursor.x, screen.cursor.y)


@given(st.lists(runs(), max_size=14))
def test_the_picture_is_the_same_and_the_terminal_is_left_as_it_was(pieces: list[str]) -> None:
    data = "".join(pieces)
    lean = thrifty(data)
    assert picture(lean + "plain") == picture(data + "plain")
    assert len(lean) <= len(data)


def test_only_what_differs_is_said() -> None:
    data = "\x1b[38;5;231;48;5;16mone\x1b[0m\x1b[38;5;245;48;5;16mtwo\x1b[0m\r\n\x1b[38;5;245;48;5;16mthree\x1b[0m"
    assert thrifty(data) == "\x1b[38;5;231;48;5;16mone\x1b[38;5;245mtwo\r\nthree\x1b[0m"


def test_attributes_end_with_a_reset() -> None:
    assert thrifty("\x1b[1;31mA\x1b[0m\x1b[31mB\x1b[0m") == "\x1b[1;31mA\x1b[0;31mB\x1b[0m"


def test_everything_else_passes_through() -> None:
    for data in ("\x1b[?2026h", "\x1b]52;c;eA==\x07", "plain", "\x1b[2J\x1b[0m\x1b]0;title\x07", "\x1b[6n"):
        assert thrifty(data) == data
