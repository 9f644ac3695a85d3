"""What a rule would do: now, and with the last 24 hours, by the same state machine that evaluates it."""

from __future__ import annotations

import time

from quarterdeck.contract.clock import DAY, MINUTE, SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import AlertState, AlertType, Dimension
from quarterdeck.contract.models.alert_rules import Episode, Reading, RuleTest, Sampled
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts.quiet import quiet_of
from quarterdeck.engine.alerts.rules import Rule, find_rule, rule_of
from quarterdeck.engine.alerts.sampling import WITH_A_PAST, labels_of, read
from quarterdeck.engine.alerts.states import NOTHING, Standing, advance
from quarterdeck.engine.core import Engine

_MOST = 200
_BUDGET = 5.0  # seconds
_TOLD = 5 * MINUTE  # of values one is told, the worst


async def try_out(engine: Engine, principal: Principal, rule_id: int) -> RuleTest:
    """Raises Problem(NOT_FOUND)."""
    now = now_ms()
    async with engine.store.read() as connection:
        rule = rule_of(await find_rule(connection, principal, rule_id))
        began = time.monotonic()
        samples = await read(connection, engine, rule, now)
        took = time.monotonic() - began
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
        at = first
        while at <= now:
            if time.monotonic() > until:
                why = f"It took too long: only the time until {to_datetime(at):%H:%M} UTC was tried."
                break
            values = {each.series: each.value for each in await read(connection, engine, rule, at)}
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
            at += step
    told = [Sampled(at=to_datetime(slot), value=value) for slot, value in sorted(worst_at.items())]
    return RuleTest(now=readings, known_since=to_datetime(first), why=why, episodes=found[:_MOST], values=told)


def _without_past(rule: Rule) -> str | None:
    if rule.type is AlertType.EXTERNAL:
        return "Alerts from outside come as they come; this rule only says where they go."
    if rule.type not in WITH_A_PAST:
        return "Of this only the present is known."
    if Dimension.ITEM in rule.settings.by:
        return "With an alert for each item only the present is read."
    return None
