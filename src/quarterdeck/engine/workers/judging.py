"""How well a worker does, from its checks in a row: pure, so that every rule can be read and tested alone.

A single failed check makes it degraded, several in a row unhealthy; it is healthy again only after good checks in
a row. So one that answers now and then stays degraded, instead of changing its colour with every look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Condition

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


class Level(IntEnum):
    """What one check found."""

    DEAD = 0  # /healthz did not answer, or not with 2xx
    NOT_READY = 1  # it lives; /readyz says no
    GOOD = 2


@dataclass(frozen=True, slots=True)
class Check:
    """`why` in a sentence where it is not good. `milliseconds` until both had answered."""

    level: Level
    why: str | None = None
    milliseconds: float | None = None
    name: str | None = None
    type: str | None = None
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """`failures` and `successes` are in a row."""

    condition: Condition
    failures: int = 0
    successes: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    unhealthy_after: int
    healthy_after: int
    silent_seconds: int


def rules_of(engine: Engine) -> Rules:
    settings = engine.settings.workers
    return Rules(settings.unhealthy_after, settings.healthy_after, settings.silent_seconds)


def standing_of(row: Any, now: int, rules: Rules) -> Standing:
    """What a person is shown of a row of `workers`."""
    found = Standing(Condition(row.condition), row.failures, row.successes, row.why)
    return heard(found, row.last_seen_at, now, rules, is_checked=row.url is not None)


def after(before: Standing | None, check: Check, rules: Rules) -> Standing:
    """`before` is None for a worker that was never checked."""
    if check.level is Level.GOOD:
        if before is None:
            return Standing(Condition.HEALTHY, successes=1)
        successes = before.successes + 1
        if before.condition is Condition.HEALTHY or successes >= rules.healthy_after:
            return Standing(Condition.HEALTHY, successes=successes)
        return Standing(before.condition, successes=successes, why=before.why)
    failures = 1 if before is None else before.failures + 1
    if check.level is Level.NOT_READY:
        return Standing(Condition.DEGRADED, failures, why=check.why)
    was_unhealthy = before is not None and before.condition is Condition.UNHEALTHY
    if was_unhealthy or failures >= rules.unhealthy_after:
        return Standing(Condition.UNHEALTHY, failures, why=check.why)
    return Standing(Condition.DEGRADED, failures, why=check.why)


def heard(standing: Standing, last_seen_at: int | None, now: int, rules: Rules, *, is_checked: bool) -> Standing:
    """What its silence, or its talking, adds to what the checks say. Times in ms."""
    if last_seen_at is None:
        return standing
    silent = (now - last_seen_at) // SECOND
    if silent > rules.silent_seconds:
        if is_checked and standing.condition is not Condition.UNHEALTHY:
            return standing  # it answers; perhaps its queue is leased by others
        if not is_checked:
            why = f"It has not been heard of for {ago(silent)}; its runs go to others when their leases end."
            return Standing(Condition.UNHEALTHY, standing.failures, why=why)
        return standing
    if not is_checked:
        return Standing(Condition.HEALTHY)
    if standing.condition is Condition.UNHEALTHY:
        why = f"It leases runs, but its health cannot be told: {standing.why or 'no answer'}"
        return Standing(Condition.DEGRADED, standing.failures, standing.successes, why)
    return standing


def alone(standing: Standing, addresses: Sequence[str]) -> Standing:
    """What it means that workers at these addresses have one name: their figures are mixed, whatever the checks say."""
    if len(addresses) < 2:
        return standing
    where = f"{', '.join(addresses[:-1])} and {addresses[-1]}"
    why = f"{len(addresses)} workers lease under this name, with their health at {where}; give each a name of its own."
    if standing.condition is not Condition.HEALTHY and standing.why:
        why = f"{why} {standing.why}"
    worse = Condition.UNHEALTHY if standing.condition is Condition.UNHEALTHY else Condition.DEGRADED
    return Standing(worse, standing.failures, standing.successes, why)


def ago(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}s"
    return f"{seconds} seconds"


def together(conditions: list[Condition]) -> Condition:
    """Of all workers of a type: as long as one does well, the type is no worse than degraded."""
    if all(each is Condition.HEALTHY for each in conditions):
        return Condition.HEALTHY
    return Condition.UNHEALTHY if all(each is Condition.UNHEALTHY for each in conditions) else Condition.DEGRADED
