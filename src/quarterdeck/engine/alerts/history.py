"""Alerts as people see them: lists, one of them, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, text

from quarterdeck.contract.clock import DAY, MINUTE, now_ms, to_datetime, to_ms
from quarterdeck.contract.enums import AlertState, AlertType, Severity
from quarterdeck.contract.models.alerts import (
    Alert,
    AlertCount,
    AlertDetail,
    AlertEvent,
    AlertPage,
    AlertStats,
    AlertValue,
    HistoryQuery,
    SentNotice,
    StatsQuery,
)
from quarterdeck.contract.principal import SYSTEM, Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts.listing import ALERTS, NEWEST_FIRST, matching, with_label
from quarterdeck.engine.alerts.sending import NotificationStatus, statuses
from quarterdeck.engine.alerts.tables import alert_events, alert_notices, alert_values, alerts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.listing.access import Access
from quarterdeck.engine.listing.paging import page

_A = alerts.c
_MOST_VALUES, _MOST_EVENTS, _MOST_NOTICES, _MOST_NAMES = 1_000, 500, 100, 10


def mine(principal: Principal, tenant: str | None = None) -> list[ColumnElement[bool]]:
    """What of all tenants is nobody's is seen by those who see every tenant."""
    found: list[ColumnElement[bool]] = []
    if principal.tenants is not None:
        found.append(_A.tenant_id.in_(sorted(principal.tenants)))
    if tenant is not None:
        found.append(_A.tenant_id == tenant)
    return found


async def history(engine: Engine, principal: Principal, query: HistoryQuery) -> AlertPage:
    """Raises Problem(FILTER_INVALID) or Problem(CURSOR_INVALID)."""
    where = [*matching(query.filter, principal, engine.store.dialect), *_narrowed(query)]
    if query.ids is not None:
        where.append(_A.id.in_([int(each) for each in query.ids.split(",")][: query.limit]))
    async with engine.store.read() as connection:
        found = await page(
            connection,
            ALERTS,
            Access(where, []),
            NEWEST_FIRST,
            cursor=query.cursor,
            backwards=query.direction == "previous",
            limit=query.limit,
            skip=query.skip,
        )
    return AlertPage(items=[shown(row) for row in found.rows], next=found.next, previous=found.previous)


def _narrowed(query: HistoryQuery) -> list[ColumnElement[bool]]:
    pairs = (
        (_A.tenant_id, query.tenant),
        (_A.state, query.state),
        (_A.severity, query.severity),
        (_A.type, query.type),
        (_A.rule_id, query.rule),
        (_A.name, query.name),
    )
    found: list[ColumnElement[bool]] = [
        column == (value if isinstance(value, int) else str(value)) for column, value in pairs if value is not None
    ]
    if query.label is not None:
        name, _, value = query.label.partition("=")
        found.append(with_label(name, value))
    if query.acknowledged is not None:
        found.append(_A.acked_until.is_not(None) if query.acknowledged else _A.acked_until.is_(None))
    if query.silenced is not None:
        quiet = or_(_A.silenced_by.is_not(None), _A.inhibited_by.is_not(None))
        found.append(quiet if query.silenced else ~quiet)
    if query.since is not None:
        found.append(or_(_A.starts_at >= to_ms(query.since), _A.pending_at >= to_ms(query.since)))
    if query.until is not None:
        found.append(func.coalesce(_A.starts_at, _A.pending_at) < to_ms(query.until))
    return found


async def show(engine: Engine, principal: Principal, alert_id: int) -> AlertDetail:
    """Raises Problem(NOT_FOUND)."""
    async with engine.store.read() as connection:
        row = (await connection.execute(select(*ALERTS.shown).where(_A.id == alert_id, *mine(principal)))).one_or_none()
        if row is None:
            raise Problem(Code.NOT_FOUND, f"There is no alert {alert_id} here; it may be another tenant's.")
        events = select(alert_events).where(alert_events.c.alert_id == alert_id).order_by(alert_events.c.id)
        lines = (await connection.execute(events.limit(_MOST_EVENTS))).all()
        values = select(alert_values).where(alert_values.c.alert_id == alert_id).order_by(alert_values.c.at.desc())
        points = (await connection.execute(values.limit(_MOST_VALUES))).all()
        notices: Sequence[Row[Any]] = []
        if row.group_id is not None and row.starts_at is not None:
            sent = (alert_notices.c.group_id == row.group_id, alert_notices.c.at >= row.starts_at)
            told = select(alert_notices).where(*sent).order_by(alert_notices.c.id.desc()).limit(_MOST_NOTICES)
            notices = (await connection.execute(told)).all()
        known = await statuses(connection, [each.notification_id for each in notices if each.notification_id])
    return AlertDetail(
        alert=shown(row),
        events=_timeline(row, lines),
        values=[AlertValue(at=to_datetime(each.at), value=each.value) for each in reversed(points)],
        notices=[
            SentNotice(
                at=to_datetime(each.at),
                channel=each.channel,
                kind=each.kind,
                title=each.title,
                held=each.held,
                notification_id=each.notification_id or None,
                **_delivered(known.get(each.notification_id), each.error),
            )
            for each in notices
        ],
    )


