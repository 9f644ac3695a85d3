"""What a board of alerts shows first: groups that fire, and how many alerts there are besides."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import AlertState, Severity
from quarterdeck.contract.models.alerts import AlertBoard, AlertGroup, BoardQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts.listing import matching
from quarterdeck.engine.alerts.tables import alert_groups, alerts
from quarterdeck.engine.core import Engine

MOST_GROUPS = 200
_A, _G = alerts.c, alert_groups.c
_FIRING = _A.state == str(AlertState.FIRING)


async def board(engine: Engine, principal: Principal, query: BoardQuery) -> AlertBoard:
    """Raises Problem(FILTER_INVALID)."""
    where = matching(query.filter, principal, engine.store.dialect)
    async with engine.store.read() as connection:
        groups = await _groups(connection, where, 1 if query.alone else 2)
        by = select(_A.severity, func.count().label("number")).where(_FIRING, *where).group_by(_A.severity)
        firing = {row.severity: row.number for row in await connection.execute(by)}
        pending, resolved = [
            (
                await connection.execute(select(func.count()).select_from(alerts).where(_A.state == str(state), *where))
            ).scalar_one()
            for state in (AlertState.PENDING, AlertState.RESOLVED)
        ]
    return AlertBoard(
        groups=groups,
        firing={each: firing.get(str(each), 0) for each in Severity},
        pending=pending,
        resolved=resolved,
    )


async def _groups(connection: AsyncConnection, where: list[ColumnElement[bool]], least: int) -> list[AlertGroup]:
    """Those of so many alerts and more, the worst first."""

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    counted = [number(_A.severity == str(each)).label(str(each)) for each in Severity]
    rank = func.min(case({str(each): each.rank for each in Severity}, value=_A.severity)).label("rank")
    many = func.count().label("number")
    found = (
        select(
            _A.group_id,
            rank,
            many,
            *counted,
            number(_A.acked_until.is_not(None)).label("acknowledged"),
            number(or_(_A.silenced_by.is_not(None), _A.inhibited_by.is_not(None))).label("quiet"),
            func.min(_A.starts_at).label("since"),
            func.min(_A.name).label("first"),
            func.max(_A.name).label("last"),
        )
        .where(_FIRING, _A.group_id.is_not(None), *where)
        .group_by(_A.group_id)
        .having(many >= least)
        .order_by(rank, many.desc(), _A.group_id)
        .limit(MOST_GROUPS)
        .subquery()
    )
    query = select(found, _G.labels, _G.tenant_id).join(_G.id.table, _G.id == found.c.group_id)
    ordered = query.order_by(found.c.rank, found.c.number.desc(), found.c.group_id)
    return [_shown(row) for row in await connection.execute(ordered)]


def _shown(row: Any) -> AlertGroup:
    numbers = row._mapping
    return AlertGroup(
        id=row.group_id,
        name=row.first,
        names_differ=row.first != row.last,
        tenant_id=row.tenant_id,
        severity=list(Severity)[row.rank],
        labels=row.labels,
        firing={each: numbers[str(each)] for each in Severity},
        acknowledged=row.acknowledged,
        quiet=row.quiet,
        since=to_datetime(row.since),
    )
