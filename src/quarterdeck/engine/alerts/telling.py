"""What every change of alerts does besides: consoles hear of it, groups are woken, lines are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, literal, select, text, update

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AlertState
from quarterdeck.contract.live import Message
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.alerts.tables import OPEN, alert_events, alert_groups, alert_rules, alerts
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


async def lock_groups(engine: Engine, transaction: Transaction, group_ids: Iterable[int | None]) -> None:
    """Before alerts are written of groups that are to be woken at once: whoever speaks for them locks them first too,
    and two that wait for each other would both be stopped."""
    ids = sorted({each for each in group_ids if each is not None})
    dialect = engine.store.dialect
    if ids and dialect.skips_locked:
        mine = select(alert_groups.c.id).where(alert_groups.c.id.in_(dialect.id_list(ids)))
        await transaction.connection.execute(dialect.lock(mine.order_by(alert_groups.c.id)))


async def note(transaction: Transaction, ids: Sequence[int], kind: str, actor: str, body: str | None = None) -> None:
    """A line for each of these alerts."""
    lines = [{"alert_id": each, "at": transaction.now, "type": kind, "actor": actor, "body": body} for each in ids]
    if lines:
        await transaction.connection.execute(alert_events.insert(), lines)


async def note_error(transaction: Transaction, rule_id: int, what: str, error: Exception) -> None:
    """The rule says so, until it is evaluated again."""
    said = f"{what} ({type(error).__name__}); the engine's log says more."
    await transaction.connection.execute(update(alert_rules).where(alert_rules.c.id == rule_id).values(error=said))


async def ended_by(
    engine: Engine, transaction: Transaction, which: ColumnElement[bool], why: str, who: Principal
) -> None:
    """Everything open of these is over, for a reason of its own."""
    connection, now = transaction.connection, transaction.now
    open_ = (which, text(OPEN))
    firing = alerts.c.state == str(AlertState.FIRING)
    groups = (await connection.execute(select(alerts.c.group_id).where(*open_, firing).distinct())).scalars().all()
    await lock_groups(engine, transaction, groups)
    lines = select(alerts.c.id, literal(now), literal("resolved"), literal(who.actor), literal(why))
    names = ["alert_id", "at", "type", "actor", "body"]
    await connection.execute(alert_events.insert().from_select(names, lines.where(*open_, firing)))
    await connection.execute(alerts.delete().where(which, alerts.c.state == str(AlertState.PENDING)))
    over: dict[str, Any] = {"state": SENT_RESOLVED, "resolved_at": over_at(now), "updated_at": now, "acked_until": None}
    await connection.execute(update(alerts).where(which, firing).values(**over))
    await connection.execute(update(alerts).where(*open_).values(held_until=None))
    await wake(transaction, groups, 0)


async def start_again(
    engine: Engine,
    transaction: Transaction,
    ids: Sequence[int],
    is_over: Callable[[Any], bool],
    kind: str,
    why: str | None,
    who: Principal = SYSTEM,
) -> list[int]:
    """Acknowledgements that hold no longer: of these alerts, those that still are acknowledged and of which `is_over`
    (id, acked_until, acked_value as they are now) says so. They are told as if they were new. Their ids."""
    if not ids:
        return []
    connection, dialect, c = transaction.connection, engine.store.dialect, alerts.c
    acked = (c.id.in_(dialect.id_list(ids)), c.state == str(AlertState.FIRING), c.acked_until.is_not(None))
    groups = (await connection.execute(select(c.group_id).where(*acked).distinct())).scalars().all()
    await lock_groups(engine, transaction, groups)
    query = select(c.id, c.acked_until, c.acked_value).where(*acked).order_by(c.id)
    over = [row.id for row in await connection.execute(dialect.lock(query)) if is_over(row)]
    none: dict[str, Any] = {"acked_by": None, "acked_at": None, "acked_until": None, "acked_value": None, "sent": None}
    await connection.execute(update(alerts).where(c.id.in_(dialect.id_list(over))).values(**none))
    await note(transaction, over, kind, who.actor, why)
    await wake(transaction, groups, 0)
    return over
