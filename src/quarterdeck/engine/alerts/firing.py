"""What fires now, in short: counts, what began last, and what is critical and nobody has seen to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import AlertState, Severity
from quarterdeck.contract.models.alerts import AlertCount
from quarterdeck.contract.models.overview import AlertLine, AlertsNow, CriticalAlerts
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts.history import mine
from quarterdeck.engine.alerts.tables import ACKED, alert_rules, alerts
from quarterdeck.engine.core import Engine

_A = alerts.c
_LATEST = 10
# Of one severity no more are looked at, and no more are told.
_MOST_READ, _MOST_TOLD = 500, 20
_FIRES = _A.state == str(AlertState.FIRING)
_SHOWN: tuple[Any, ...] = (
    *(_A.id, _A.name, _A.severity, _A.tenant_id, _A.labels, _A.starts_at, _A.updated_at),
    *(_A.acked_until, _A.silenced_by, _A.inhibited_by),
)


async def firing(engine: Engine, principal: Principal) -> AlertsNow:
    """Counts come from indexes; of the alerts themselves only the latest are read."""
    whose = mine(principal)
    # One by one: grouping them would read the alerts.
    each_ = select(func.count()).select_from(alerts).where(_FIRES, *whose)
    by = select(*(each_.where(_A.severity == str(each)).scalar_subquery().label(str(each)) for each in Severity))
    seen_to = select(func.count()).where(text(ACKED), _FIRES, *whose)
    watching = select(alert_rules.c.tenant_id).where(alert_rules.c.enabled, alert_rules.c.deleted_at.is_(None))
    latest = select(*_SHOWN).where(_FIRES, *whose).order_by(_A.id.desc()).limit(_LATEST)
    async with engine.store.read() as connection:
        counts = dict((await connection.execute(by)).one()._mapping)
        acknowledged = int((await connection.execute(seen_to)).scalar_one())
        rows = (await connection.execute(latest)).all()
        rules = (await connection.execute(watching)).scalars().all()
        unseen = {each: (await _unseen(connection, principal, each))[1] for each in Severity if counts[str(each)]}
    return AlertsNow(
        rules=sum(map(principal.sees_shared, rules)),
        firing=sum(counts.values()),
        acknowledged=acknowledged,
        by_severity=[AlertCount(name=each, count=counts[str(each)]) for each in Severity],
        unseen=[AlertCount(name=each, count=unseen.get(each, 0)) for each in Severity],
        latest=[_line(row) for row in rows],
    )


async def critical(engine: Engine, principal: Principal) -> CriticalAlerts:
    """Bounded, however many fire: asked for whenever an alert changes."""
    some = select(_A.id).where(_A.severity == str(Severity.CRITICAL), _FIRES, *mine(principal)).limit(_MOST_READ + 1)
    async with engine.store.read() as connection:
        rows, number = await _unseen(connection, principal, Severity.CRITICAL)
        found = (await connection.execute(select(func.count()).select_from(some.subquery()))).scalar_one()
    return CriticalAlerts(count=number, more=found > _MOST_READ, newest=[_line(row) for row in rows])


async def _unseen(connection: AsyncConnection, principal: Principal, severity: Severity) -> tuple[Sequence[Any], int]:
    """Rows of the newest that nobody has acknowledged or silenced, and how many of those that are looked at."""
    newest = select(*_SHOWN).where(_A.severity == str(severity), _FIRES, *mine(principal))
    each = newest.order_by(_A.id.desc()).limit(_MOST_READ).subquery().c
    seen_to = (each.acked_until, each.silenced_by, each.inhibited_by)
    unseen = select(*each, func.count().over().label("number")).where(*(mark.is_(None) for mark in seen_to))
    rows = (await connection.execute(unseen.order_by(each.id.desc()).limit(_MOST_TOLD))).all()
    return rows, rows[0].number if rows else 0


def _line(row: Row[Any]) -> AlertLine:
    return AlertLine(
        id=row.id,
        name=row.name,
        severity=Severity(row.severity),
        tenant_id=row.tenant_id,
        labels=row.labels,
        since=to_datetime(row.updated_at if row.starts_at is None else row.starts_at),
        acknowledged=row.acked_until is not None,
        silenced=row.silenced_by is not None or row.inhibited_by is not None,
    )
