"""How well a queue does, and why: one sentence for each thing that is wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import Condition, HandlerKind
from quarterdeck.engine.queues.service import KnownQueue

# Seconds that the oldest run has waited.
LATE, VERY_LATE = 60, 900
# Percent of the attempts that failed; of a few attempts a percentage says nothing.
MANY, MOST, ENOUGH = 10, 50, 10


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the last hour where nothing else is said. `oldest_waiting_at` in ms."""

    queue: KnownQueue
    now: int
    waiting: int
    active: int
    oldest_waiting_at: int | None
    ended: int
    failed: int
    common_error: str | None
    leased: bool  # whether a worker has asked for its runs lately
    mistake: str | None = None  # why its settings cannot work here


def judge(facts: Facts) -> tuple[Condition, list[str]]:
    """The worst of what is wrong, and all of it, the worst first."""
    found = [*_held_up(facts), *_failing(facts)]
    order = list(Condition)
    found.sort(key=lambda each: order.index(each[0]), reverse=True)
    return (found[0][0] if found else Condition.HEALTHY), [sentence for _, sentence in found]


def _held_up(facts: Facts) -> list[tuple[Condition, str]]:
    queue, settings = facts.queue, facts.queue.settings
    found = []
    if facts.mistake is not None:
        found.append((Condition.UNHEALTHY, facts.mistake))
    if settings.handler is HandlerKind.HTTP and settings.secret_env and not os.environ.get(settings.secret_env):
        sentence = f"The engine's environment has no {settings.secret_env}, so nothing can be signed."
        found.append((Condition.UNHEALTHY, sentence))
    if queue.paused:
        since = f" {_spoken((facts.now - queue.paused_at) / SECOND)} ago" if queue.paused_at is not None else ""
        reason = f": {queue.pause_reason.rstrip('.')}" if queue.pause_reason else ""
        found.append((Condition.DEGRADED, f"Paused by {queue.paused_by or 'somebody'}{since}{reason}."))
    elif not facts.waiting:
        return found
    elif settings.handler is HandlerKind.WORKER and not facts.active and not facts.leased:
        found.append((Condition.UNHEALTHY, f"No worker leases it; {_runs(facts.waiting)}."))
    elif facts.oldest_waiting_at is not None:
        seconds = (facts.now - facts.oldest_waiting_at) / SECOND
        if seconds >= LATE:
            full = ", all places are taken" if facts.active >= settings.concurrency else ""
            condition = Condition.UNHEALTHY if seconds >= VERY_LATE else Condition.DEGRADED
            found.append((condition, f"The oldest run has waited {_spoken(seconds)}{full}."))
    return found


def _failing(facts: Facts) -> list[tuple[Condition, str]]:
    if facts.ended < ENOUGH:
        return []
    percent = 100 * facts.failed / facts.ended
    if percent < MANY:
        return []
    mostly = f", most often with {facts.common_error}" if facts.common_error else ""
    condition = Condition.UNHEALTHY if percent >= MOST else Condition.DEGRADED
    return [(condition, f"{percent:.0f} % of attempts failed in the last hour{mostly}.")]


def _runs(number: int) -> str:
    return "1 run waits" if number == 1 else f"{number:,} runs wait"


def _spoken(seconds: float) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            number = int(seconds // unit)
            return f"{number} {name}{'s' if number > 1 else ''}"
    return "less than a minute"
