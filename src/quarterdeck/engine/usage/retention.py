"""What is old goes: events and minutes. Days stay, so that a bill of long ago can be explained."""

from __future__ import annotations

from sqlalchemy import delete, select, tuple_

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.engine.core import Engine
from quarterdeck.engine.usage.tables import usage_events, usage_minutes

_AT_ONCE = 5_000


async def drop_old(engine: Engine) -> None:
    """An event is kept a day longer than one of its time is taken, so that its duplicate never counts."""
    settings, now = engine.settings.usage, now_ms()
    for table, limit in (
        (usage_events, now - (settings.event_days + 1) * DAY),
        (usage_minutes, now - settings.minute_days * DAY),
    ):
        key = list(table.primary_key)
        old = select(*key).where(table.c.at < limit).order_by(table.c.at).limit(_AT_ONCE)
        gone = _AT_ONCE
        while gone == _AT_ONCE:
            async with engine.store.write() as transaction:
                gone = (await transaction.connection.execute(delete(table).where(tuple_(*key).in_(old)))).rowcount
