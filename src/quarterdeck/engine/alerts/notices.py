"""What groups say: taken together, at their time, not in quiet hours, and never more than a channel can bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, case, func, literal, or_, select, text, update

from quarterdeck.config.settings import AlertsSettings
from quarterdeck.contract.clock import SECOND, iso, now_ms
from quarterdeck.contract.enums import AlertState, AlertType, Severity
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.alerts import flood, silencing
from quarterdeck.engine.alerts.evaluation import start_again
from quarterdeck.engine.alerts.grouping import Group, Kind, says, speaks_again
from quarterdeck.engine.alerts.inhibition import inhibit
from quarterdeck.engine.alerts.putback import Wall, mend
from quarterdeck.engine.alerts.quiet import quiet_of
from quarterdeck.engine.alerts.rules import Rule, rule_of
from quarterdeck.engine.alerts.sending import Notice
from quarterdeck.engine.alerts.tables import ACKED, EXPIRING, alert_groups, alert_rules, alerts, silences
from quarterdeck.engine.alerts.telling import SENT_FIRING, SENT_RESOLVED, over_at, tell
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

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
    while not engine.stopping.is_set():
        async with engine.store.read() as connection:
            due = (await connection.execute(select(*_waiting(now_ms())))).one()
            held = await flood.channels_held(connection)
        if not any(due) and not held:
            return
        async with engine.store.write() as transaction:
            if not await turn(engine, transaction):
                return


def _waiting(now: int) -> list[ColumnElement[bool]]:
    return [
        select(literal(1)).where(_G.next_at.is_not(None), _G.next_at <= now).exists(),
        select(literal(1)).where(silences.c.next_at.is_not(None), silences.c.next_at <= now).exists(),
        select(literal(1)).where(text(EXPIRING), _A.ends_at <= now).exists(),
        select(literal(1)).where(text(ACKED), _A.acked_until <= now).exists(),
        select(literal(1)).where(_A.held_until.is_not(None), _A.held_until <= now, _outside()).exists(),
    ]


def _outside() -> ColumnElement[bool]:
    return _A.type == str(AlertType.EXTERNAL)


async def turn(engine: Engine, transaction: Transaction) -> bool:
    """Whether there is more to do at once."""
    await silencing.turn(engine, transaction)
    await _end(engine, transaction)
    await flood.release(engine, transaction)
    due = (_G.next_at.is_not(None), _G.next_at <= transaction.now)
    query = select(alert_groups).where(*due).order_by(_G.next_at, _G.id).limit(AT_ONCE)
    groups = (await transaction.connection.execute(engine.store.dialect.lock_skipping(query))).all()
    if groups:
        await inhibit(engine, transaction)
        await _speak(engine, transaction, groups)
        tell(engine, transaction)
    return len(groups) == AT_ONCE


async def _end(engine: Engine, transaction: Transaction) -> None:
    """What time alone ends: alerts from outside, acknowledgements, and what was resolved by hand."""
    connection, now = transaction.connection, transaction.now
    ended_at = over_at(_A.ends_at)
    over: dict[str, Any] = {"state": SENT_RESOLVED, "resolved_at": ended_at, "updated_at": now, "acked_until": None}
    ended = await connection.execute(update(alerts).where(text(EXPIRING), _A.ends_at <= now).values(**over))
    if ended.rowcount:
        tell(engine, transaction)
    freed = update(alerts).where(_A.held_until.is_not(None), _A.held_until <= now, _outside())
    await connection.execute(freed.values(held_until=None))
    lapsed = select(_A.id).where(text(ACKED), _A.acked_until <= now).limit(5_000)
    ids = (await connection.execute(lapsed)).scalars().all()
    if ids:
        await start_again(engine, transaction, ids, "acknowledgement_ended", "It still fires.")


def _number(condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0)).label(name)


async def _speak(engine: Engine, transaction: Transaction, groups: Sequence[Row[Any]]) -> None:
    connection, now, settings = transaction.connection, transaction.now, engine.settings.alerts
    interval, wait = (int(each * SECOND) for each in (settings.group_interval_seconds, settings.group_wait_seconds))
    lately = 2 * max(interval, wait)
    free = _A.acked_until.is_(None)
    worst = func.min(case(*((_A.severity == str(each), each.rank) for each in Severity), else_=len(Severity)))
    query = (
        select(
            _A.group_id,
            _number(and_(_HEARD, free, _UNTOLD), "fresh"),
            _number(and_(_HEARD, free), "active"),
            _number(and_(_HEARD, _A.acked_until.is_not(None)), "acknowledged"),
            _number(_OVER, "ended"),
            _number(and_(_PASSED, _A.resolved_at > now - lately), "passed"),
            _number(_NEVER_TOLD, "never_told"),
            _number(_FIRING, "firing"),
            worst.label("worst"),
        )
        .where(_A.group_id.in_([each.id for each in groups]), or_(_FIRING, _OVER, _NEVER_TOLD))
        .group_by(_A.group_id)
    )
    counts = {row.group_id: row for row in await connection.execute(query)}
    found = select(alert_rules).where(alert_rules.c.id.in_({each.rule_id for each in groups}))
    rules = {row.id: rule_of(row) for row in await connection.execute(found)}
    for row in groups:
        rule, count = rules[row.rule_id], counts.get(row.id)
        quiet = quiet_of(rule.settings.quiet_hours)
        if quiet is not None and quiet.covers(now) and count is not None:
            await _next(transaction, row.id, quiet.end(now))
            continue
        was_quiet = quiet is not None and quiet.covers(now - lately)  # what came and went then is not told
        group = _group(row, count, passed=not was_quiet)
        said = says(group, now, settings.repeat_seconds * SECOND) if rule.settings.channels else None
        if said is not None:
            severity = Severity.INFO if count is None else list(Severity)[min(count.worst, len(Severity) - 1)]
            await _say(engine, transaction, rule, row, group, said, severity, lately)
        following = speaks_again(group, said, row.next_at, now, interval)
        if not rule.settings.channels and not group.firing:
            following = None
        await _next(transaction, row.id, following)
    settled = [number for number, count in counts.items() if count.never_told]
    if settled:  # that they came and went is old from now on
        old = update(alerts).where(_A.group_id.in_(settled), _NEVER_TOLD)
        await connection.execute(old.values(sent=SENT_RESOLVED))


def _group(row: Row[Any], count: Any, *, passed: bool) -> Group:
    kind = None if row.sent_kind is None else Kind(row.sent_kind)
    if count is None:
        return Group(sent_at=row.sent_at, sent_kind=kind)
    return Group(
        int(count.fresh),
        int(count.active),
        int(count.acknowledged),
        int(count.ended),
        int(count.passed) if passed else 0,
        int(count.firing),
        row.sent_at,
        kind,
    )


async def _next(transaction: Transaction, group_id: int, at: int | None) -> None:
    await transaction.connection.execute(update(alert_groups).where(_G.id == group_id).values(next_at=at))


async def _say(
    engine: Engine,
    transaction: Transaction,
    rule: Rule,
    row: Row[Any],
    group: Group,
    kind: Kind,
    severity: Severity,
    lately: int,
) -> None:
    """`lately`: how long ago (ms) what came and went may have gone to be told."""
    connection, now = transaction.connection, transaction.now
    mine = _A.group_id == row.id
    which = or_(_HEARD, _OVER)
    if group.passed:
        which = or_(which, and_(_PASSED, _A.resolved_at > now - lately))
    query = select(alerts).where(mine, which).order_by(case((_FIRING, 0), else_=1), _A.id.desc()).limit(MOST_ALERTS)
    told = (await connection.execute(query)).all()
    notice = Notice(
        key=row.key,
        tenant_id=row.tenant_id,
        kind=_WORDS[kind],
        severity=str(severity),
        title=title_of(rule, row.labels, group, told),
        alerts=tuple(_told(each) for each in told),
        url=next((each.url for each in told if each.url), None),
    )
    for channel in rule.settings.channels:
        try:
            await flood.hand_over(engine, transaction, row.id, channel, notice)
        except Problem as problem:
            await flood.record(transaction, row.id, channel, notice, error=problem.detail)
    if kind is Kind.TRIGGER:
        heard = (mine, _HEARD, _A.acked_until.is_(None), _UNTOLD)
        await connection.execute(update(alerts).where(*heard).values(sent=SENT_FIRING))
    if kind is not Kind.ACKNOWLEDGE:
        await connection.execute(update(alerts).where(mine, _OVER).values(sent=SENT_RESOLVED))
    said = update(alert_groups).where(_G.id == row.id).values(sent_at=now, sent_kind=str(kind))
    await connection.execute(said)


def title_of(rule: Rule, labels: dict[str, str], group: Group, told: Sequence[Any]) -> str:
    """For people: what it is, of what, and how many."""
    one = told[0] if len(told) == 1 else None
    name = labels.get("alertname") or (one.name if one is not None else rule.name)
    of = ", ".join(f"{key}={value}" for key, value in labels.items() if value and key != "alertname")
    heading = f"{name} ({of})" if of else name
    if one is not None:
        said = one.annotations.get("summary") or one.annotations.get("description")
        return f"{heading}: {said}" if said else heading
    firing = group.active + group.acknowledged
    parts = [f"{firing:,} firing"] if firing else []
    over = group.ended + group.passed
    if over:
        parts.append(f"{over:,} over")
    return f"{heading}: {', '.join(parts)}" if parts else heading


def _told(row: Row[Any]) -> dict[str, Any]:
    def at(moment: int | None) -> str | None:
        return None if moment is None else iso(moment)

    return {
        "labels": row.labels,
        "annotations": row.annotations,
        "starts_at": at(row.starts_at),
        "ends_at": at(row.resolved_at),
        "value": row.value,
        "threshold": row.threshold,
        "fingerprint": row.fingerprint,
    }
