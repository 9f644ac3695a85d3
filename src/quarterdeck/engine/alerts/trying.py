"""What a rule would do: now, and with the last 24 hours, by the same state machine that evaluates it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import DAY, MINUTE, SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import AlertState, AlertType, Dimension
from quarterdeck.contract.models.alert_rules import Episode, Reading, RuleTest, Sampled
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts.quiet import quiet_of
from quarterdeck.engine.alerts.rules import Rule, find_rule, rule_of
from quarterdeck.engine.alerts.sampling import WITH_A_PAST, Sample, labels_of, read
from quarterdeck.engine.alerts.states import NOTHING, Standing, advance
from quarterdeck.engine.core import Engine

_MOST = 200
_BUDGET = 5.0  # seconds
_HELD = 0.2  # seconds, of one of the few connections that read
_TOLD = 5 * MINUTE  # of values one is told, the worst


class _Turns:
    """One rule at a time is tried: each test asks the store about a whole day."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()


async def try_out(engine: Engine, principal: Principal, rule_id: int) -> RuleTest:
    """Raises Problem: NOT_FOUND, FORBIDDEN."""
    async with engine.store.read() as connection:
        row = await find_rule(connection, principal, rule_id)
    if row.tenant_id is None and principal.tenants is not None:
        said = f"Rule {rule_id} ({row.name}) looks at every tenant together; who sees all of them can try it."
        raise Problem(Code.FORBIDDEN, said)
    async with engine.keep(_Turns, _Turns).lock:
        return await _try(engine, rule_of(row))


async def _try(engine: Engine, rule: Rule) -> RuleTest:
    now = now_ms()
    async with engine.store.read() as connection:
        samples, took = await _timed(connection, engine, rule, now)
        if took < _HELD:  # the first one may take so long only because it is the first
            took = min(took, (await _timed(connection, engine, rule, now))[1])
    readings = [
        Reading(labels=labels_of(rule, each.series), value=each.value, fires=rule.holds(each.value))
        for each in samples[:_MOST]
    ]
    why = _without_past(rule)
    if why is not None:
        return RuleTest(now=readings, known_since=None, why=why, episodes=[])
    # A step is as long as the evaluations of a day may take together.
    step = max(MINUTE, int(DAY * took / _BUDGET) // MINUTE * MINUTE)
    first = now - DAY
    states: dict[tuple[str, ...], Standing] = {}
    open_: dict[tuple[str, ...], Episode] = {}
    found: list[Episode] = []
    worst_at: dict[int, float] = {}
    quiet = quiet_of(rule.settings.quiet_hours)
    wait = rule.settings.for_seconds * SECOND
    until = time.monotonic() + 2 * _BUDGET
    begin = first
    while begin <= now:
        if time.monotonic() > until:
            why = f"It took too long: only the time until {to_datetime(begin):%H:%M} UTC was tried."
            break
        for at, values in await _some(engine, rule, range(begin, now + 1, step)):
            if values:
                worse, slot = (min if rule.falls else max), at - at % _TOLD
                worst = worse(values.values())
                worst_at[slot] = worse(worst, worst_at.get(slot, worst))
            for series in values.keys() | states.keys():
                value = values.get(series)
                before = states.get(series, NOTHING)
                after = advance(before, value is not None and rule.holds(value), at, wait)
                states[series] = after
                if after.state is AlertState.FIRING and before.state is not AlertState.FIRING:
                    is_quiet = quiet is not None and quiet.covers(at)
                    open_[series] = Episode(
                        labels=labels_of(rule, series),
                        since=to_datetime(at),
                        until=None,
                        worst=value or 0.0,
                        quiet=is_quiet,
                    )
                    found.append(open_[series])
                elif after.state is AlertState.FIRING and value is not None:
                    worst = open_[series].worst
                    open_[series].worst = min(worst, value) if rule.falls else max(worst, value)
                elif before.state is AlertState.FIRING:
                    open_.pop(series).until = to_datetime(at)
        begin = at + step
    told = [Sampled(at=to_datetime(slot), value=value) for slot, value in sorted(worst_at.items())]
    return RuleTest(now=readings, known_since=to_datetime(first), why=why, episodes=found[:_MOST], values=told)


async def _timed(connection: AsyncConnection, engine: Engine, rule: Rule, at: int) -> tuple[list[Sample], float]:
    """With how long it took, in seconds."""
    began = time.monotonic()
    samples = await read(connection, engine, rule, at)
    return samples, time.monotonic() - began


async def _some(engine: Engine, rule: Rule, times: Sequence[int]) -> list[tuple[int, dict[tuple[str, ...], float]]]:
    """What was read at the first of `times`, and as many more as can be read before others want the connection."""
    found: list[tuple[int, dict[tuple[str, ...], float]]] = []
    until = time.monotonic() + _HELD
    async with engine.store.read() as connection:
        for at in times:
            found.append((at, {each.series: each.value for each in await read(connection, engine, rule, at)}))
            if time.monotonic() > until:
                break
    return found


def _without_past(rule: Rule) -> str | None:
    if rule.type is AlertType.EXTERNAL:
        return "Alerts from outside come as they come; this rule only says where they go."
    if rule.type not in WITH_A_PAST:
        return "Of this only the present is known."
    if Dimension.ITEM in rule.settings.by:
        return "With an alert for each item only the present is read."
    return None
