"""What groups say: taken together, at their time, not in quiet hours, and never more than a channel can bear."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Text, and_, case, cast, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.config.settings import AlertsSettings
from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import AlertState, Severity
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.alerts import ending, flood, silencing
from quarterdeck.engine.alerts.grouping import Group, Kind, says, speaks_again
from quarterdeck.engine.alerts.inhibition import Inhibitions, keep_quiet
from quarterdeck.engine.alerts.putback import Wall, mend
from quarterdeck.engine.alerts.quiet import quiet_or_none
from quarterdeck.engine.alerts.rules import Rule, rule_of
from quarterdeck.engine.alerts.sending import Notice
from quarterdeck.engine.alerts.tables import alert_groups, alert_rules, alerts
from quarterdeck.engine.alerts.telling import SENT_FIRING, SENT_RESOLVED, note_error, tell
from quarterdeck.engine.alerts.wording import as_told, title_of
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

AT_ONCE = 200
MOST_ALERTS = 100
_WORDS: dict[Kind, Literal["trigger", "acknowledge", "resolve"]] = {
    Kind.TRIGGER: "trigger",
    Kind.ACKNOWLEDGE: "acknowledge",
    Kind.RESOLVE: "resolve",
}
_A, _G = alerts.c, alert_groups.c
_FIRING = _A.state == str(AlertState.FIRING)
_OVER = and_(_A.state == str(AlertState.RESOLVED), _A.sent == SENT_FIRING)
_HEARD = and_(_FIRING, _A.silenced_by.is_(None), _A.inhibited_by.is_(None))
_UNTOLD = or_(_A.sent.is_(None), _A.sent != SENT_FIRING)
_NEVER_TOLD = and_(_A.state == str(AlertState.RESOLVED), _A.sent.is_(None))
_PASSED = and_(_NEVER_TOLD, _A.silenced_by.is_(None), _A.inhibited_by.is_(None))


def every(settings: AlertsSettings) -> float:
    """Seconds between looks: often enough that no group is late by more than a quarter of its times."""
    times = (settings.group_wait_seconds, settings.group_interval_seconds, settings.repeat_seconds)
    return min(1.0, max(0.05, min(each for each in times if each > 0) / 4))


async def flush(engine: Engine) -> None:
    """Everything whose time has come, in turns; most looks find nothing and write nothing."""
    now = now_ms()
    if engine.keep(Wall, Wall).was_put_back(now):
        await mend(engine, now)
    async with engine.store.read() as connection:
        speaks = select(literal(1)).where(_G.next_at.is_not(None), _G.next_at <= now).exists()
        due, moved = (await connection.execute(select(speaks, ending.is_due(now)))).one()
        held = await flood.channels_held(connection)
    # Each by itself: what cannot be done of one must not keep the others from being told.
    if moved:
        await _despite(engine, ending.turn)
    if held:
        await _despite(engine, flood.release)
    if due or moved:
        await _speak_all(engine)


async def _despite(engine: Engine, work: Callable[[Engine, Transaction], Awaitable[None]]) -> None:
    try:
        async with engine.store.write() as transaction:
            await work(engine, transaction)
    except Exception:
        log.exception(
            "%s.%s of alerts has failed; it is tried again", work.__module__.rpartition(".")[2], work.__name__
        )


async def _speak_all(engine: Engine) -> None:
    inhibitions: Inhibitions | None = None
    while not engine.stopping.is_set():
        async with engine.store.read() as connection:
            query = select(_G.id).where(_G.next_at.is_not(None), _G.next_at <= now_ms())
            ids = (await connection.execute(query.order_by(_G.next_at, _G.id).limit(AT_ONCE))).scalars().all()
        if not ids:
            return
        if inhibitions is None:
            inhibitions = await Inhibitions.read(engine)
        quieted = await inhibitions.changes(ids)
        async with engine.store.write() as transaction:
            due = (_G.id.in_(ids), _G.next_at.is_not(None), _G.next_at <= transaction.now)
            query = select(alert_groups).where(*due).order_by(_G.next_at, _G.id)
            groups = (await transaction.connection.execute(engine.store.dialect.lock_skipping(query))).all()
            await keep_quiet(engine, transaction, quieted)
            await silencing.reach(engine, transaction, [each.id for each in groups])
            failed = await _speak(engine, transaction, groups)
            tell(engine, transaction)
        if failed:  # in a write of its own: whoever changes a rule locks that before groups
            async with engine.store.write() as transaction:
                for rule_id, error in failed.items():
                    await note_error(transaction, rule_id, "What it has to say could not be told", error)
        if len(groups) < AT_ONCE:
            return


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of one group, all as of one moment: what is said is what is written down as said, whatever happens meanwhile.

    Ids of alerts, in order, as `Group` counts them; `never_told` are over and nobody has heard of them.
    """

    fresh: list[int]
    ended: list[int]
    passed: list[int]
    never_told: list[int]
    active: int
    acknowledged: int
    firing: int
    worst: int


