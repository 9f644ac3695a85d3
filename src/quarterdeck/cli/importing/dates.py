"""Dates as other systems write them, to UTC ISO 8601."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from quarterdeck.contract.clock import iso, to_ms


def date_parser(formats: Sequence[str], timezone: str) -> Callable[[str], str]:
    """A function from text to `2026-01-31T08:00:00Z`.

    `formats` are tried in order: `iso`, `unix` (seconds), `unix_ms`, or a strptime pattern. A time without
    an offset is in `timezone`; where a clock change makes it ambiguous, the earlier one is meant. The function
    raises ValueError with a reason.
    """
    zone = ZoneInfo(timezone)
    readers = [_reader(each) for each in formats]
    expected = " or ".join(formats)

    @lru_cache(maxsize=1_024)  # one row often says the same time more than once
    def parse(text: str) -> str:
        for read in readers:
            try:
                moment = read(text)
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=zone)
                return iso(to_ms(moment.astimezone(UTC)))
            except (ValueError, OverflowError, OSError):
                continue
        raise ValueError(f"is no date in the format {expected}")

    return parse


def _reader(form: str) -> Callable[[str], datetime]:
    if form == "iso":
        return datetime.fromisoformat
    if form == "unix":
        return lambda text: datetime.fromtimestamp(float(text), UTC)
    if form == "unix_ms":
        return lambda text: datetime.fromtimestamp(float(text) / 1000, UTC)
    return lambda text: datetime.strptime(text, form)
