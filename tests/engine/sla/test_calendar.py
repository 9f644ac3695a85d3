"""Time that counts, beside a reference that looks at the wall clock every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, from_iso, iso
from quarterdeck.contract.models.sla import BusinessCalendar
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.sla.calendar import AllTime, Calendar, calendar_of

OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "end": "17:00"}
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# Half hours, changes at midnight, a change of half an hour, a day that was left out, and none of all this.
ZONES = (
    "Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia",
    "America/Sao_Paulo", "Asia/Kathmandu", "UTC",
)  # fmt: skip


def calendar(*windows: dict[str, Any], timezone: str = "Europe/Stockholm", **others: Any) -> Calendar:
    return Calendar(BusinessCalendar(timezone=timezone, windows=list(windows) or [OFFICE], **others))


def at(text: str, zone: str = "Europe/Stockholm") -> int:
    """By the clock on the wall."""
    return from_iso(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).isoformat())


def open_minutes(wanted: BusinessCalendar, start: int, end: int) -> list[int]:
    """Every minute that counts, found by looking at each."""
    zone = ZoneInfo(wanted.timezone)
    closed = {date.fromisoformat(each) for each in wanted.holidays}
    found = []
    for moment in range(start, end, MINUTE):
        local = datetime.fromtimestamp(moment // 1000, zone)
        minute = local.hour * 60 + local.minute
        for window in wanted.windows:
            opens, closes = (int(each[:2]) * 60 + int(each[3:]) for each in (window.start, window.end))
            open_today = local.weekday() in {day.number for day in window.days} and local.date() not in closed
            if open_today and opens <= minute < closes:
                found.append(moment)
    return found


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    edges = sorted(draw(st.sets(st.integers(0, 48), min_size=2, max_size=6)))
    windows = []
    for opens, closes in zip(edges[::2], edges[1::2], strict=False):
        days = draw(st.lists(st.sampled_from(EVERY_DAY), min_size=1, unique=True))
        windows.append(
            {
                "days": days,
                "start": f"{opens // 2:02}:{opens % 2 * 30:02}",
                "end": f"{closes // 2:02}:{closes % 2 * 30:02}",
            }
        )
    return BusinessCalendar(timezone=draw(st.sampled_from(ZONES)), windows=windows)


# Each zone above changes its clocks, or leaves a day out, within one of these.
MOMENTS = st.one_of(
    st.integers(from_iso("2026-03-06"), from_iso("2026-05-02")),
    st.integers(from_iso("2026-10-01"), from_iso("2026-11-05")),
    st.integers(from_iso("2011-12-25"), from_iso("2012-01-02")),
    st.integers(from_iso("2017-10-10"), from_iso("2018-02-20")),
).map(lambda moment: moment // MINUTE * MINUTE)


@settings(max_examples=100, deadline=None)
@given(calendars(), MOMENTS, st.integers(0, 6 * 24 * 60))
def test_what_counts_is_every_minute_in_a_window(wanted: BusinessCalendar, start: int, minutes: int) -> None:
    end = start + minutes * MINUTE
    assert Calendar(wanted).between(start, end) == len(open_minutes(wanted, start, end)) * MINUTE


@settings(max_examples=60, deadline=None)
@given(calendars(), MOMENTS, st.integers(1, 300))
def test_the_end_is_the_first_moment_at_which_enough_has_counted(
    wanted: BusinessCalendar, start: int, minutes: int
) -> None:
    counted = open_minutes(wanted, start, start + 5 * DAY)
    end = Calendar(wanted).add(start, minutes * MINUTE)
    if len(counted) >= minutes:
        assert iso(end) == iso(counted[minutes - 1] + MINUTE)
    else:
        assert end > start + 5 * DAY


@settings(max_examples=100, deadline=None)
@given(calendars(), MOMENTS, st.integers(0, 40 * HOUR), st.integers(0, 40 * HOUR))
def test_parts_add_up(wanted: BusinessCalendar, start: int, first: int, second: int) -> None:
    made = Calendar(wanted)
    middle = made.add(start, first)
    assert made.between(start, middle) == first
    assert made.add(middle, second) == made.add(start, first + second) or second == 0
    assert made.between(start, middle + second) == first + made.between(middle, middle + second)


def test_two_windows_a_day_with_a_break() -> None:
    made = calendar(
        {"days": ["mon", "tue"], "start": "08:00", "end": "12:00"},
        {"days": ["mon", "tue"], "start": "13:00", "end": "17:00"},
    )
    assert made.add(at("2026-11-23T11:30"), 60 * MINUTE) == at("2026-11-23T13:30")
    assert made.add(at("2026-11-23T16:30"), 60 * MINUTE) == at("2026-11-24T08:30")
    assert made.add(at("2026-11-24T16:30"), 60 * MINUTE) == at("2026-11-30T08:30")


def test_a_whole_day_loses_no_minute() -> None:
    made = calendar({"days": EVERY_DAY, "start": "00:00", "end": "24:00"})
    assert made.add(at("2026-11-23T12:00"), 72 * HOUR) == at("2026-11-26T12:00")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_the_hours_it_has(day: str, hours: int) -> None:
    made = calendar({"days": EVERY_DAY, "start": "00:00", "end": "24:00"})
    following = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    assert made.between(at(f"{day}T00:00"), at(f"{following}T00:00")) == hours * HOUR


def test_a_window_that_is_skipped_and_one_that_comes_twice() -> None:
    made = calendar({"days": ["sun"], "start": "02:00", "end": "03:00"})
    assert made.between(at("2026-03-29T00:00"), at("2026-03-30T00:00")) == 0
    assert made.between(at("2026-10-25T00:00"), at("2026-10-26T00:00")) == 2 * HOUR


def test_nothing_counts_on_holidays() -> None:
    swedish = calendar(OFFICE, country="SE", holidays=["2026-12-23"])
    assert swedish.add(at("2026-12-22T16:00"), 2 * HOUR) == at("2026-12-24T09:00")
    assert swedish.add(at("2026-12-24T16:00"), 2 * HOUR) == at("2026-12-28T09:00")  # the 25th is one, then a weekend
    assert calendar(OFFICE).add(at("2026-12-22T16:00"), 2 * HOUR) == at("2026-12-23T09:00")


def test_holidays_of_years_far_away_are_known() -> None:
    made = calendar(OFFICE, country="SE")
    assert made.between(at("2031-12-25T00:00"), at("2031-12-26T00:00")) == 0
    assert made.between(at("1999-12-27T00:00"), at("1999-12-28T00:00")) == 9 * HOUR


@pytest.mark.parametrize(
    ("wanted", "field", "words"),
    [
        ({"timezone": "Europe/Stokholm"}, "/timezone", "no time zone"),
        ({"timezone": "../../etc/passwd"}, "/timezone", "no time zone"),
        ({"country": "XX"}, "/country", "no country"),
        ({"country": "DE", "subdivision": "ZZ"}, "/subdivision", "no part of DE"),
        ({"subdivision": "BY"}, "/subdivision", "needs a country"),
        ({"holidays": ["2026-02-30"]}, "/holidays/0", "is no day"),
        ({"windows": [OFFICE, {**OFFICE, "start": "16:00", "end": "18:00"}]}, "/windows/1", "overlaps"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused(wanted: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Problem, match=words) as refused:
        Calendar(BusinessCalendar(**{"timezone": "UTC", "windows": [OFFICE], **wanted}))
    ((pointer, _),) = refused.value.errors
    assert pointer == f"/settings/calendar{field}"


def test_a_calendar_that_never_opens_is_refused_instead_of_searched_for_ever() -> None:
    first = date(datetime.now(UTC).year, 1, 1)
    mondays = [first + timedelta(days=n) for n in range(3 * 366) if (first + timedelta(days=n)).weekday() == 0]
    with pytest.raises(Problem, match="no time that counts"):
        calendar({**OFFICE, "days": ["mon"]}, holidays=[each.isoformat() for each in mondays])


def test_without_a_calendar_all_time_counts_and_one_calendar_is_made_once() -> None:
    assert isinstance(calendar_of(None), AllTime)
    assert calendar_of(None).add(5, 10) == 15
    one = BusinessCalendar(timezone="UTC", windows=[OFFICE])
    assert calendar_of(one) is calendar_of(one.model_copy())
