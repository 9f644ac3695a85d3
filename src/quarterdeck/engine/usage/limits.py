"""Limits: what a tenant may use in a period."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import Period
from quarterdeck.contract.models.base import Seen
from quarterdeck.contract.models.usage import NewUsageLimit, UsageLimit, UsageLimitList
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.set_up import SetUp, changed_since
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.sums import tell
from quarterdeck.engine.usage.tables import NOBODY, usage_limits

_MOST = 10_000
_C = usage_limits.c
ALIVE = _C.deleted_at.is_(None)
LIMIT = SetUp("limit", "usage.limits", "usage_limits")


async def list_limits(engine: Engine, principal: Principal) -> UsageLimitList:
    async with engine.store.read() as connection:
        rows = await seen_by(connection, principal)
    return UsageLimitList(items=[_limit(row) for row in rows])


async def set_limit(engine: Engine, principal: Principal, new: NewUsageLimit) -> UsageLimit:
    """Raises Problem: FORBIDDEN, CHANGED_SINCE, UNCHANGED where it is so already, INVALID_INPUT where there are too
    many."""
    _may_write(principal, new.tenant_id)
    async with engine.store.write() as transaction:
        connection = transaction.connection
        key = (new.tenant_id or NOBODY, new.resource_type, str(new.period))
        same = (_C.tenant_id == key[0], _C.resource_type == key[1], _C.period == key[2])
        before = (await connection.execute(engine.store.dialect.lock(select(usage_limits).where(*same)))).first()
        _check_version(before, new.version)
        there = before is not None and before.deleted_at is None
        if before is not None and there and before.quantity == new.quantity:
            raise Problem(Code.UNCHANGED, f"The limit is {new.quantity:,} already.")
        number = select(func.count()).select_from(usage_limits).where(ALIVE)
        if not there and (await connection.execute(number)).scalar_one() >= _MOST:
            raise Problem(Code.INVALID_INPUT, f"There are {_MOST:,} limits; delete some first.")
        row = await settle(engine, transaction, principal, key, new.quantity, before, version=new.version)
    return _limit(row)


def _check_version(before: Row[Any] | None, version: int | None) -> None:
    """Raises Problem(CHANGED_SINCE)."""
    if before is None or version in (None, before.version):
        return
    if before.deleted_at is None:
        raise changed_since(f"{_title(before)} was set to {before.quantity:,}", before.updated_by)
    if version != 0:
        raise changed_since(f"{_title(before)} was forgotten", before.updated_by)


def _title(row: Row[Any]) -> str:
    return f"The limit on {row.resource_type} of {row.tenant_id or 'each tenant'} a {row.period}"


async def settle(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    key: tuple[str, str, str],
    quantity: int,
    before: Row[Any] | None,
    *,
    by: str | None = None,
    why: str | None = None,
    version: int | None = None,
) -> Row[Any]:
    """Keeps the limit of (tenant, resource type, period) with its audit entry. With a `version` raises
    Problem(CHANGED_SINCE) where somebody was quicker whom `before` does not show yet."""
    values = {"quantity": quantity, "updated_by": by or principal.actor, "updated_at": transaction.now}
    again = {**values, "version": _C.version + 1, "deleted_at": None}
    named = dict(zip(("tenant_id", "resource_type", "period"), key, strict=True))
    same = None if version is None else _C.version == (0 if before is None else before.version)
    kept = engine.store.dialect.insert(usage_limits).values(**named, **values)
    kept = kept.on_conflict_do_update(index_elements=[_C[name] for name in named], set_=again, where=same)
    row: Row[Any] | None = (await transaction.connection.execute(kept.returning(usage_limits))).one_or_none()
    if row is None:
        raise changed_since(f"The limit on {key[1]} of {key[0] or 'each tenant'} a {key[2]} was set", "somebody else")
    tell(engine, transaction)
    former = None if before is None or before.deleted_at is not None else before.quantity
    if former != quantity:
        await _audit(engine, transaction, principal, "set", row, former, quantity, why)
    return row


async def delete_limit(engine: Engine, principal: Principal, limit_id: int, seen: Seen | None = None) -> UsageLimit:
    """Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE, WRONG_STATE where it would be back with the next start."""
    async with engine.store.write() as transaction:
        query = engine.store.dialect.lock(select(usage_limits).where(_C.id == limit_id, ALIVE))
        row = (await transaction.connection.execute(query)).first()
        if row is None or not (row.tenant_id == NOBODY or principal.sees(row.tenant_id)):
            raise LIMIT.missing(limit_id)
        _may_write(principal, row.tenant_id or None)
        _check_version(row, None if seen is None else seen.version)
        if row.tenant_id == NOBODY and row.period in engine.settings.usage.limits.get(row.resource_type, {}):
            raise Problem(
                Code.WRONG_STATE,
                f"The limit on {row.resource_type} a {row.period} is named in config.toml; take it out of"
                " [usage.limits] and start the engine again.",
            )
        gone = await forget(engine, transaction, principal, row)
    return _limit(gone)


async def forget(
    engine: Engine, transaction: Transaction, principal: Principal, row: Row[Any], *, why: str | None = None
) -> Row[Any]:
    values = {"version": _C.version + 1, "updated_by": principal.actor, "updated_at": transaction.now}
    gone = update(usage_limits).where(_C.id == row.id).values(**values, deleted_at=transaction.now)
    after: Row[Any] = (await transaction.connection.execute(gone.returning(usage_limits))).one()
    tell(engine, transaction)
    await _audit(engine, transaction, principal, "delete", row, row.quantity, None, why)
    return after


async def seen_by(connection: AsyncConnection, principal: Principal) -> list[Row[Any]]:
    """Limits of tenants that `principal` sees, and those of each tenant."""
    wanted = select(usage_limits).where(ALIVE).order_by(_C.resource_type, _C.tenant_id, _C.period, _C.id)
    if principal.tenants is not None:
        wanted = wanted.where(_C.tenant_id.in_([NOBODY, *sorted(principal.tenants)]))
    return list((await connection.execute(wanted)).all())


def _may_write(principal: Principal, tenant_id: str | None) -> None:
    """Limits are set by who sees every tenant, not by the tenant whom they hold."""
    if principal.tenants is not None:
        whose = "every tenant" if tenant_id is None else f"tenant {tenant_id}"
        raise Problem(
            Code.FORBIDDEN,
            f"{principal.actor} answers for some tenants only; a limit of {whose} is set by an admin of all of them.",
        )


def _limit(row: Row[Any]) -> UsageLimit:
    return UsageLimit(
        id=row.id,
        version=row.version,
        resource_type=row.resource_type,
        tenant_id=row.tenant_id or None,
        period=Period(row.period),
        quantity=row.quantity,
        updated_at=to_datetime(row.updated_at),
        updated_by=row.updated_by,
    )


async def _audit(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    verb: str,
    row: Row[Any],
    before: int | None,
    after: int | None,
    why: str | None,
) -> None:
    details = {"resource_type": row.resource_type, "period": row.period, "before": before, "after": after}
    await LIMIT.audit(engine, transaction, principal, verb, row, details, why)
