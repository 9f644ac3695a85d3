"""Times: milliseconds since 1970 in UTC inside, ISO 8601 with `Z` outside."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
# The years 1 to 9999: what a calendar date can say.
EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def to_datetime(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def to_ms(moment: datetime) -> int:
    """Milliseconds of a datetime; one without a zone counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def iso(milliseconds: int) -> str:
    """`2026-01-31T08:00:00Z`, with milliseconds only where there are any."""
    text = to_datetime(milliseconds).isoformat(timespec="milliseconds" if milliseconds % 1000 else "seconds")
    return text.replace("+00:00", "Z")


def from_iso(text: str) -> int:
    """Raises ValueError where the text is no ISO 8601 date or time."""
    return to_ms(datetime.fromisoformat(text))
