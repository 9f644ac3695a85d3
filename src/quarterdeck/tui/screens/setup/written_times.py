"""Moments to come, as people write them: `2h`, `22:00`, `tomorrow 06:00`, `2026-01-31 08:00`."""

from __future__ import annotations

from quarterdeck.contract.clock import iso
from quarterdeck.tui.screens.setup.written import Written
from quarterdeck.tui.starting import StartError, start_of


def times_after(now: int) -> Written:
    """A time of day is this machine's, and the next one of that kind; `now` is no time, and counts as none."""

    def read(text: str) -> str | None:
        try:
            at = start_of(text, now)
        except StartError:
            raise ValueError("is no time to come, such as 2h, 22:00, tomorrow 06:00 or 2026-01-31 08:00") from None
        return None if at is None else iso(at)

    return Written(read, str)
