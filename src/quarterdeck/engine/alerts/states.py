"""What becomes of one alert when its rule is looked at. Pure: the same facts always give the same."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.contract.enums import AlertState

INACTIVE, PENDING, FIRING, RESOLVED = AlertState


@dataclass(frozen=True, slots=True)
class Standing:
    """`since` is when the condition began to hold, `held_until` keeps what somebody resolved from coming back (ms)."""

    state: AlertState = INACTIVE
    since: int | None = None
    starts_at: int | None = None
    resolved_at: int | None = None
    held_until: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state in (PENDING, FIRING) or self.held_until is not None


NOTHING = Standing()


def advance(before: Standing, holds: bool, now: int, wait: int) -> Standing:
    """`holds`: whether the condition is met at `now`; it fires when it has held for `wait` ms."""
    if before.held_until is not None:
        if holds and now < before.held_until:
            return before
        if not holds:  # it did end; the next time is a new one
            return Standing(RESOLVED, before.since, before.starts_at, before.resolved_at)
        return _begin(now, wait)
    if not holds:
        if before.state is FIRING:
            return Standing(RESOLVED, before.since, before.starts_at, max(now, before.starts_at or now))
        return NOTHING if before.state is PENDING else before
    if before.state is FIRING:
        return before
    if before.state is PENDING:
        since = min(before.since if before.since is not None else now, now)  # a clock that was put back
        if now - since >= wait:
            return Standing(FIRING, since, now)
        return before if since == before.since else Standing(PENDING, since)
    return _begin(now, wait)


def _begin(now: int, wait: int) -> Standing:
    return Standing(FIRING, now, now) if wait <= 0 else Standing(PENDING, now)


def is_worse(value: float | None, when_acknowledged: float | None, percent: int, *, falls: bool) -> bool:
    """Whether a value has moved so much further into the bad since somebody acknowledged it."""
    if value is None or when_acknowledged is None:
        return False
    step = abs(when_acknowledged) * percent / 100
    if falls:
        return value < when_acknowledged - step
    return value > when_acknowledged + step
