"""What is old goes: events and minutes. Days stay, so that a bill of long ago can be explained."""

from __future__ import annotations

from sqlalchemy import delete, select, tuple_

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.engine.core import Engine
from quarterdeck.engine.usage.tables import usage_events, usage_minutes

_AT_ONCE = 5_000


async def drop_old(engine: Engine) -> None:
    """An event is kept a day longer than one of its time is taken, and as long after it was posted: its duplicate does
    not count, whatever time that says."""
    settings, now = engine.settings.usage, now_ms()
    expired, minutes = now - (settings.event_days + 1) * DAY, now - settings.minute_days * DAY
    for table, which in (
        (usage_events, (usage_events.c.at < expired, usage_events.c.recorded_at < expired)),
        (usage_minutes, (usage_minutes.c.at < minutes,)),
    ):
        key = list(table.primary_key)
        old = select(*key).where(*which).order_by(table.c.at).limit(_AT_ONCE)
        gone = _AT_ONCE
        while gone == _AT_ONCE:
            async with engine.store.write() as transaction:
                gone = (await transaction.connection.execute(delete(table).where(tuple_(*key).in_(old)))).rowcount
