"""What people do with alerts: acknowledge them, or say that they are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import AlertState
from quarterdeck.contract.models.alerts import Acknowledge, Acted, Resolve, Unacknowledge
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts.history import mine
from quarterdeck.engine.alerts.tables import alert_groups, alerts
from quarterdeck.engine.alerts.telling import note, over_at, start_again, tell
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

_A = alerts.c


async def acknowledge(engine: Engine, principal: Principal, request: Acknowledge) -> Acted:
    minutes = request.minutes or engine.settings.alerts.acknowledge_minutes

    async def work(transaction: Transaction) -> Acted:
        values: dict[str, Any] = {
            "acked_by": principal.actor,
            "acked_at": transaction.now,
            "acked_until": transaction.now + minutes * MINUTE,
            "acked_value": _A.value,
            "updated_at": transaction.now,
        }
        return await _act(engine, transaction, principal, request.ids, "acknowledged", values, request.note)

    return await engine.store.write_at_once(work)


async def unacknowledge(engine: Engine, principal: Principal, request: Unacknowledge) -> Acted:
    """They are told at once, where their groups have been told before."""
    theirs = (_A.id.in_(engine.store.dialect.id_list(request.ids)), *mine(principal))
    async with engine.store.write() as transaction:
        ids = (await transaction.connection.execute(select(_A.id).where(*theirs))).scalars().all()
        verb = "unacknowledged"
        done = await start_again(engine, transaction, ids, lambda _: True, verb, request.note, principal)
        if done:
            rows = select(_A.id, _A.group_id, _A.tenant_id).where(_A.id.in_(engine.store.dialect.id_list(done)))
            told = (await transaction.connection.execute(rows)).all()
            await _tell(engine, transaction, principal, verb, told, request.note)
    return Acted(done=done, skipped=sorted(set(request.ids) - set(done)))


async def resolve(engine: Engine, principal: Principal, request: Resolve) -> Acted:
    """What is still true is not taken up again until it has ended, or the time of an acknowledgement is over."""

    async def work(transaction: Transaction) -> Acted:
        now = transaction.now
        values: dict[str, Any] = {
            "state": str(AlertState.RESOLVED),
            "resolved_at": over_at(now),
            "held_until": now + engine.settings.alerts.acknowledge_minutes * MINUTE,
            "acked_until": None,
            "updated_at": now,
        }
        return await _act(engine, transaction, principal, request.ids, "resolved", values, request.note)

    return await engine.store.write_at_once(work)


async def _act(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    ids: Sequence[int],
    verb: str,
    values: dict[str, Any],
    body: str | None,
) -> Acted:
    which = (_A.id.in_(engine.store.dialect.id_list(ids)), _A.state == str(AlertState.FIRING), *mine(principal))
    changed = update(alerts).where(*which).values(**values).returning(_A.id, _A.group_id, _A.tenant_id)
    rows = (await transaction.connection.execute(changed)).all()
    done = sorted(row.id for row in rows)
    if done:
        await note(transaction, done, verb, principal.actor, body)
        await _tell(engine, transaction, principal, verb, rows, body)
    left = set(ids) - set(done)
    return Acted(done=done, skipped=sorted(left))


async def _tell(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    verb: str,
    rows: Sequence[Any],
    body: str | None,
) -> None:
    """Groups that have spoken tell it at once; a new one goes on waiting for others."""
    groups = engine.store.dialect.id_list(sorted({row.group_id for row in rows if row.group_id is not None}))
    soon = (alert_groups.c.sent_at.is_not(None), alert_groups.c.next_at > transaction.now)
    told = update(alert_groups).where(alert_groups.c.id.in_(select(groups.subquery().c.id)), *soon)
    await transaction.connection.execute(told.values(next_at=transaction.now))
    tenants, ids = {row.tenant_id for row in rows}, sorted(row.id for row in rows)
    await audit.append(
        transaction,
        engine.store,
        principal,
        f"alerts.{verb}",
        tenant_id=next(iter(tenants)) if len(tenants) == 1 else None,
        resource="alerts",
        target=str(ids[0]) if len(ids) == 1 else None,
        reason=body,
        details={"ids": ids},
    )
    tell(engine, transaction)
