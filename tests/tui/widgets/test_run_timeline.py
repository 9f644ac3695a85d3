"""Attempts on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.clock import HOUR, SECOND
from quarterdeck.tui.glyphs import ASCII, UNICODE
from quarterdeck.tui.spans import width
from quarterdeck.tui.widgets.run_timeline import timeline_lines, took, with_the_one_at_work
from tests.tui.fake_client import NOW
from tests.tui.fake_runs import attempt, five_attempts, run


def words(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def test_each_attempt_is_a_bar_at_its_time() -> None:
    lines = words(timeline_lines(five_attempts(NOW - HOUR), now=NOW, cells=80, glyphs=UNICODE))
    bars = [line for line in lines if "█" in line]
    assert len(bars) == 5
    starts = [line.index("█") for line in bars]
    assert starts == sorted(starts)
    assert bars[2].count("█") == max(line.count("█") for line in bars)  # 30 of 53 seconds
    assert "! lost" in bars[2]
    assert lines[-1].split() == ["13:13:20", "13:14:12"]


def test_the_same_error_again_is_said_once() -> None:
    lines = words(timeline_lines(five_attempts(NOW - HOUR), now=NOW, cells=80, glyphs=UNICODE))
    assert sum("503 rate_limit" in line for line in lines) == 1


def test_without_room_the_words_say_all() -> None:
    for cells in range(20, 120, 7):
        for line in timeline_lines(five_attempts(NOW - HOUR), now=NOW, cells=cells, glyphs=ASCII):
            assert width(line) <= cells


def test_one_at_work_lasts_until_now() -> None:
    row = run(2)
    shown = with_the_one_at_work([], row)
    assert [each["number"] for each in shown] == [1]
    assert any("◐ at work" in line and "1m 35s" in line for line in words(_lines(shown)))
    assert with_the_one_at_work([attempt(1, NOW - SECOND, 10)], row)[0]["outcome"] == "failed"


def test_a_clock_that_went_backwards_breaks_nothing() -> None:
    assert words(_lines([attempt(1, NOW, -5 * SECOND)]))[0].count("█") >= 1
    assert words(_lines([])) == ["no attempt yet"]


def test_short_and_long() -> None:
    assert [took(each) for each in (0, 840, 1_240, 45_000, 200_000)] == ["0 ms", "840 ms", "1.2 s", "45s", "3m 20s"]


def _lines(attempts: Sequence[Mapping[str, Any]]) -> list[list[tuple[str, str]]]:
    return timeline_lines(attempts, now=NOW, cells=80, glyphs=UNICODE)
