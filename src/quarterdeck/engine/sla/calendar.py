"""Time that counts: a calendar as intervals in UTC, summed up, so that each question is a search.

Made from the clock on the wall: where an hour is skipped or comes twice, what counts is every minute whose local
time lies in a window.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, to_ms
from quarterdeck.contract.models.sla import BusinessCalendar
from quarterdeck.contract.problems import Code, Problem

log = logging.getLogger(__name__)

# How many further years are looked at before a calendar counts as one that never opens again.
_YEARS_AHEAD = 40
_FIRST_YEAR, _LAST_YEAR = 1971, 9990


class AllTime:
    """Every moment counts."""

    def add(self, start: int, amount: int) -> int:
        return start + max(0, amount)

    def between(self, start: int, end: int) -> int:
        return max(0, end - start)


class Calendar:
    """Milliseconds in UTC throughout. Years are worked out when they are first asked for."""

    def __init__(self, calendar: BusinessCalendar) -> None:
        """Raises Problem(INVALID_INPUT) for a zone or country nobody knows, overlapping windows, and no time at all."""
        self._zone = _zone(calendar.timezone)
        self._windows = _by_weekday(calendar)
        self._calendar = calendar
        self._extra = frozenset(_date(each, number) for number, each in enumerate(calendar.holidays))
        _check_country(calendar)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sums: list[int] = []  # what counted before each interval
        self._years: range = range(0)
        this_year = datetime.now(UTC).year
        self._reach(this_year, this_year + 1)
        if not self._starts:
            raise _refuse("", "leaves no time that counts; give it a window on a day that is no holiday")

    def add(self, start: int, amount: int) -> int:
        """The first moment at which `amount` has counted since `start`; `start` itself for 0."""
        if amount <= 0:
            return start
        self._reach(_year(start), _year(start + amount))
        while True:
            wanted = self._counted(start) + amount
            at = bisect_right(self._sums, wanted - 1) - 1
            if at >= 0 and wanted <= self._sums[at] + self._ends[at] - self._starts[at]:
                return self._starts[at] + wanted - self._sums[at]
            known = len(self._starts)
            last = self._years[-1]
            self._reach(last, last + max(2, len(self._years)))
            if last >= _LAST_YEAR - 2 or (len(self._starts) == known and last > _year(start) + _YEARS_AHEAD):
                raise _refuse("", f"has no time that counts after {last}")

    def between(self, start: int, end: int) -> int:
        """How much counts from `start` to `end`; 0 where they are not in this order."""
        if end <= start:
            return 0
        self._reach(_year(start), _year(end))
        return self._counted(end) - self._counted(start)

    def _counted(self, moment: int) -> int:
        at = bisect_right(self._starts, moment) - 1
        if at < 0:
            return 0
        return self._sums[at] + min(moment, self._ends[at]) - self._starts[at]

    def _reach(self, first: int, last: int) -> None:
        first, last = max(first, _FIRST_YEAR), min(last + 1, _LAST_YEAR)
        if self._years and first >= self._years[0] and last <= self._years[-1]:
            return
        if self._years:
            first, last = min(first, self._years[0]), max(last, self._years[-1])
        intervals = list(_joined(self._intervals(first, last)))
        self._starts = [start for start, _ in intervals]
        self._ends = [end for _, end in intervals]
        self._sums = []
        counted = 0
        for start, end in intervals:
            self._sums.append(counted)
            counted += end - start
        self._years = range(first, last + 1)

    def _intervals(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """In UTC and in order, of the local days of these years."""
        closed = self._holidays(first, last)
        day, end = date(first, 1, 1), date(last, 12, 31)
        while day <= end:
            windows = self._windows[day.weekday()]
            if windows and day not in closed:
                yield from self._on(day, windows)
            day += timedelta(days=1)

    def _on(self, day: date, windows: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        midnight = to_ms(datetime(day.year, day.month, day.day))  # as if the wall showed UTC
        # Offsets reach from -12 to +14 hours; two hours around hold every change that touches the day.
        pieces = list(_offsets(self._zone, midnight - 16 * HOUR, midnight + DAY + 14 * HOUR))
        found = [
            (max(midnight + opens - offset, since), min(midnight + closes - offset, until))
            for opens, closes in windows
            for since, until, offset in pieces
        ]
        yield from sorted((start, end) for start, end in found if start < end)

    def _holidays(self, first: int, last: int) -> frozenset[date]:
        country = self._calendar.country
        if country is None:
            return self._extra
        import holidays  # 60 ms, and few policies know a country

        public = holidays.country_holidays(
            country, subdiv=self._calendar.subdivision, years=range(first, last + 1), language="en_US"
        )
        return self._extra | frozenset(public)


AnyCalendar = AllTime | Calendar


def _offsets(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(from, until, offset) of `zone` between two moments."""
    since, offset = start, _offset(zone, start)
    at = start
    while at < end:
        following = min(at + 6 * HOUR, end)
        then = _offset(zone, following)
        if then != offset:
            low, high = at, following
            while high - low > 1_000:  # changes happen at whole seconds
                middle = (low + high) // 2 // 1_000 * 1_000
                if middle == low:
                    break
                low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
            yield since, high, offset
            since, offset = high, then
        at = following
    yield since, end, offset


