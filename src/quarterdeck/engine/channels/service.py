"""Notifications: each is a row that stays, and a run that carries it out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import NotificationState, RunStatus
from quarterdeck.engine.channels.messages import Message
from quarterdeck.engine.channels.tables import notification_channels, notifications
from quarterdeck.engine.channels.words import one_line
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import NOTIFICATIONS
from quarterdeck.engine.runs.service import OURS, New, enqueue
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.store import Transaction

KIND = "notification"
# What is kept of a notice: as many of its alerts, and as much of their JSON text.
MOST_ALERTS = 100
MOST_CHARACTERS = 256 * 1024
_PENDING, _SKIPPED = str(NotificationState.PENDING), str(NotificationState.SKIPPED)


@dataclass(frozen=True)
class Notice:
    """`key` names the group over its whole life. Each alert: labels, annotations, starts_at, ends_at, value,
    threshold, fingerprint. `total`: of how many these are the first; none: there are no more."""

    key: str
    tenant_id: str | None
    kind: Literal["trigger", "acknowledge", "resolve"]
    severity: str
    title: str
    alerts: tuple[dict[str, Any], ...]
    url: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class NotificationStatus:
    """Times in ms. `next_at`: when it is tried again."""

    id: int
    channel: str
    state: NotificationState
    run_id: int | None
    attempts: int
    error_code: str | None
    error_message: str | None
    created_at: int
    ended_at: int | None
    next_at: int | None


async def notify(engine: Engine, transaction: Transaction, channel_names: Sequence[str], notice: Notice) -> list[int]:
    """Ids of notifications, one for each channel in their order. They go out once the transaction is committed.

    A name means the tenant's own channel before the one of everybody. Where no channel can take it, that is what
    becomes of its notification.
    """
    names = list(dict.fromkeys(channel_names))
    if not names:
        return []
    connection, dialect = transaction.connection, engine.store.dialect
    channels = await _channels(connection, names, notice.tenant_id)
    ids = await dialect.next_ids(connection, notifications, len(names))
    content = _content(notice)
    rows: list[dict[str, Any]] = []
    for number, name in zip(ids, names, strict=True):
        channel = channels.get(name)
        rows.append(
            {
                "id": number,
                "channel_id": None if channel is None else channel.id,
                "channel": name,
                "tenant_id": notice.tenant_id,
                "created_at": transaction.now,
                "content": content,
                **_standing(name, channel, transaction.now),
            }
        )
    going = [row for row in rows if row["state"] == _PENDING]
    new = [
        New(NOTIFICATIONS, KIND, notice.tenant_id or OURS, {"notification": row["id"], "channel": row["channel"]})
        for row in going
    ]
    made = await enqueue(engine, transaction, new) if new else None
    for row, run_id in zip(going, made.ids if made else (), strict=True):
        row["run_id"] = run_id
    await connection.execute(notifications.insert(), rows)
    return list(ids)


async def status_of(connection: AsyncConnection, notification_ids: Sequence[int]) -> dict[int, NotificationStatus]:
    """By id; those that are not kept any more are left out."""
    found: dict[int, NotificationStatus] = {}
    ids = list(dict.fromkeys(notification_ids))
    columns = [each for each in notifications.c if each.name != "content"]
    later = runs.c.status.in_([str(RunStatus.FAILED), str(RunStatus.SCHEDULED), str(RunStatus.WAITING)])
    # A run that somebody has cancelled, or that is not kept any more, will not come back.
    over = or_(runs.c.id.is_(None), runs.c.status == str(RunStatus.CANCELLED))
    state = case(
        (notifications.c.state != _PENDING, notifications.c.state),
        (over, str(NotificationState.CANCELLED)),
        else_=notifications.c.state,
    )
    query = select(*columns, state.label("seen"), case((later, runs.c.run_at)).label("next_at")).select_from(
        notifications.join(runs, runs.c.id == notifications.c.run_id, isouter=True)
    )
    for start in range(0, len(ids), 500):
        part = query.where(notifications.c.id.in_(ids[start : start + 500]))
        for row in await connection.execute(part):
            found[row.id] = _status(row)
    return found


async def visible(connection: AsyncConnection, names: Sequence[str], tenant: str | None) -> set[str]:
    """Those of the names that mean a channel to this tenant; None: to every one."""
    return set(await _channels(connection, names, tenant))


async def owners(connection: AsyncConnection, name: str) -> set[str]:
    """Tenants that have a channel of their own by this name; to every other it means the one of everybody."""
    c = notification_channels.c
    return set(
        (await connection.execute(select(c.tenant_id).where(c.name == name, c.tenant_id.is_not(None)))).scalars()
    )


def message_of(row: Row[Any]) -> Message:
    """From a row of `notifications`."""
    said = row.content
    return Message(
        id=f"notification_{row.id}",
        at=row.created_at,
        key=said["key"],
        kind=said["kind"],
        severity=said["severity"],
        title=said["title"],
        alerts=tuple(said["alerts"]),
        total=said["total"],
        tenant_id=row.tenant_id,
        url=said["url"],
    )


async def _channels(connection: AsyncConnection, names: Sequence[str], tenant: str | None) -> dict[str, Row[Any]]:
    whose: ColumnElement[bool] = notification_channels.c.tenant_id.is_(None)
    if tenant is not None:
        whose |= notification_channels.c.tenant_id == tenant
    query = select(notification_channels).where(notification_channels.c.name.in_(names), whose)
    rows = (await connection.execute(query)).all()
    # The tenant's own comes last, and stays.
    return {row.name: row for row in sorted(rows, key=lambda row: row.tenant_id is not None)}


def _standing(name: str, channel: Row[Any] | None, now: int) -> dict[str, Any]:
    if channel is not None and channel.enabled:
        return {"state": _PENDING, "ended_at": None, "error_code": None, "error_message": None, "run_id": None}
    if channel is None:
        code, said = "no_channel", f"There is no channel {name}."
    else:
        code, said = "channel_off", off(channel)
    return {"state": _SKIPPED, "ended_at": now, "error_code": code, "error_message": said, "run_id": None}


def off(channel: Row[Any]) -> str:
    """For people: that the channel is switched off."""
    why = f": {channel.disabled_reason}" if channel.disabled_reason else "."
    return f"Channel {channel.name} is switched off{why}"


def _content(notice: Notice) -> dict[str, Any]:
    alerts: list[dict[str, Any]] = []
    room = MOST_CHARACTERS
    for alert in notice.alerts[:MOST_ALERTS]:
        room -= len(json.dumps(alert, default=str))
        if room < 0:
            break
        alerts.append(json.loads(json.dumps(alert, default=str)))
    return {
        "key": notice.key,
        "kind": notice.kind,
        "severity": str(notice.severity),
        "title": one_line(notice.title, 2_000),
        "url": notice.url,
        "total": len(notice.alerts) if notice.total is None else notice.total,
        "alerts": alerts,
    }


def _status(row: Any) -> NotificationStatus:
    state = NotificationState(row.seen)
    return NotificationStatus(
        row.id,
        row.channel,
        state,
        row.run_id,
        row.attempts,
        row.error_code,
        row.error_message,
        row.created_at,
        row.ended_at,
        row.next_at if state is NotificationState.PENDING else None,
    )
