"""When a bulk operation is to start, as people write it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from quarterdeck.contract.clock import LATEST, to_datetime, to_ms
from quarterdeck.contract.filters import FilterError, parse
from quarterdeck.contract.filters.ast import Compare
from quarterdeck.tui.forms import Field

START = Field("start", "Start", "now; or 22:00, tomorrow 06:00, in 2h, 2026-01-31 08:00", False, True)
_CLOCK = re.compile(r"(?:(today|tomorrow) +)?([0-9]{1,2}):([0-9]{2})")
_LENGTH = re.compile(r"(?:in +)?([0-9]+[smhdw])")


class StartError(ValueError):
    """One sentence: what was written is no time to start at, and what would be."""


def start_of(text: str, now: int) -> int | None:
    """Milliseconds since 1970; None for at once. A time of day is this machine's, and the next one of that kind.

    Lengths are those of the filter grammar (30m, 2h, 7d). Raises StartError.
    """
    words = " ".join(text.lower().split())
    if words in ("", "now"):
        return None
    here = to_datetime(now).astimezone()
    if length := _LENGTH.fullmatch(words):
        return _checked(now + _offset(length.group(1)), text, now)
    if clock := _CLOCK.fullmatch(words):
        day, hour, minute = clock.group(1), int(clock.group(2)), int(clock.group(3))
        if hour < 24 and minute < 60:
            at = here.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
            if day == "tomorrow" or (day is None and at.astimezone() <= here):
                at += timedelta(days=1)
            return _checked(to_ms(at.astimezone()), text, now)
    try:
        written = datetime.fromisoformat(words.upper())
        return _checked(to_ms(written.astimezone() if written.tzinfo is None else written), text, now)
    except (ValueError, OverflowError) as error:
        if isinstance(error, StartError):
            raise
        raise StartError(
            f"'{text.strip()}' is no time to start at. Try 22:00, tomorrow 06:00, in 2h, or now."
        ) from None


def when(at: int) -> str:
    """A start in this machine's time, with its zone: that is what one writes it in."""
    return to_datetime(at).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _offset(length: str) -> int:
    """What the grammar makes of it, so that both read the same."""
    try:
        condition = parse(f"due:<{length}").terms[0].conditions[0]
    except FilterError:
        condition = None
    if not isinstance(condition, Compare) or condition.instant.offset is None:
        raise StartError(f"'{length}' is too long to wait for. Try 30m, 2h or 7d.")
    return condition.instant.offset


def _checked(at: int, text: str, now: int) -> int:
    if at <= now:
        raise StartError(f"{text.strip()} is over. Try 22:00, tomorrow 06:00, in 2h, or now.")
    if at > LATEST:
        raise StartError(f"'{text.strip()}' is too far away.")
    return at
