"""Text from outside on its way to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from quarterdeck.tui.text import fit, safe, safe_lines
from tests.support.hostile import HOSTILE, REFUSED, TEXTS, control_bytes

NAMES = [name for name, _ in HOSTILE]
ANYTHING = st.text(st.characters(), max_size=80) | st.sampled_from(TEXTS)  # lone surrogates included


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = safe(text)
    assert control_bytes(shown.encode()) == []
    assert "\n" not in shown
    assert all(control_bytes(line.encode()) == [] for line in safe_lines(text))


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_it_fits_where_it_is_put(text: str) -> None:
    for width in (0, 1, 2, 3, 10, 41):
        for right in (False, True):
            assert cell_len(fit(safe(text), width, right=right)) == width


@given(ANYTHING)
def test_any_text_becomes_printable_and_encodable(text: str) -> None:
    shown = safe(text)
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown)
    assert control_bytes(shown.encode()) == []
    assert safe(shown) == shown


@given(ANYTHING, st.integers(0, 60), st.booleans())
def test_any_text_takes_exactly_its_cells(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(safe(text), width, right=right)) == width


def test_what_people_write_stays_as_it_is() -> None:
    for text in ("Refund for order 42", "Rückgabe – größer", "返金のお願い", "Ωμέγα 🚚", "[bold]not markup[/bold]"):
        assert safe(text) == text


def test_controls_show_as_signs() -> None:
    assert safe("\x1b]52;c;eA==\x07") == "␛]52;c;eA==␇"
    assert safe("one\ntwo\r\nthree") == "one⏎two⏎three"
    assert safe("a\tb\x7f") == "a␉b␡"
    assert safe("\x9b31m") == "�31m"
    for text in REFUSED:
        assert "␀" in safe(text)


def test_turned_and_hidden_characters_show() -> None:
    assert safe("invoice_\u202egpj.exe") == "invoice_⇄gpj.exe"
    assert safe("pay\u200bment") == "pay·ment"
    assert safe("admin\U000e0041") == "admin·"


def test_emoji_that_terminals_measure_differently_come_apart() -> None:
    assert safe("👩\u200d👧") == "👩👧"
    assert safe("👍🏿") == "👍"
    assert safe("🇨🇭") == "CH"
    assert safe("\u2764\ufe0f") == "\u2764"


def test_decoration_does_not_run_into_other_lines() -> None:
    assert safe("Z" + "\u0300" * 30) == unicodedata.normalize("NFC", "Z\u0300\u0300")
    assert safe("\u0301x").startswith("◌")


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert fit("漢字漢字", 4) == "漢 …"
    assert fit("漢字", 3) == "漢…"
    assert fit("漢字", 4) == "漢字"
    assert fit("abc", 5, right=True) == "  abc"


def test_what_is_not_text_is_shown_all_the_same() -> None:
    assert safe(None) == ""
    assert safe(42) == "42"
    assert safe_lines("a\tb\nc\r\nd") == ["a   b", "c", "d"]
