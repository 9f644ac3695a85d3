"""What was used so far in the periods that we are in, against the limits that hold for it."""

from __future__ import annotations

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import now_ms, to_datetime
from quarterdeck.contract.enums import Period, UsageStep
from quarterdeck.contract.models.usage import UsageAgainstLimit, UsageSpan
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.usage.limits import seen_by
from quarterdeck.engine.usage.spans import floor, narrowed
from quarterdeck.engine.usage.tables import NOBODY, usage_days

_TOLD = 200


async def against_limits(
    connection: AsyncConnection, principal: Principal, query: UsageSpan
) -> list[UsageAgainstLimit]:
    """In the periods that we are in, whatever time the query is about."""
    limits = [
        row
        for row in await seen_by(connection, principal)
        if query.resource_type in (None, row.resource_type)
        and (query.tenant is None or row.tenant_id in (NOBODY, query.tenant))
    ]
    now = now_ms()
    found: list[UsageAgainstLimit] = []
    for period in sorted({row.period for row in limits}):
        since = floor(now, UsageStep(period))
        of_all: dict[str, int] = {}
        of_one: dict[tuple[str, str], int] = {}
        for row in limits:
            if row.period != period:
                continue
            if row.tenant_id == NOBODY:
                of_all[row.resource_type] = row.quantity
            else:
                of_one[row.tenant_id, row.resource_type] = row.quantity
        used = await _used(connection, principal, query, since, {*of_all, *(kind for _, kind in of_one)})
        for tenant, kind in sorted({*of_one, *used}):
            limit = of_one.get((tenant, kind), of_all.get(kind))
            if limit is not None:
                amount = used.get((tenant, kind), 0)
                found.append(
                    UsageAgainstLimit(
                        tenant_id=tenant,
                        resource_type=kind,
                        period=Period(period),
                        since=to_datetime(since),
                        used=amount,
                        limit=limit,
                        percent=round(100 * amount / limit, 1),
                    )
                )
    return sorted(found, key=lambda each: -each.used / each.limit)[:_TOLD]


async def _used(
    connection: AsyncConnection, principal: Principal, query: UsageSpan, since: int, kinds: set[str]
) -> dict[tuple[str, str], int]:
    columns = usage_days.c
    wanted = (
        select(columns.tenant_id, columns.resource_type, cast(func.sum(columns.quantity), BigInteger).label("used"))
        .where(*narrowed(usage_days, principal, query), columns.at >= since)
        .where(columns.resource_type.in_(sorted(kinds)), columns.tenant_id != NOBODY)
        .group_by(columns.tenant_id, columns.resource_type)
    )
    return {(row.tenant_id, row.resource_type): row.used for row in await connection.execute(wanted)}
