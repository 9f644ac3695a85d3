"""What a clock does with what is seen of its item. Pure: the same sights give the same clock, live or replayed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import ClockState, ItemStatus, SlaTarget
from quarterdeck.contract.models.sla import EscalationStep, PolicySettings
from quarterdeck.engine.sla.calendar import AnyCalendar, kept_calendar

# What ends an item well, and what makes its promises void.
DONE = frozenset(map(str, (ItemStatus.RESOLVED, ItemStatus.CLOSED, ItemStatus.REFUNDED, ItemStatus.REJECTED)))
VOID = frozenset({str(ItemStatus.CANCELLED)})

# The words of the timeline.
STARTED, PAUSED, RESUMED, CHANGED = "sla_started", "sla_paused", "sla_resumed", "sla_changed"
MET, BREACHED, CANCELLED, ENDED = "sla_met", "sla_breached", "sla_cancelled", "sla_ended"
WORDS = frozenset({STARTED, PAUSED, RESUMED, CHANGED, MET, BREACHED, CANCELLED, ENDED})


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of a policy, worked out. `totals` are milliseconds by target and rank of priority."""

    calendar: AnyCalendar
    totals: Mapping[tuple[SlaTarget, int], int]
    pauses: frozenset[str]
    soon_percent: int
    steps: Mapping[SlaTarget, tuple[EscalationStep, ...]]

    @property
    def targets(self) -> list[SlaTarget]:
        """Those that it promises for some priority."""
        return [target for target in SlaTarget if any(each is target for each, _ in self.totals)]


@lru_cache(maxsize=500)
def rules_of(text: str) -> Rules:
    """Of settings as the store keeps them, in JSON."""
    settings = PolicySettings.model_validate_json(text)
    totals = {}
    for each in settings.targets:
        for target, minutes in (
            (SlaTarget.FIRST_RESPONSE, each.first_response_minutes),
            (SlaTarget.RESOLUTION, each.resolution_minutes),
        ):
            if minutes is not None:
                totals[target, each.priority.rank] = minutes * MINUTE
    steps = {
        target: tuple(sorted((s for s in settings.escalation if s.target is target), key=lambda step: step.percent))
        for target in SlaTarget
    }
    pauses = frozenset(map(str, settings.pauses)) - DONE - VOID
    return Rules(kept_calendar(settings.calendar), totals, pauses, settings.due_soon_percent, steps)


@dataclass(frozen=True, slots=True)
class Sight:
    """An item as it was from a moment on. `responds`: this is a word to whoever asks, or a beginning."""

    at: int
    status: str
    priority: int
    deleted: bool = False
    responds: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Milliseconds. `used` counted before `since`, from where it counts on; None while nothing counts.

    `total` is what is promised for the priority of the moment, None where nothing is. `due_at` stays where it was
    once it is breached. `responded`: somebody has, which cannot be taken back. `steps` of the escalation have been
    taken.
    """

    target: SlaTarget
    state: ClockState
    started_at: int
    priority: int
    total: int | None
    used: int
    since: int | None
    due_at: int | None
    breached_at: int | None = None
    ended_at: int | None = None
    responded: bool = False
    steps: int = 0

    def without_steps(self) -> Clock:
        """To be compared with one made from a timeline, which does not tell of suggestions."""
        return replace(self, steps=0)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the timeline in the making."""

    at: int
    word: str
    target: SlaTarget
    due_at: int | None


def start(rules: Rules, sight: Sight) -> tuple[list[Clock], list[Change]]:
    """The clocks of an item that enters a queue; none for one that arrives done."""
    if sight.status in DONE | VOID or sight.deleted:
        return [], []
    clocks, changes = [], []
    for target in rules.targets:
        total = rules.totals.get((target, sight.priority))
        blank = Clock(target, ClockState.PAUSED, sight.at, sight.priority, total, 0, None, None)
        clock = _turned(rules, blank, sight)
        clocks.append(clock)
        changes.append(Change(sight.at, STARTED, target, clock.due_at))
    return clocks, changes


