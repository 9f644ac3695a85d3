"""What every change of alerts does besides: consoles hear of it, groups are woken, lines are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, literal, select, text, update

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AlertState
from quarterdeck.contract.live import Message
from quarterdeck.engine.alerts.tables import OPEN, alert_events, alert_groups, alerts
from quarterdeck.engine.store.store import Transaction

if TYPE_CHECKING:
    from quarterdeck.contract.principal import Principal
    from quarterdeck.engine.core import Engine

SENT_FIRING, SENT_RESOLVED = str(AlertState.FIRING), str(AlertState.RESOLVED)


def tell(engine: Engine, transaction: Transaction) -> None:
    transaction.after_commit(lambda: engine.hub.publish_figures(Message.ALERTS_CHANGED))


def over_at(moment: int | ColumnElement[Any]) -> ColumnElement[Any]:
    """When alerts are over that end then: never before they began, even where the clock was put back meanwhile."""
    return case((alerts.c.starts_at > moment, alerts.c.starts_at), else_=moment)


async def wake(transaction: Transaction, group_ids: Iterable[int | None], wait_seconds: float) -> None:
    """Groups with something to say, that had nothing: they wait for others first. Without a wait, those that have
    not spoken yet do so now."""
    ids = sorted({each for each in group_ids if each is not None})
    asleep: ColumnElement[bool] = alert_groups.c.next_at.is_(None)
    if wait_seconds == 0:
        asleep |= alert_groups.c.sent_at.is_(None)
    at = transaction.now + int(wait_seconds * SECOND)
    for start in range(0, len(ids), 500):
        woken = update(alert_groups).where(alert_groups.c.id.in_(ids[start : start + 500]), asleep)
        await transaction.connection.execute(woken.values(next_at=at))


async def note(transaction: Transaction, ids: Sequence[int], kind: str, actor: str, body: str | None = None) -> None:
    """A line for each of these alerts."""
    lines = [{"alert_id": each, "at": transaction.now, "type": kind, "actor": actor, "body": body} for each in ids]
    if lines:
        await transaction.connection.execute(alert_events.insert(), lines)


async def ended_by(
    engine: Engine, transaction: Transaction, which: ColumnElement[bool], why: str, who: Principal
) -> None:
    """Everything open of these is over, for a reason of its own."""
    connection, now = transaction.connection, transaction.now
    open_ = (which, text(OPEN))
    firing = alerts.c.state == str(AlertState.FIRING)
    lines = select(alerts.c.id, literal(now), literal("resolved"), literal(who.actor), literal(why))
    names = ["alert_id", "at", "type", "actor", "body"]
    await connection.execute(alert_events.insert().from_select(names, lines.where(*open_, firing)))
    groups = (await connection.execute(select(alerts.c.group_id).where(*open_, firing).distinct())).scalars().all()
    await connection.execute(alerts.delete().where(which, alerts.c.state == str(AlertState.PENDING)))
    over: dict[str, Any] = {"state": SENT_RESOLVED, "resolved_at": over_at(now), "updated_at": now, "acked_until": None}
    await connection.execute(update(alerts).where(which, firing).values(**over))
    await connection.execute(update(alerts).where(*open_).values(held_until=None))
    await wake(transaction, groups, 0)
