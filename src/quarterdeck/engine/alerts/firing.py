"""What fires now, in short: counts, what began last, and what is critical and nobody has seen to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select, text

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import AlertState, Severity
from quarterdeck.contract.models.alerts import AlertCount
from quarterdeck.contract.models.overview import AlertLine, AlertsNow, CriticalAlerts
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts.history import mine
from quarterdeck.engine.alerts.tables import ACKED, alerts
from quarterdeck.engine.core import Engine

_A = alerts.c
_LATEST = 10
# Of critical ones no more are read, and no more are told.
_MOST_READ, _MOST_TOLD = 1_000, 20
_FIRES = _A.state == str(AlertState.FIRING)
_SHOWN: tuple[Any, ...] = (
    *(_A.id, _A.name, _A.severity, _A.tenant_id, _A.starts_at, _A.updated_at),
    *(_A.acked_until, _A.silenced_by, _A.inhibited_by),
)


async def firing(engine: Engine, principal: Principal) -> AlertsNow:
    """Counts come from indexes; of the alerts themselves only the latest are read."""
    whose = mine(principal)
    by = select(_A.severity, func.count().label("number")).where(_FIRES, *whose).group_by(_A.severity)
    seen_to = select(func.count()).where(text(ACKED), _FIRES, *whose)
    latest = select(*_SHOWN).where(_FIRES, *whose).order_by(_A.id.desc()).limit(_LATEST)
    async with engine.store.read() as connection:
        counts = {row.severity: row.number for row in await connection.execute(by)}
        acknowledged = int((await connection.execute(seen_to)).scalar_one())
        rows = (await connection.execute(latest)).all()
    return AlertsNow(
        firing=sum(counts.values()),
        acknowledged=acknowledged,
        by_severity=[AlertCount(name=each, count=counts.get(str(each), 0)) for each in Severity],
        latest=[_line(row) for row in rows],
    )


async def critical(engine: Engine, principal: Principal) -> CriticalAlerts:
    """Bounded, however many fire: asked for whenever an alert changes."""
    newest = (
        select(*_SHOWN)
        .where(_A.severity == str(Severity.CRITICAL), _FIRES, *mine(principal))
        .order_by(_A.id.desc())
        .limit(_MOST_READ + 1)
    )
    async with engine.store.read() as connection:
        rows = (await connection.execute(newest)).all()
    loud = [row for row in rows[:_MOST_READ] if not (row.acked_until or _is_silent(row))]
    return CriticalAlerts(
        count=len(loud), more=len(rows) > _MOST_READ, newest=[_line(row) for row in loud[:_MOST_TOLD]]
    )


def _is_silent(row: Row[Any]) -> bool:
    return row.silenced_by is not None or row.inhibited_by is not None


def _line(row: Row[Any]) -> AlertLine:
    return AlertLine(
        id=row.id,
        name=row.name,
        severity=Severity(row.severity),
        tenant_id=row.tenant_id,
        since=to_datetime(row.updated_at if row.starts_at is None else row.starts_at),
        acknowledged=row.acked_until is not None,
        silenced=_is_silent(row),
    )
