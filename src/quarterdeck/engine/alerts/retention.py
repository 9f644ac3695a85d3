"""Alerts that are over are forgotten after a time, with everything that was said of them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, delete, select

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.engine.alerts.tables import alert_events, alert_groups, alert_notices, alert_values, alerts, silences
from quarterdeck.engine.core import Engine

SECONDS = 3_600
_AT_ONCE = 2_000


async def forget(engine: Engine) -> None:
    """In small transactions, so that nobody waits for it."""
    before = now_ms() - engine.settings.alerts.keep_days * DAY
    old = (alerts.c.resolved_at < before, alerts.c.held_until.is_(None), alerts.c.state == "resolved")
    while not engine.stopping.is_set():
        async with engine.store.write() as transaction:
            connection = transaction.connection
            ids = (await connection.execute(select(alerts.c.id).where(*old).limit(_AT_ONCE))).scalars().all()
            if not ids:
                break
            listed = engine.store.dialect.id_list(ids)
            await connection.execute(delete(alert_events).where(alert_events.c.alert_id.in_(listed)))
            await connection.execute(delete(alert_values).where(alert_values.c.alert_id.in_(listed)))
            await connection.execute(delete(alerts).where(alerts.c.id.in_(listed)))
    unused = ~select(alerts.c.id).where(alerts.c.group_id == alert_groups.c.id).exists()
    silent = (alert_groups.c.next_at.is_(None), alert_groups.c.created_at < before)
    await _in_parts(engine, alert_notices, alert_notices.c.at < before)
    await _in_parts(engine, alert_groups, *silent, unused)
    await _in_parts(engine, silences, silences.c.next_at.is_(None), silences.c.ends_at < before)


async def _in_parts(engine: Engine, table: Table, *old: ColumnElement[bool]) -> None:
    while not engine.stopping.is_set():
        async with engine.store.write() as transaction:
            some = select(table.c.id).where(*old).order_by(table.c.id).limit(_AT_ONCE)
            # What has changed while this waited for it is judged anew.
            gone = await transaction.connection.execute(delete(table).where(table.c.id.in_(some), *old))
        if gone.rowcount < _AT_ONCE:
            return