async def _facts(connection: AsyncConnection, group_ids: Sequence[int], passed_since: int) -> dict[int, _Facts]:
    free = _A.acked_until.is_(None)
    worst = func.min(case(*((_A.severity == str(each), each.rank) for each in Severity), else_=len(Severity)))
    query = (
        select(
            _A.group_id,
            _ids(and_(_HEARD, free, _UNTOLD)),
            _ids(_OVER),
            _ids(and_(_PASSED, _A.resolved_at > passed_since)),
            _ids(_NEVER_TOLD),
            _number(and_(_HEARD, free)),
            _number(and_(_HEARD, _A.acked_until.is_not(None))),
            _number(_FIRING),
            worst,
        )
        .where(_A.group_id.in_(group_ids), or_(_FIRING, _OVER, _NEVER_TOLD))
        .group_by(_A.group_id)
    )
    found = {}
    for number, *said, active, acknowledged, firing, rank in await connection.execute(query):
        fresh, ended, passed, never_told = (_in_order(each) for each in said)
        numbers = (int(active), int(acknowledged), int(firing), rank)
        found[number] = _Facts(fresh, ended, passed, never_told, *numbers)
    return found


def _in_order(ids: str | None) -> list[int]:
    return sorted(map(int, ids.split(","))) if ids else []


