"""How much a channel is given: so many notices a minute, and a summary of what is more, instead of silence."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import MINUTE, SECOND
from quarterdeck.contract.enums import Severity
from quarterdeck.engine.alerts.grouping import Kind
from quarterdeck.engine.alerts.sending import Notice, Outlet, owners
from quarterdeck.engine.alerts.tables import FIRING, HELD, alert_groups, alert_notices, alerts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

SUMMARY = "summary"
_CLOSED = "summary_over"  # as that kind of summary whose groups are all over
_GATHERED = 30 * SECOND  # what is held back waits for more of it, then goes out as one
_MOST_NAMED = 20
_N = alert_notices.c


async def hand_over(engine: Engine, transaction: Transaction, group_id: int, channel: str, notice: Notice) -> None:
    """To the channel, or to those that wait for a summary. The last place of a minute is the summary's."""
    most = engine.settings.alerts.channel_per_minute
    told = await _lately(transaction, channel, await _same(transaction, channel, notice.tenant_id), most)
    if told >= most - 1:
        await record(transaction, group_id, channel, notice, held=True)
        return
    ids = await engine.keep(Outlet, Outlet).notify(engine, transaction, [channel], notice)
    await record(transaction, group_id, channel, notice, notification_id=next(iter(ids), None))


async def record(
    transaction: Transaction,
    group_id: int | None,
    channel: str,
    notice: Notice,
    *,
    held: bool = False,
    notification_id: int | None = None,
    error: str | None = None,
    kind: str | None = None,
) -> None:
    values = {
        "at": transaction.now,
        "group_id": group_id,
        "tenant_id": notice.tenant_id,
        "channel": channel,
        "kind": kind or notice.kind,
        "severity": notice.severity,
        "title": notice.title,
        "held": held,
        "notification_id": notification_id,
        "error": error,
    }
    await transaction.connection.execute(alert_notices.insert(), values)


async def _same(transaction: Transaction, channel: str, tenant: str | None) -> ColumnElement[bool]:
    """Notices that go where those of this tenant go by that name: a tenant's own channel has room of its own."""
    own = await owners(transaction.connection, channel)
    if tenant in own:
        return _N.tenant_id == tenant
    return or_(_N.tenant_id.is_(None), _N.tenant_id.not_in(sorted(own)))


async def _lately(transaction: Transaction, channel: str, same: ColumnElement[bool], most: int) -> int:
    """How many notices it was given in the last minute; no more are counted than matter, since in a storm very many
    were held back after them."""
    # What was told before the clock was put back bears a time that has not come.
    since = (_N.channel == channel, same, _N.at > transaction.now - MINUTE, _N.at <= transaction.now)
    given = select(_N.id).where(*since, _N.held.is_(False)).order_by(_N.at).limit(most).subquery()
    return int((await transaction.connection.execute(select(func.count()).select_from(given))).scalar_one())


async def channels_told(transaction: Transaction, group_id: int) -> Sequence[str]:
    """Channels that were told of the group, and not of its end."""
    last = select(func.max(_N.id)).where(_N.group_id == group_id, _N.error.is_(None)).group_by(_N.channel)
    found = select(_N.channel).where(_N.id.in_(last), _N.kind != str(Kind.RESOLVE)).order_by(_N.id)
    return (await transaction.connection.execute(found)).scalars().all()


async def channels_held(connection: AsyncConnection) -> Sequence[str]:
    """Channels for which something was held back."""
    return (await connection.execute(select(_N.channel).where(text(HELD)).distinct())).scalars().all()


async def release(engine: Engine, transaction: Transaction) -> None:
    """Ends go out one by one as there is room, since whoever keeps incidents has to hear of each; the rest as one."""
    for channel in await channels_held(transaction.connection):
        try:
            async with transaction.connection.begin_nested():
                await _release(engine, transaction, channel)
        except Exception:
            log.exception("what was held back for channel %s could not be sent; it is tried again", channel)


async def _release(engine: Engine, transaction: Transaction, channel: str) -> None:
    own = await owners(transaction.connection, channel)
    for tenant in (None, *sorted(own)):
        await _release_to(engine, transaction, channel, await _same(transaction, channel, tenant))


async def _release_to(engine: Engine, transaction: Transaction, channel: str, same: ColumnElement[bool]) -> None:
    query = select(alert_notices).where(text(HELD), _N.channel == channel, same).order_by(_N.id)
    # Another engine that releases them at the same time finds none.
    rows = (await transaction.connection.execute(engine.store.dialect.lock_skipping(query))).all()
    most = engine.settings.alerts.channel_per_minute
    room = most - await _lately(transaction, channel, same, most)
    begun = {row.group_id for row in rows if row.kind == Kind.TRIGGER}
    begun -= await _open(engine, transaction, channel, begun)
    ends = [row for row in rows if row.kind == Kind.RESOLVE and row.group_id not in begun]
    for row in ends[: max(0, room - 1)]:
        await _send_end(engine, transaction, row)
        room -= 1
    rest = [row for row in rows if row not in ends]
    if rest and room > 0 and rest[0].at <= transaction.now - _GATHERED:
        await _summarise(engine, transaction, channel, rest)


