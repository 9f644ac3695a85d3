"""What time alone begins and ends: silences, acknowledgements, alerts from outside, and what was resolved by hand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, or_, select, text, update

from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.alerts import silencing
from quarterdeck.engine.alerts.tables import ACKED, EXPIRING, alerts, silences
from quarterdeck.engine.alerts.telling import SENT_RESOLVED, over_at, start_again, tell
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

_AT_ONCE = 5_000
_A, _S = alerts.c, silences.c


def is_due(now: int) -> ColumnElement[bool]:
    """Whether `turn` has anything to do."""
    return or_(
        select(literal(1)).where(*_silences(now)).exists(),
        select(literal(1)).where(text(EXPIRING), _A.ends_at <= now).exists(),
        select(literal(1)).where(text(ACKED), _A.acked_until <= now).exists(),
        select(literal(1)).where(*_held(now)).exists(),
    )


def _silences(now: int) -> tuple[ColumnElement[bool], ...]:
    return _S.next_at.is_not(None), _S.next_at <= now


def _held(now: int) -> tuple[ColumnElement[bool], ...]:
    return _A.held_until.is_not(None), _A.held_until <= now, _A.type == str(AlertType.EXTERNAL)


async def turn(engine: Engine, transaction: Transaction) -> None:
    """One line in the audit trail says how many."""
    connection, now = transaction.connection, transaction.now
    # Acknowledgements first: their groups are locked before any alert is, as whoever speaks for them does.
    counts = {"acknowledgements_ended": await _lapse(engine, transaction)}
    begin = func.sum(case((_S.ends_at > now, 1), else_=0))
    begun, due = (await connection.execute(select(begin, func.count()).where(*_silences(now)))).one()
    if await silencing.turn(engine, transaction):
        counts |= {"silences_begun": int(begun or 0), "silences_ended": int(due - (begun or 0))}
    ended_at = over_at(_A.ends_at)
    over: dict[str, Any] = {"state": SENT_RESOLVED, "resolved_at": ended_at, "updated_at": now, "acked_until": None}
    ended = await connection.execute(update(alerts).where(text(EXPIRING), _A.ends_at <= now).values(**over))
    counts["alerts_ended"] = ended.rowcount
    if ended.rowcount:
        tell(engine, transaction)
    await connection.execute(update(alerts).where(*_held(now)).values(held_until=None))
    if any(counts.values()):
        details = {name: number for name, number in counts.items() if number}
        await audit.append(transaction, engine.store, SYSTEM, "alerts.timed", details=details)


async def _lapse(engine: Engine, transaction: Transaction) -> int:
    now = transaction.now
    lapsed = select(_A.id).where(text(ACKED), _A.acked_until <= now).limit(_AT_ONCE)
    ids = (await transaction.connection.execute(lapsed)).scalars().all()

    def is_over(row: Any) -> bool:
        return bool(row.acked_until <= now)  # not where somebody has just acknowledged it anew

    return len(await start_again(engine, transaction, ids, is_over, "acknowledgement_ended", "It still fires."))
