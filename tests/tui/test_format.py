"""Times, numbers and states in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, iso, to_datetime
from quarterdeck.contract.enums import BulkStatus, ItemStatus, Outcome, Priority, RunStatus
from quarterdeck.tui import format as words
from quarterdeck.tui.detail import item_lines
from quarterdeck.tui.glyphs import ASCII, UNICODE
from tests.tui.fake_client import item

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (-5 * SECOND, "now"),
        (0, "now"),
        (59 * SECOND, "now"),
        (MINUTE, "1m"),
        (119 * SECOND, "1m"),
        (59 * MINUTE, "59m"),
        (HOUR, "1h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (99 * DAY, "99d"),
        (120 * DAY, "4mo"),
        (800 * DAY, "2y"),
    ],
)
def test_age(passed: int, text: str) -> None:
    assert words.age(NOW - passed, NOW) == text
    assert words.age(iso(NOW - passed), NOW) == text


@pytest.mark.parametrize(
    ("left", "text", "style"),
    [
        (2 * DAY, "in 2d", ""),
        (10 * HOUR, "in 10h", ""),
        (4 * HOUR - MINUTE, "in 3h 59m", ""),
        (HOUR, "in 1h 00m", ""),
        (12 * MINUTE, "in 12m", "warning"),
        (2 * MINUTE, "in 2m", "warning"),
        (95 * SECOND, "in 95s", "warning"),
        (0, "late", "error"),
        (-59 * SECOND, "late", "error"),
        (-3 * HOUR, "late 3h", "error"),
    ],
)
def test_due(left: int, text: str, style: str) -> None:
    assert words.due(NOW + left, NOW) == (text, style)


def test_no_time_says_nothing() -> None:
    assert words.age(None, NOW) == ""
    assert words.due(None, NOW) == ("", "")
    assert words.age("yesterday", NOW) == ""


@given(st.integers(-(10**12), 10**12))
def test_words_change_at_most_once_a_minute_but_for_the_last_two(left: int) -> None:
    """What keeps an idle console silent."""
    if left > 2 * MINUTE + SECOND or left < 0:
        seen = {
            words.due(NOW + left, NOW + later)[0]
            for later in range(0, MINUTE, SECOND)
            if left - later > 2 * MINUTE or left < 0
        }
        assert len(seen) <= 2
    assert len({words.age(NOW + left, NOW + later) for later in range(0, MINUTE, SECOND)}) <= 2


def test_counts() -> None:
    assert words.count(1_000_000) == "1,000,000"
    assert words.count(100, more=True) == "100+"
    assert words.count(None) == "?"
    assert words.plural(1, "item") == "1 item"
    assert words.plural(1_204, "item") == "1,204 items"
    assert words.plural(2, "entry", "entries") == "2 entries"


def test_all_is_said_only_when_it_is_all() -> None:
    assert words.percent(999, 1000) == "99%"
    assert words.percent(1000, 1000) == "100%"
    assert words.percent(0, 0) == "0%"
    assert words.bar(999, 1000, 10) == "█" * 9 + "░"
    assert words.bar(5, 10, 4, ASCII) == "##.."
    assert words.bar(0, 0, 3) == "░░░"


def test_durations() -> None:
    assert [words.duration(ms) for ms in (0, 45_000, 200_000, 7_500_000, 273_600_000)] == [
        "0s",
        "45s",
        "3m 20s",
        "2h 05m",
        "3d 4h",
    ]


@pytest.mark.parametrize(
    "state", sorted({str(s) for kind in (ItemStatus, RunStatus, BulkStatus, Outcome) for s in kind})
)
def test_every_state_has_a_sign_a_word_and_a_style(state: str) -> None:
    for glyphs in (UNICODE, ASCII):
        text, style = words.badge(state, glyphs)
        assert text[1] == " "
        assert style.startswith("badge-")
        assert cell_len(text) <= 14
    assert words.badge(state, ASCII)[0].isascii()


def test_a_newer_engine_may_know_more_states() -> None:
    assert words.badge("on_fire") == ("○ on fire", "badge-waiting")
    assert words.priority("someday") == ("someday", "")


def test_every_priority_has_its_sign() -> None:
    shown = [words.priority(word) for word in Priority]
    assert len({text for text, _ in shown}) == 4
    assert all(cell_len(text) <= 8 for text, _ in shown)


def test_signs_are_one_cell_and_ascii_ones_are_ascii() -> None:
    for glyphs in (UNICODE, ASCII):
        for name in glyphs._fields:
            sign = getattr(glyphs, name)
            if isinstance(sign, str) and name != "placeholder":
                assert cell_len(sign) == 1, name
                assert glyphs is UNICODE or sign.isascii(), name


def test_times_in_a_timeline_are_by_the_clock_here() -> None:
    at = "2026-09-21T13:22:51.026Z"
    here = to_datetime(NOW).astimezone().strftime("%Y-%m-%d %H:%M")
    told = {"at": at, "actor": "engine", "type": "sla_started", "body": f"First response due {iso(NOW)}."}
    changed = {**told, "type": "updated", "body": None, "changes": {"sla_due_at": [None, iso(NOW)]}}
    comment = {**told, "type": "comment", "body": f"It says {at} and 2026-99-99T13:00:00Z"}
    lines = item_lines(item(1), [told, changed, comment], cells=90, now=NOW, glyphs=UNICODE)
    said = "\n".join("".join(text for text, _ in line) for line in lines)
    assert f"First response due {here}." in said
    assert f"sla_due_at: none → {here}" in said
    assert f"It says {at} and 2026-99-99T13:00:00Z" in said
