"""Days, weeks and months as the engine cuts time: in UTC, weeks from Monday. Pure; times are milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta

from quarterdeck.contract.clock import DAY, WEEK, to_datetime, to_ms
from quarterdeck.contract.enums import Period


def start_of(period: Period, moment: int) -> int:
    """Of the period that a moment lies in."""
    at = to_datetime(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.WEEK:
        at -= timedelta(days=at.weekday())
    elif period is Period.MONTH:
        at = at.replace(day=1)
    return to_ms(at)


def end_of(period: Period, start: int) -> int:
    if period is not Period.MONTH:
        return start + (DAY if period is Period.DAY else WEEK)
    at = to_datetime(start)
    return to_ms(datetime(at.year + at.month // 12, at.month % 12 + 1, 1))
