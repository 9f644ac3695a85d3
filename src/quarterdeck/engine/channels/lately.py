"""What became of the last notification of each channel, among those that went out lately."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.models.channels import LastNotification
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.channels.service import status_of
from quarterdeck.engine.channels.tables import notifications

# They are many, and no index leads from a channel to its own: so many of the newest are looked at.
_LATELY = 2_000


async def last_of_each(connection: AsyncConnection, principal: Principal) -> Mapping[int, LastNotification]:
    """By channel; of tenants that the caller sees."""
    newest = select(notifications.c.id, notifications.c.channel_id, notifications.c.tenant_id)
    part = newest.order_by(notifications.c.id.desc()).limit(_LATELY).subquery()
    query = select(part.c.channel_id, func.max(part.c.id).label("last")).where(part.c.channel_id.is_not(None))
    if principal.tenants is not None:
        query = query.where(part.c.tenant_id.in_(sorted(principal.tenants)))
    last = {row.channel_id: row.last for row in await connection.execute(query.group_by(part.c.channel_id))}
    states = await status_of(connection, list(last.values()))
    found = {}
    for channel, number in last.items():
        if (each := states.get(number)) is not None:
            at = to_datetime(each.ended_at or each.created_at)
            found[channel] = LastNotification(
                at=at, state=each.state, attempts=each.attempts, run_id=each.run_id, error=each.error_message
            )
    return found