async def _open(engine: Engine, transaction: Transaction, channel: str, group_ids: Collection[int]) -> set[int]:
    """Those of the groups of which the channel was told, by their own notices, and not of their end."""
    sent = (_N.channel == channel, _N.held.is_(False), _N.error.is_(None))
    mine = _N.group_id.in_(engine.store.dialect.id_list(sorted(group_ids)))
    last = select(func.max(_N.id)).where(*sent, mine).group_by(_N.group_id)
    found = select(_N.group_id).where(_N.id.in_(last), _N.kind != str(Kind.RESOLVE))
    return set((await transaction.connection.execute(found)).scalars()) if group_ids else set()


async def _send_end(engine: Engine, transaction: Transaction, row: Any) -> None:
    group = select(alert_groups.c.key).where(alert_groups.c.id == row.group_id)
    key = (await transaction.connection.execute(group)).scalar_one_or_none()
    if key is None:  # it was forgotten meanwhile, and nobody can name it any more
        gone = {"held": False, "error": "Its group is not kept any more."}
        await transaction.connection.execute(update(alert_notices).where(_N.id == row.id).values(**gone))
        return
    notice = Notice(key, row.tenant_id, "resolve", row.severity, row.title, (), None)
    ids = await engine.keep(Outlet, Outlet).notify(engine, transaction, [row.channel], notice)
    sent = {"held": False, "at": transaction.now, "notification_id": next(iter(ids), None)}
    await transaction.connection.execute(update(alert_notices).where(_N.id == row.id).values(**sent))


async def _summarise(engine: Engine, transaction: Transaction, channel: str, rows: Sequence[Any]) -> None:
    """One summary for each tenant, since a tenant must not read of another. Where nothing of it fires any more it opens
    nothing either."""
    tenants = {row.tenant_id for row in rows}
    for tenant in sorted(tenants, key=str):
        mine = [row for row in rows if row.tenant_id == tenant]
        severity = min((Severity(row.severity) for row in mine), key=lambda each: each.rank)
        named = "; ".join(row.title for row in mine[:_MOST_NAMED])
        more = f"; and {len(mine) - _MOST_NAMED} more" if len(mine) > _MOST_NAMED else ""
        title = f"{len(mine)} notices were too many for {channel} at once: {named}{more}"[:2_000]
        groups = engine.store.dialect.id_list(sorted({row.group_id for row in mine}))
        fires = await _fires(transaction, groups)
        key = _key(channel, tenant, transaction.now)
        notice = Notice(key, tenant, "trigger" if fires else "resolve", str(severity), title, (), None)
        ids = await engine.keep(Outlet, Outlet).notify(engine, transaction, [channel], notice)
        number = next(iter(ids), 0)
        await record(transaction, None, channel, notice, notification_id=number, kind=SUMMARY if fires else _CLOSED)
        these = _N.id.in_([row.id for row in mine])
        await transaction.connection.execute(update(alert_notices).where(these).values(notification_id=number))


def _key(channel: str, tenant: str | None, at: int) -> str:
    return f"summary:{channel}:{tenant or ''}:{at}"


async def _fires(transaction: Transaction, group_ids: Any) -> bool:
    firing = select(literal(1)).where(alerts.c.group_id.in_(group_ids), text(FIRING)).limit(1)
    return (await transaction.connection.execute(firing)).first() is not None


async def close(engine: Engine, transaction: Transaction, group_ids: Collection[int]) -> None:
    """Summaries that tell of these groups, which are over: once all of their groups are, that is told as well."""
    connection = transaction.connection
    mine = _N.group_id.in_(engine.store.dialect.id_list(sorted(group_ids)))
    in_a_summary = (mine, _N.held, _N.notification_id.is_not(None))
    found = select(_N.channel, _N.notification_id, func.max(_N.id).label("last")).where(*in_a_summary)
    for row in (await connection.execute(found.group_by(_N.channel, _N.notification_id))).all():
        same = (_N.channel == row.channel, _N.notification_id == row.notification_id)
        summaries = select(alert_notices).where(*same, _N.group_id.is_(None), _N.id > row.last, _N.kind == SUMMARY)
        for summary in (await connection.execute(engine.store.dialect.lock(summaries))).all():
            if not await _fires(transaction, select(_N.group_id).where(*same, _N.held)):
                await _close(engine, transaction, summary)


async def _close(engine: Engine, transaction: Transaction, row: Any) -> None:
    key = _key(row.channel, row.tenant_id, row.at)
    notice = Notice(key, row.tenant_id, "resolve", row.severity, row.title, (), None)
    ids = await engine.keep(Outlet, Outlet).notify(engine, transaction, [row.channel], notice)
    await record(transaction, None, row.channel, notice, notification_id=next(iter(ids), None), kind=_CLOSED)
    closed = update(alert_notices).where(_N.id == row.id).values(kind=_CLOSED)
    await transaction.connection.execute(closed)
