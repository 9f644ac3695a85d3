"""The pure parts: what becomes of one alert, when a group speaks, and when it is quiet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.contract.clock import HOUR, MINUTE, SECOND, from_iso, to_ms
from quarterdeck.contract.enums import AlertState
from quarterdeck.contract.models.alert_rules import Matcher, QuietHours
from quarterdeck.engine.alerts.grouping import Group, Kind, says, speaks_again
from quarterdeck.engine.alerts.matching import filled, fingerprint, matches
from quarterdeck.engine.alerts.quiet import Quiet
from quarterdeck.engine.alerts.states import NOTHING, Standing, advance, is_worse

INACTIVE, PENDING, FIRING, RESOLVED = AlertState
T = from_iso("2026-11-23T09:00:00Z")
LOOKS = st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=40)  # (holds, seconds since the last look)


@given(LOOKS, st.integers(0, 600))
def test_an_alert_fires_when_its_condition_has_held_for_long_enough(looks: list[tuple[bool, int]], wait: int) -> None:
    """Beside a plain loop that keeps only since when the condition has held at every look."""
    standing, now, since, fired = NOTHING, T, None, False
    for holds, seconds in looks:
        now += seconds * SECOND
        standing = advance(standing, holds, now, wait * SECOND)
        since = (since if since is not None else now) if holds else None
        expected = since is not None and now - since >= wait * SECOND
        assert (standing.state is FIRING) == expected
        assert (standing.state is PENDING) == (holds and not expected)
        fired = (fired or expected) if holds or standing.state is RESOLVED else False
        if standing.state is RESOLVED:
            assert standing.resolved_at is not None
            assert standing.starts_at is not None
            assert standing.resolved_at >= standing.starts_at


@given(LOOKS, st.integers(0, 600))
def test_looking_again_at_the_same_moment_changes_nothing(looks: list[tuple[bool, int]], wait: int) -> None:
    standing, now = NOTHING, T
    for holds, seconds in looks:
        now += seconds * SECOND
        standing = advance(standing, holds, now, wait * SECOND)
        assert advance(standing, holds, now, wait * SECOND) == standing


@given(st.lists(st.tuples(st.booleans(), st.integers(-7_200, 7_200)), max_size=40))
def test_a_clock_that_jumps_leaves_times_in_order(looks: list[tuple[bool, int]]) -> None:
    standing, now = NOTHING, T
    for holds, seconds in looks:
        now += seconds * SECOND
        standing = advance(standing, holds, now, MINUTE)
        if standing.state is PENDING:
            assert standing.since is not None
            assert standing.since <= now
        if standing.state is RESOLVED:
            assert standing.resolved_at is not None
            assert standing.starts_at is not None
            assert standing.starts_at <= standing.resolved_at


def test_what_somebody_resolved_stays_so_until_it_has_ended_or_its_time_is_over() -> None:
    held = Standing(RESOLVED, T, T, T + 1, held_until=T + HOUR)
    assert advance(held, True, T + MINUTE, 0) is held
    assert advance(held, True, T + HOUR, 0) == Standing(FIRING, T + HOUR, T + HOUR)
    ended = advance(held, False, T + MINUTE, 0)
    assert (ended.state, ended.is_open) == (RESOLVED, False)


@pytest.mark.parametrize(
    ("value", "then", "falls", "expected"),
    [(121, 100, False, True), (120, 100, False, False), (79, 100, True, True), (80, 100, True, False),
     (None, 1, False, False), (1, None, False, False), (1, 0, False, True)],
)  # fmt: skip
def test_worse_is_further_into_the_bad(value: Any, then: Any, falls: bool, expected: bool) -> None:
    assert is_worse(value, then, 20, falls=falls) is expected


# ----- groups

REPEAT = 4 * HOUR


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (Group(), None),
        (Group(fresh=1, active=1, firing=1), Kind.TRIGGER),
        (Group(active=1, firing=1, sent_at=T, sent_kind=Kind.TRIGGER), None),
        (Group(active=1, firing=1, sent_at=T - REPEAT, sent_kind=Kind.TRIGGER), Kind.TRIGGER),
        (Group(active=1, firing=1, ended=1, sent_at=T, sent_kind=Kind.TRIGGER), Kind.TRIGGER),
        (Group(ended=2, sent_at=T, sent_kind=Kind.TRIGGER), Kind.RESOLVE),
        (Group(ended=2, firing=5, sent_at=T, sent_kind=Kind.TRIGGER), Kind.RESOLVE),  # the others are silenced
        (Group(acknowledged=1, firing=1, sent_at=T, sent_kind=Kind.TRIGGER), Kind.ACKNOWLEDGE),
        (Group(acknowledged=1, firing=1, sent_at=T - REPEAT, sent_kind=Kind.ACKNOWLEDGE), None),
        (Group(fresh=1, active=1, acknowledged=1, firing=2, sent_at=T, sent_kind=Kind.ACKNOWLEDGE), Kind.TRIGGER),
        (Group(firing=3), None),
        (Group(passed=1), None),  # it came and went, and nobody had heard of it
        (Group(active=1, firing=1, passed=1, sent_at=T, sent_kind=Kind.TRIGGER), Kind.TRIGGER),
        (Group(passed=1, firing=1, sent_at=T, sent_kind=Kind.TRIGGER), None),
    ],
)
def test_what_a_group_says(group: Group, expected: Kind | None) -> None:
    assert says(group, T, REPEAT) is expected


def test_a_group_is_asleep_when_nothing_of_it_fires_any_more() -> None:
    assert speaks_again(Group(ended=1), Kind.RESOLVE, T, T, 300) is None
    assert speaks_again(Group(firing=1), None, T, T, 300) == T + 300
    assert speaks_again(Group(ended=1), None, T, T, 300) == T + 300


def test_a_look_that_comes_late_does_not_move_the_next_one_unless_it_is_very_late() -> None:
    fires = Group(firing=1)
    assert speaks_again(fires, None, T, T + 800, MINUTE) == T + MINUTE
    assert speaks_again(fires, None, T, T + HOUR, MINUTE) == T + HOUR + 59 * SECOND


# ----- quiet hours

NIGHT: dict[str, Any] = {
    "timezone": "Europe/Stockholm",
    "windows": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "22:00", "end": "07:00"}],
}


def plainly(hours: QuietHours, moment: int) -> bool:
    """Read off the wall."""
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).astimezone(ZoneInfo(hours.timezone))
    minute = wall.hour * 60 + wall.minute
    for window in hours.windows:
        start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (window.start, window.end))
        today, before = (any(day.number == (wall.weekday() - back) % 7 for day in window.days) for back in (0, 1))
        if end > start:
            if today and start <= minute < end:
                return True
        elif (today and minute >= start) or (before and minute < end):
            return True
    return False


CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
WINDOWS = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat"]), min_size=1, max_size=3),
            "start": CLOCK,
            "end": CLOCK,
        }
    ),
    min_size=1,
    max_size=3,
)


@given(
    WINDOWS,
    st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.integers(0, 60 * 24 * 400),
)
def test_quiet_hours_are_what_the_wall_shows(windows: list[Any], zone: str, minute: int) -> None:
    hours = QuietHours.model_validate({"timezone": zone, "windows": windows})
    quiet, moment = Quiet(hours), T + minute * MINUTE + 30 * SECOND
    assert quiet.covers(moment) == plainly(hours, moment)
    end = quiet.end(moment)
    assert not plainly(hours, end)
    if quiet.covers(moment):
        assert plainly(hours, end - MINUTE)
        assert end > moment
    else:
        assert end == moment


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-23T23:30:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-03-29T01:30:00+01:00", "2026-03-29T07:00:00+02:00"),  # an hour is skipped
        ("2026-10-25T01:30:00+02:00", "2026-10-25T07:00:00+01:00"),  # an hour comes twice
    ],
)
def test_a_night_ends_by_the_clock_on_the_wall(at: str, end: str) -> None:
    quiet = Quiet(QuietHours.model_validate(NIGHT))
    assert quiet.end(from_iso(at)) == from_iso(end)
    assert quiet.end(to_ms(datetime.fromisoformat(end))) == from_iso(end)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ({**NIGHT, "timezone": "Mars/Olympus"}, "is no time zone"),
        ({**NIGHT, "windows": [{**NIGHT["windows"][0], "start": "00:00", "end": "24:00"}]}, "quiet all week"),
        ({**NIGHT, "windows": [{**NIGHT["windows"][0], "start": "09:00", "end": "09:00"}]}, "quiet all week"),
    ],
)
def test_quiet_hours_that_cannot_be_are_refused(hours: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Quiet(QuietHours.model_validate(hours))


# ----- labels


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,5}", fullmatch=True), st.text(max_size=5), max_size=5), st.randoms())
def test_a_fingerprint_is_of_labels_in_any_order_without_empty_ones(labels: dict[str, str], random: Any) -> None:
    shuffled = list(labels.items())
    random.shuffle(shuffled)
    assert fingerprint(dict(shuffled), "acme") == fingerprint({**labels, "nothing": ""}, "acme")
    assert fingerprint(labels, "acme") != fingerprint(labels, None)
    assert len(fingerprint(labels, None)) == 16


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ({"name": "a", "value": "x"}, True),
        ({"name": "a", "value": "y"}, False),
        ({"name": "a", "value": "y", "is_equal": False}, True),
        ({"name": "b", "value": ""}, True),
        ({"name": "a", "value": "x|y", "is_regex": True}, True),
        ({"name": "a", "value": "x.", "is_regex": True}, False),
        ({"name": "a", "value": ".*", "is_regex": True, "is_equal": False}, False),
    ],
)
def test_matchers_compare_as_those_of_alertmanager_do(matcher: dict[str, Any], expected: bool) -> None:
    assert matches([Matcher.model_validate(matcher)], {"a": "x"}) is expected


@pytest.mark.parametrize("value", ["(", r"(a)\1", "(?=a)", "a{1001}"])
def test_an_expression_that_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        Matcher(name="a", value=value, is_regex=True)


def test_annotations_are_filled_in_and_nothing_more() -> None:
    labels = {"queue": "<b>{value}</b>"}
    assert filled({"summary": "{queue} {value} {x} {0}"}, labels, "7") == {"summary": "<b>{value}</b> 7 {x} {0}"}
