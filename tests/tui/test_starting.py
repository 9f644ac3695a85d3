"""When it is to start, in the words people use."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, from_iso
from quarterdeck.tui.starting import StartError, start_of, when

NOW = from_iso("2026-05-04T18:30:00Z")


@pytest.fixture(autouse=True)
def _somewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two hours ahead of Greenwich: half past eight in the evening."""
    monkeypatch.setenv("TZ", "Somewhere-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("22:00", "2026-05-04T20:00Z"),
        ("20:30", "2026-05-05T18:30Z"),
        ("06:00", "2026-05-05T04:00Z"),
        ("tomorrow 06:00", "2026-05-05T04:00Z"),
        ("  Tomorrow   22:15 ", "2026-05-05T20:15Z"),
        ("today 23:59", "2026-05-04T21:59Z"),
        ("2026-06-01 08:00", "2026-06-01T06:00Z"),
        ("2026-06-01T08:00Z", "2026-06-01T08:00Z"),
    ],
)
def test_a_time_of_day_is_that_of_this_machine(text: str, at: str) -> None:
    assert start_of(text, NOW) == from_iso(at)


@pytest.mark.parametrize(("text", "length"), [("in 2h", 2 * HOUR), ("30m", 30 * MINUTE), ("IN 7D", 7 * DAY)])
def test_a_length_is_that_of_the_filters(text: str, length: int) -> None:
    assert start_of(text, NOW) == NOW + length


@pytest.mark.parametrize("text", ["", "now", " "])
def test_nothing_is_now(text: str) -> None:
    assert start_of(text, NOW) is None


@pytest.mark.parametrize("text", ["later", "25:00", "in 2 fortnights", "22", "99999999h", "0001-01-01", "10000-01-01"])
def test_what_is_no_time_says_what_is(text: str) -> None:
    with pytest.raises(StartError, match="Try"):
        start_of(text, NOW)


@pytest.mark.parametrize("text", ["today 08:00", "2026-01-01 08:00"])
def test_what_is_over_is_not_started(text: str) -> None:
    with pytest.raises(StartError, match="is over"):
        start_of(text, NOW)


def test_it_is_said_in_the_time_it_was_written_in() -> None:
    assert when(from_iso("2026-05-04T20:00Z")).startswith("2026-05-04 22:00")