def _delivered(known: NotificationStatus | None, error: str | None) -> dict[str, Any]:
    """What became of a notification, as far as it is known."""
    if known is None:
        return {"run_id": None, "status": None, "attempts": 0, "error": error}
    why = error or known.error_message
    return {"run_id": known.run_id, "status": str(known.state), "attempts": known.attempts, "error": why}


def _timeline(row: Row[Any], lines: Sequence[Row[Any]]) -> list[AlertEvent]:
    """Its own times, and what else happened, in order."""
    own = [("pending", row.pending_at), ("firing", row.starts_at)]
    if not any(line.type == "resolved" and line.at == row.resolved_at for line in lines):
        own.append(("resolved", row.resolved_at))
    found = [(at, kind, SYSTEM.actor, None) for kind, at in own if at is not None]
    if row.pending_at == row.starts_at:
        found = [each for each in found if each[1] != "pending"]
    found += [(line.at, line.type, line.actor, line.body) for line in lines]
    found.sort(key=lambda each: each[0])
    return [AlertEvent(at=to_datetime(at), type=kind, actor=who, body=body) for at, kind, who, body in found]


def shown(row: Row[Any]) -> Alert:
    def at(moment: int | None) -> Any:
        return None if moment is None else to_datetime(moment)

    return Alert(
        id=row.id,
        fingerprint=row.fingerprint,
        name=row.name,
        type=AlertType(row.type),
        rule_id=row.rule_id,
        tenant_id=row.tenant_id,
        severity=Severity(row.severity),
        state=AlertState(row.state),
        labels=row.labels,
        annotations=row.annotations,
        value=row.value,
        threshold=row.threshold,
        pending_at=at(row.pending_at),
        starts_at=at(row.starts_at),
        ends_at=at(row.ends_at),
        resolved_at=at(row.resolved_at),
        updated_at=to_datetime(row.updated_at),
        changes=row.changes,
        acknowledged_by=row.acked_by,
        acknowledged_at=at(row.acked_at),
        acknowledged_until=at(row.acked_until),
        silenced_by=row.silenced_by,
        inhibited_by=row.inhibited_by,
        group=row.group_key,
        group_id=row.group_id,
        url=row.url,
    )


async def stats(engine: Engine, principal: Principal, query: StatsQuery) -> AlertStats:
    now = now_ms()
    since = now - query.days * DAY
    whose = mine(principal, query.tenant)
    firing = (_A.state == str(AlertState.FIRING), *whose)
    async with engine.store.read() as connection:

        async def count(*where: Any) -> int:
            return int((await connection.execute(select(func.count()).select_from(alerts).where(*where))).scalar_one())

        async def median(span: ColumnElement[int], *where: Any) -> float | None:
            number = await count(*where)
            if not number:
                return None
            middle = select(span.label("span")).where(*where).order_by(span)
            middle = middle.limit(2 - number % 2).offset((number - 1) // 2)
            found = (await connection.execute(middle)).scalars().all()
            return round(sum(found) / len(found) / MINUTE, 2)

        by = select(_A.severity, func.count().label("number")).where(*firing).group_by(_A.severity)
        severities = {row.severity: row.number for row in await connection.execute(by)}
        began = (_A.starts_at >= since, *whose)
        over = (_A.resolved_at >= since, _A.starts_at.is_not(None), *whose)
        names = select(_A.name, func.count().label("number")).where(*began).group_by(_A.name)
        most = (await connection.execute(names.order_by(text("number DESC"), _A.name).limit(_MOST_NAMES))).all()
        return AlertStats(
            firing=sum(severities.values()),
            pending=await count(_A.state == str(AlertState.PENDING), *whose),
            acknowledged=await count(*firing, _A.acked_until.is_not(None)),
            silenced=await count(*firing, or_(_A.silenced_by.is_not(None), _A.inhibited_by.is_not(None))),
            by_severity=[AlertCount(name=each, count=severities.get(str(each), 0)) for each in Severity],
            fired=await count(*began),
            resolved=await count(*over),
            minutes_to_acknowledge=await median(_A.acked_at - _A.starts_at, *began, _A.acked_at.is_not(None)),
            minutes_to_resolve=await median(_A.resolved_at - _A.starts_at, *over),
            most=[AlertCount(name=name, count=number) for name, number in most],
        )