@lru_cache(maxsize=50_000)
def _offset(zone: ZoneInfo, moment: int) -> int:
    shown = datetime.fromtimestamp(moment // 1_000, zone).utcoffset()
    assert shown is not None
    return int(shown.total_seconds() * 1_000)


def _joined(intervals: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that touch become one."""
    last: tuple[int, int] | None = None
    for start, end in intervals:
        if last is not None and start <= last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last


def _by_weekday(calendar: BusinessCalendar) -> list[list[tuple[int, int]]]:
    days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for number, window in enumerate(calendar.windows):
        opens, closes = _minutes(window.start) * MINUTE, _minutes(window.end) * MINUTE
        for day in window.days:
            if any(opens < until and since < closes for since, until in days[day.number]):
                raise _refuse(f"/windows/{number}", f"overlaps another window on {day}; join the two")
            days[day.number].append((opens, closes))
    return [sorted(each) for each in days]


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refuse("/timezone", f"{name} is no time zone; use a name such as Europe/Stockholm or UTC") from None


def _date(text: str, number: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refuse(f"/holidays/{number}", f"{text} is no day; write it as 2026-12-24") from None


def _check_country(calendar: BusinessCalendar) -> None:
    if calendar.country is None:
        if calendar.subdivision is not None:
            raise _refuse("/subdivision", "needs a country beside it")
        return
    import holidays

    known = holidays.list_supported_countries(include_aliases=True)
    if calendar.country not in known:
        raise _refuse("/country", f"{calendar.country} is no country whose holidays are known; use a code such as SE")
    parts = known[calendar.country]
    if calendar.subdivision is not None and calendar.subdivision not in parts:
        some = ", ".join(list(parts)[:8]) or "none"
        raise _refuse("/subdivision", f"{calendar.subdivision} is no part of {calendar.country}; known are {some}")


def _refuse(pointer: str, sentence: str) -> Problem:
    pointer = f"/settings/calendar{pointer}"
    where = pointer.removeprefix("/settings/").replace("/", ".")
    return Problem(Code.INVALID_INPUT, f"{where} {sentence}.", errors=((pointer, sentence),))


def _year(moment: int) -> int:
    return min(max(datetime.fromtimestamp(moment / 1_000, UTC).year, _FIRST_YEAR), _LAST_YEAR)


@lru_cache(maxsize=200)
def _compiled(text: str) -> Calendar:
    return Calendar(BusinessCalendar.model_validate_json(text))


def calendar_of(calendar: BusinessCalendar | None) -> AnyCalendar:
    """The same calendar is worked out once. Raises Problem(INVALID_INPUT) as `Calendar` does."""
    return AllTime() if calendar is None else _compiled(calendar.model_dump_json())


def kept_calendar(calendar: BusinessCalendar | None) -> AnyCalendar:
    """One that was good when it was made. Where the host knows its zone or country no more, it goes on as well as that
    can be, since items and clocks of everybody wait for it: its hours by UTC, and without public holidays."""
    try:
        return calendar_of(calendar)
    except Problem as problem:
        assert calendar is not None
        return _without(calendar.model_dump_json(), problem.detail)


@lru_cache(maxsize=200)
def _without(text: str, why: str) -> AnyCalendar:
    log.error("A policy's calendar cannot be kept; until that is mended its hours count by UTC: %s", why)
    calendar = BusinessCalendar.model_validate_json(text)
    try:
        return calendar_of(calendar.model_copy(update={"timezone": "UTC", "country": None, "subdivision": None}))
    except Problem:
        return AllTime()
