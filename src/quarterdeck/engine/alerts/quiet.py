"""Hours in which nothing is sent, by a clock on a wall somewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quarterdeck.contract.clock import to_datetime, to_ms
from quarterdeck.contract.models.alert_rules import QuietHours

_WEEK, _DAY = 7 * 1_440, 1_440  # minutes


class Quiet:
    """Minutes of the week in which it is quiet, on the wall of its time zone."""

    def __init__(self, hours: QuietHours) -> None:
        """Raises ValueError with a sentence for a zone nobody knows, and for hours that never end."""
        try:
            self._zone = ZoneInfo(hours.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone: {hours.timezone!r} is no time zone such as Europe/Stockholm") from None
        quiet = bytearray(_WEEK)
        for window in hours.windows:
            start, end = _minute(window.start), _minute(window.end)
            length = end - start if end > start else end - start + _DAY
            for day in window.days:
                for minute in range(length):
                    quiet[(day.number * _DAY + start + minute) % _WEEK] = 1
        if all(quiet):
            raise ValueError("windows: it would be quiet all week; leave some time in which alerts are sent")
        self._quiet = bytes(quiet)

    def covers(self, moment: int) -> bool:
        wall = to_datetime(moment).astimezone(self._zone)
        return bool(self._quiet[wall.weekday() * _DAY + wall.hour * 60 + wall.minute])

    def end(self, moment: int) -> int:
        """The first moment from `moment` on in which it is not quiet (ms)."""
        if not self.covers(moment):
            return moment
        at = to_datetime(moment).replace(second=0, microsecond=0)
        # By the minute, because where clocks change neither wall nor day has its usual length. A week has an end.
        for _ in range(2 * _WEEK):
            at += timedelta(minutes=1)
            if not self.covers(to_ms(at)):
                return to_ms(at)
        return to_ms(datetime.max.replace(tzinfo=UTC)) // 1_000 * 1_000  # not reached: some minute is not quiet


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


@lru_cache(maxsize=1_000)
def _cached(text: str) -> Quiet:
    return Quiet(QuietHours.model_validate_json(text))


def quiet_of(hours: QuietHours | None) -> Quiet | None:
    return None if hours is None else _cached(hours.model_dump_json())


def quiet_or_none(hours: QuietHours | None) -> Quiet | None:
    """As `quiet_of`; none where they cannot be read any more: better at night than never."""
    try:
        return quiet_of(hours)
    except ValueError:
        return None


def fault_of(hours: QuietHours | None) -> str | None:
    """Why they are not kept, for people."""
    try:
        quiet_of(hours)
    except ValueError as error:
        return f"Its quiet hours cannot be kept ({error}); it is told at any time until that is mended."
    return None
