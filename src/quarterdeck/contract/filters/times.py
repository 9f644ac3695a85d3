"""Dates, ages and times to come, as the grammar writes them."""

from __future__ import annotations

import re
from datetime import date

from quarterdeck.contract.clock import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, WEEK, from_iso, iso
from quarterdeck.contract.filters.ast import Between, Compare, Condition, Equals, FilterError, Instant
from quarterdeck.contract.filters.keys import Key, KeyKind

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_DURATION = re.compile(r"([0-9]{1,6})([smhdwSMHDW])")
_OPERATOR = re.compile(r"<=|>=|<|>")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def time_condition(key: Key, text: str, column: int) -> Condition:
    """One value of a time key. Raises FilterError."""
    if text.lower() in key.choices:
        return Equals(text.lower())
    if ".." in text:
        first, _, last = text.partition("..")
        width = len(first) + 2
        start, end = _instant(key, first, column), _instant(key, last, column + width)
        if start.offset is not None and end.offset is not None and start.offset > end.offset:
            start, end = end, start
        elif start.at is not None and end.at is not None and start.at > end.at:
            raise FilterError(f"'{text}' ends before it begins.", column, ("2026-01-01..2026-01-31",))
        if end.at is not None and _is_day(last):
            end = Instant(last, at=min(end.at + DAY, LATEST))
        return Between(start, end, text)
    match = _OPERATOR.match(text)
    operator, rest = (match.group(), text[match.end() :]) if match else ("", text)
    instant = _instant(key, rest, column + len(operator))
    if instant.at is not None:
        if _is_day(rest):
            day_end = Instant(rest, at=min(instant.at + DAY, LATEST))
            if not operator:
                return Between(instant, day_end, text)
            if operator in (">", "<="):  # after, or up to, the whole day
                return Compare(">=" if operator == ">" else "<", day_end, text)
        if not operator:
            return Between(instant, _later(instant, SECOND), text)
        return Compare(operator, instant, text)
    # A bare duration reads as "within"; an age counts backwards: younger than two hours is later than
    # two hours ago.
    operator = operator or "<"
    return Compare(_FLIPPED[operator] if key.kind is KeyKind.PAST else operator, instant, text)


def _is_day(text: str) -> bool:
    """Whether a text that is known to be a date or a time is a date without a time."""
    try:
        date.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _later(instant: Instant, by: int) -> Instant:
    at = min((instant.at or 0) + by, LATEST)
    return Instant(iso(at), at=at)


def _instant(key: Key, text: str, column: int) -> Instant:
    duration = _DURATION.fullmatch(text)
    if duration:
        length = int(duration.group(1)) * _UNITS[duration.group(2).lower()]
        return Instant(text, offset=-length if key.kind is KeyKind.PAST else length)
    try:
        at = from_iso(text.upper())
    except (ValueError, OverflowError):
        at = None
    if at is None or not EARLIEST <= at <= LATEST:
        raise FilterError(
            f"'{text}' is no date and no duration." if text else f"'{key.name}:' needs a date or a duration.",
            column,
            (*key.choices, "2026-01-31", "2026-01-31T08:00Z", "30m", "2h", "7d"),
        )
    return Instant(text, at=at)