def _ids(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.aggregate_strings(case((condition, cast(_A.id, Text))), ",")


def _number(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


async def _speak(engine: Engine, transaction: Transaction, groups: Sequence[Row[Any]]) -> dict[int, Exception]:
    """One that cannot be told does not keep the others from being told: by rule (id), why they could not."""
    connection, now, settings = transaction.connection, transaction.now, engine.settings.alerts
    interval, wait = (int(each * SECOND) for each in (settings.group_interval_seconds, settings.group_wait_seconds))
    lately = 2 * max(interval, wait)
    facts = await _facts(connection, [each.id for each in groups], now - lately)
    found = select(alert_rules).where(alert_rules.c.id.in_({each.rule_id for each in groups}))
    rules = {row.id: row for row in await connection.execute(found)}
    failed: dict[int, Exception] = {}
    for row in groups:
        try:
            async with connection.begin_nested():
                await _look(engine, transaction, rules[row.rule_id], row, facts.get(row.id), lately, interval)
        except Exception as error:
            log.exception("group %s of rule %s could not be told", row.id, row.rule_id)
            failed[row.rule_id] = error
            await _next(transaction, row.id, now + interval)
    over = [each.id for each in groups if each.id not in facts or not facts[each.id].firing]
    if over:
        await flood.close(engine, transaction, over)
    settled = [number for each in facts.values() for number in each.never_told]
    if settled:  # that they came and went is old from now on
        await _say_of(engine, transaction, settled, SENT_RESOLVED)
    return failed


async def _look(
    engine: Engine,
    transaction: Transaction,
    kept: Row[Any],
    row: Row[Any],
    facts: _Facts | None,
    lately: int,
    interval: int,
) -> None:
    """At one group, whose rule is `kept`."""
    now, rule = transaction.now, rule_of(kept)
    quiet = quiet_or_none(rule.settings.quiet_hours)
    if quiet is not None and quiet.covers(now) and facts is not None:
        await _next(transaction, row.id, quiet.end(now))
        return
    was_quiet = quiet is not None and quiet.covers(now - lately)  # what came and went then is not told
    if facts is not None and was_quiet:
        facts = replace(facts, passed=[])
    group = _group(row, facts)
    repeat = engine.settings.alerts.repeat_seconds * SECOND
    said, channels = says(group, now, repeat), list(rule.settings.channels)
    if said is Kind.RESOLVE:  # also where the rule has meanwhile been told to use others
        channels += [each for each in await flood.channels_told(transaction, row.id) if each not in channels]
    if not channels:
        said = None
    if said is not None and facts is not None:
        await _say(engine, transaction, rule, row, group, facts, said, channels)
    following = speaks_again(group, said, row.next_at, now, interval)
    if not rule.settings.channels and not group.firing:
        following = None
    await _next(transaction, row.id, following)


def _group(row: Row[Any], facts: _Facts | None) -> Group:
    kind = None if row.sent_kind is None else Kind(row.sent_kind)
    if facts is None:
        return Group(sent_at=row.sent_at, sent_kind=kind)
    return Group(
        len(facts.fresh),
        facts.active,
        facts.acknowledged,
        len(facts.ended),
        len(facts.passed),
        facts.firing,
        row.sent_at,
        kind,
    )


async def _next(transaction: Transaction, group_id: int, at: int | None) -> None:
    await transaction.connection.execute(update(alert_groups).where(_G.id == group_id).values(next_at=at))


async def _say_of(engine: Engine, transaction: Transaction, ids: Sequence[int], sent: str) -> None:
    """As it was when it was read: what has changed meanwhile is told as a change of that."""
    if ids:
        which = _A.id.in_(engine.store.dialect.id_list(ids))
        await transaction.connection.execute(update(alerts).where(which).values(sent=sent))


async def _say(
    engine: Engine,
    transaction: Transaction,
    rule: Rule,
    row: Row[Any],
    group: Group,
    facts: _Facts,
    kind: Kind,
    channels: Sequence[str],
) -> None:
    known = and_(_HEARD, or_(_A.sent == SENT_FIRING, _A.acked_until.is_not(None)))
    news = [*facts.fresh[-MOST_ALERTS:], *facts.ended[-MOST_ALERTS:], *facts.passed[-MOST_ALERTS:]]
    which = or_(known, _A.id.in_(engine.store.dialect.id_list(news)))
    query = select(alerts).where(_A.group_id == row.id, which).limit(MOST_ALERTS)
    query = query.order_by(case((_FIRING, 0), else_=1), _A.id.desc())
    told = (await transaction.connection.execute(query)).all()
    notice = Notice(
        key=row.key,
        tenant_id=row.tenant_id,
        kind=_WORDS[kind],
        severity=str(list(Severity)[min(facts.worst, len(Severity) - 1)]),
        title=title_of(rule, row.labels, group, told),
        alerts=tuple(as_told(each) for each in told),
        url=next((each.url for each in told if each.url), None),
        total=group.active + group.acknowledged + group.ended + group.passed,
    )
    for channel in channels:
        try:
            await flood.hand_over(engine, transaction, row.id, channel, notice)
        except Problem as problem:
            await flood.record(transaction, row.id, channel, notice, error=problem.detail)
    if kind is Kind.TRIGGER:
        await _say_of(engine, transaction, facts.fresh, SENT_FIRING)
    if kind is not Kind.ACKNOWLEDGE:
        await _say_of(engine, transaction, facts.ended, SENT_RESOLVED)
    said = update(alert_groups).where(_G.id == row.id).values(sent_at=transaction.now, sent_kind=str(kind))
    await transaction.connection.execute(said)
