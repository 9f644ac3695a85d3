"""The day, week or month that usage is shown of, as the engine cuts them: in UTC, weeks from Monday. Pure."""

from __future__ import annotations

from typing import NamedTuple

from quarterdeck.contract.clock import DAY, HOUR, to_datetime
from quarterdeck.contract.enums import Period, UsageStep
from quarterdeck.tui.periods import end_of, start_of

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOW = {Period.DAY: "today", Period.WEEK: "this week", Period.MONTH: "this month"}
_LAST = {Period.DAY: "yesterday", Period.WEEK: "last week", Period.MONTH: "last month"}


class Time(NamedTuple):
    """From `start` until `end`, milliseconds; `before`: where the period before it begins.

    `back` periods before the one we are in.
    """

    period: Period
    start: int
    end: int
    before: int
    back: int = 0

    @property
    def step(self) -> UsageStep:
        """How finely it is shown."""
        return UsageStep.HOUR if self.period is Period.DAY else UsageStep.DAY

    @property
    def length(self) -> int:
        """Of a step, in milliseconds."""
        return HOUR if self.period is Period.DAY else DAY

    @property
    def said(self) -> str:
        if self.back <= 1:
            return (_LAST if self.back else _NOW)[self.period]
        at = to_datetime(self.start)
        if self.period is Period.MONTH:
            return f"{_MONTHS[at.month - 1]} {at.year}"
        return day_of(self.start) if self.period is Period.DAY else f"{self.back} weeks ago"

    @property
    def dates(self) -> str:
        """Where `said` does not say it: `Sep 2026`, `14 to 20 Sep`, `Mon 21 Sep`."""
        if self.back > 1 and self.period is not Period.WEEK:
            return ""
        start, last = to_datetime(self.start), to_datetime(self.end - 1)
        if self.period is Period.MONTH:
            return f"{_MONTHS[start.month - 1]} {start.year}"
        if self.period is Period.DAY:
            return day_of(self.start)
        first = str(start.day) if start.month == last.month else f"{start.day} {_MONTHS[start.month - 1]}"
        return f"{first} to {last.day} {_MONTHS[last.month - 1]}"

    @property
    def said_before(self) -> str:
        return self._replace(back=self.back + 1, start=self.before).said

    @property
    def name(self) -> str:
        """For a file: `2026-11`, `2026-11-22`, `week-2026-11-16`."""
        date = to_datetime(self.start).date().isoformat()
        return date[:7] if self.period is Period.MONTH else f"week-{date}" if self.period is Period.WEEK else date


def time_of(period: Period, now: int, back: int = 0) -> Time:
    start = start_of(period, now)
    for _ in range(back):
        start = start_of(period, start - 1)
    return Time(period, start, end_of(period, start), start_of(period, start - 1), back)


def day_of(moment: int) -> str:
    """`Sun 22 Nov`."""
    at = to_datetime(moment)
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}"


def step_of(moment: int, step: UsageStep) -> str:
    """`Sun 22 Nov`, `Sun 22 Nov 14:00`."""
    return f"{day_of(moment)} {to_datetime(moment):%H:%M}" if step is UsageStep.HOUR else day_of(moment)