def see(rules: Rules, clock: Clock, sight: Sight) -> tuple[Clock, list[Change]]:
    """The clock after it has seen its item so; nothing changes where nothing that counts does."""
    before, changes = advance(clock, sight.at)
    after = _turned(rules, before, sight)
    word = _word(before, after)
    if word is not None:
        changes = [*changes, Change(sight.at, word, clock.target, after.due_at)]
    return after, changes


def advance(clock: Clock, now: int) -> tuple[Clock, list[Change]]:
    """What time alone does: a breach, at the moment it was due."""
    if clock.state is ClockState.RUNNING and clock.due_at is not None and clock.due_at < now:
        breached = replace(clock, state=ClockState.BREACHED, breached_at=clock.due_at)
        return breached, [Change(clock.due_at, BREACHED, clock.target, clock.due_at)]
    return clock, []


def fold(rules: Rules, sights: Iterable[Sight], now: int) -> tuple[list[Clock], list[Change]]:
    """The clocks of an item from all that was seen of it, in order, and the lines they wrote."""
    clocks: list[Clock] = []
    changes: list[Change] = []
    first = True
    for sight in sights:
        if first:
            clocks, changes = start(rules, sight)
            first = False
            continue
        for number, clock in enumerate(clocks):
            clocks[number], more = see(rules, clock, sight)
            changes += more
    for number, clock in enumerate(clocks):
        clocks[number], more = advance(clock, now)
        changes += more
    return clocks, changes


def used(rules: Rules, clock: Clock, now: int) -> int:
    return clock.used + (0 if clock.since is None else rules.calendar.between(clock.since, now))


def moment_of(rules: Rules, clock: Clock, percent: int) -> int | None:
    """When so much of the time is used up; None while nothing counts. A moment that is past already is `since`."""
    if clock.since is None or clock.total is None:
        return None
    return rules.calendar.add(clock.since, clock.total * percent // 100 - clock.used)


def due_of(clocks: Iterable[Clock]) -> int | None:
    """When an item is due: the nearest of its promises that has not ended."""
    return min((each.due_at for each in clocks if each.ended_at is None and each.due_at is not None), default=None)


def _turned(rules: Rules, clock: Clock, sight: Sight) -> Clock:
    """Counting, at rest or ended, as the item is now."""
    if clock.target is SlaTarget.FIRST_RESPONSE and clock.responded:
        return clock
    responded = clock.responded or sight.responds
    total = rules.totals.get((clock.target, sight.priority))
    ending = _ending(clock.target, responded, sight, total)
    if ending is not None and clock.ended_at is not None:
        return replace(clock, responded=responded)  # as it ended first
    turned = replace(clock, responded=responded, priority=sight.priority, total=total, ended_at=None)
    counts = ending is None and sight.status not in rules.pauses
    if ending is None and clock.ended_at is None and total == clock.total and counts == (clock.since is not None):
        return turned
    turned = replace(turned, used=used(rules, clock, sight.at), since=sight.at if counts else None)
    if clock.breached_at is not None:
        return replace(turned, state=ClockState.BREACHED, ended_at=None if ending is None else sight.at)
    if ending is not None:
        return replace(turned, state=ending, ended_at=sight.at, due_at=None)
    if not counts:
        return replace(turned, state=ClockState.PAUSED, due_at=None)
    assert total is not None
    return replace(turned, state=ClockState.RUNNING, due_at=rules.calendar.add(sight.at, total - turned.used))


def _ending(target: SlaTarget, responded: bool, sight: Sight, total: int | None) -> ClockState | None:
    """How the clock ends, None where it goes on."""
    if target is SlaTarget.FIRST_RESPONSE and responded:
        return ClockState.MET
    if sight.deleted or sight.status in VOID or total is None:
        return ClockState.CANCELLED
    return ClockState.MET if sight.status in DONE else None


_ENDINGS = {ClockState.MET: MET, ClockState.CANCELLED: CANCELLED, ClockState.BREACHED: ENDED}


def _word(before: Clock, after: Clock) -> str | None:
    if after.ended_at is not None:
        return None if before.ended_at is not None else _ENDINGS[after.state]
    if before.ended_at is not None or (before.since is None) != (after.since is None):
        return PAUSED if after.since is None else RESUMED
    return CHANGED if before.due_at != after.due_at else None
