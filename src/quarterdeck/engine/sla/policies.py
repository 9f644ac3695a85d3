"""Policies and their versions: making, changing, and which one an item goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, Text, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime, to_ms
from quarterdeck.contract.enums import EscalationAct, EscalationDoes, Resource
from quarterdeck.contract.models.sla import NewPolicy, Policy, PolicyChange, PolicyList, PolicySettings
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.channels.service import visible
from quarterdeck.engine.core import Engine
from quarterdeck.engine.sla.calendar import calendar_of
from quarterdeck.engine.sla.clockwork import Rules, rules_of
from quarterdeck.engine.sla.tables import sla_policies, sla_versions
from quarterdeck.engine.store.store import Transaction

MOST_POLICIES = 1_000
_TEXT = type_coerce(sla_versions.c.settings, Text).label("text")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a policy with what it promises."""

    id: int
    policy_id: int
    number: int
    name: str
    tenant_id: str | None
    kind: str | None
    effective_from: int
    rules: Rules

    def fits(self, tenant: str, kind: str) -> bool:
        return self.tenant_id in (None, tenant) and self.kind in (None, kind)

    @property
    def particular(self) -> tuple[bool, bool]:
        """The greater, the more particular: a tenant's own rule goes before one for a kind."""
        return self.tenant_id is not None, self.kind is not None


def _versions() -> Select[Any]:
    columns = (sla_policies.c.name, sla_policies.c.tenant_id, sla_policies.c.kind, sla_policies.c.enabled)
    joined = sla_versions.join(sla_policies, sla_policies.c.id == sla_versions.c.policy_id)
    return select(sla_versions, _TEXT, *columns).select_from(joined)


def _version(row: Row[Any]) -> Version:
    return Version(
        row.id,
        row.policy_id,
        row.number,
        row.name,
        row.tenant_id,
        row.kind,
        row.effective_from,
        rules_of(row.text),
    )


async def versions_by_id(connection: AsyncConnection, ids: set[int]) -> Mapping[int, Version]:
    if not ids:
        return {}
    found = await connection.execute(_versions().where(sla_versions.c.id.in_(sorted(ids))))
    return {row.id: _version(row) for row in found}


class Book:
    """The policies of a resource that are in force, to find the one an item goes by."""

    def __init__(self, versions: list[Version]) -> None:
        # Of one policy the newest version first; the more particular policy before the more general one.
        self._versions = sorted(
            versions, key=lambda each: (*each.particular, -each.policy_id, each.number), reverse=True
        )

    def __bool__(self) -> bool:
        return bool(self._versions)

    def find(self, tenant: str, kind: str, moment: int) -> Version | None:
        """What was in force for such an item at that moment."""
        for each in self._versions:
            if each.effective_from <= moment and each.fits(tenant, kind):
                return each
        return None


async def book_of(connection: AsyncConnection, resource: Resource | str) -> Book:
    alive = (sla_policies.c.enabled, sla_policies.c.deleted_at.is_(None))
    query = _versions().where(sla_policies.c.resource == str(resource), *alive)
    return Book([_version(row) for row in await connection.execute(query)])


async def list_policies(engine: Engine, principal: Principal) -> PolicyList:
    async with engine.store.read() as connection:
        rows = await connection.execute(_current().order_by(sla_policies.c.resource, sla_policies.c.id))
        return PolicyList(items=[_policy(row) for row in rows if principal.sees_shared(row.tenant_id)])


async def show_policy(engine: Engine, principal: Principal, policy_id: int) -> Policy:
    """Raises Problem(NOT_FOUND)."""
    async with engine.store.read() as connection:
        return _policy(await _find(connection, principal, policy_id))


async def create_policy(engine: Engine, principal: Principal, new: NewPolicy) -> Policy:
    """Raises Problem: INVALID_INPUT, FORBIDDEN, UNCHANGED where there is one for the same items."""
    may_set_up(principal, new.tenant_id)
    settings = _checked(new.settings)
    async with engine.store.write() as transaction:
        connection, now = transaction.connection, transaction.now
        await _reaches_somebody(connection, new.tenant_id, new.settings)
        rows = (await connection.execute(_current().where(sla_policies.c.resource == str(new.resource)))).all()
        for row in rows:
            if (row.tenant_id, row.kind) == (new.tenant_id, new.kind):
                raise Problem(
                    Code.UNCHANGED, f"Policy {row.id} ({row.name}) is for the same items already; change that one."
                )
        if len(rows) >= MOST_POLICIES:
            raise Problem(Code.INVALID_INPUT, f"There are {MOST_POLICIES:,} policies; delete some first.")
        values = {
            "name": new.name,
            "resource": str(new.resource),
            "tenant_id": new.tenant_id,
            "kind": new.kind,
            "version": 1,
            "created_at": now,
            "updated_at": now,
            "updated_by": principal.actor,
        }
        inserted = await connection.execute(sla_policies.insert().values(**values).returning(sla_policies.c.id))
        policy_id = inserted.scalar_one()
        since = now if new.effective_from is None else to_ms(new.effective_from)
        await _add_version(transaction, principal, policy_id, 1, since, settings)
        await _audit(engine, transaction, principal, "create", policy_id, new.tenant_id, None, {"settings": settings})
        return _policy(await _find(connection, principal, policy_id))


async def change_policy(engine: Engine, principal: Principal, policy_id: int, change: PolicyChange) -> Policy:
    """New settings are a new version. Raises Problem: NOT_FOUND, FORBIDDEN, INVALID_INPUT, UNCHANGED."""
    settings = None if change.settings is None else _checked(change.settings)
    async with engine.store.write() as transaction:
        connection, now = transaction.connection, transaction.now
        before = await _find(connection, principal, policy_id)
        may_set_up(principal, before.tenant_id)
        if change.settings is not None:
            await _reaches_somebody(connection, before.tenant_id, change.settings)
        wanted = {"name": change.name, "enabled": change.enabled}
        values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None and v != getattr(before, k)}
        details: dict[str, Any] = {"changes": {name: [getattr(before, name), value] for name, value in values.items()}}
        if settings is not None and settings != _settings(before).model_dump(mode="json"):
            values["version"] = before.version + 1
            since = now if change.effective_from is None else to_ms(change.effective_from)
            await _add_version(transaction, principal, policy_id, before.version + 1, since, settings)
            details["settings"] = settings
        if not values:
            raise Problem(Code.UNCHANGED, f"Policy {policy_id} ({before.name}) is so already; there is nothing to do.")
        values |= {"updated_at": now, "updated_by": principal.actor}
        await connection.execute(sla_policies.update().where(sla_policies.c.id == policy_id).values(**values))
        await _audit(engine, transaction, principal, "change", policy_id, before.tenant_id, change.reason, details)
        return _policy(await _find(connection, principal, policy_id))


async def delete_policy(engine: Engine, principal: Principal, policy_id: int) -> Policy:
    """Its clocks go on to their end; its versions stay for them. Raises Problem: NOT_FOUND, FORBIDDEN."""
    async with engine.store.write() as transaction:
        before = await _find(transaction.connection, principal, policy_id)
        may_set_up(principal, before.tenant_id)
        gone = sla_policies.update().where(sla_policies.c.id == policy_id)
        await transaction.connection.execute(gone.values(deleted_at=transaction.now))
        await _audit(engine, transaction, principal, "delete", policy_id, before.tenant_id, None, {"name": before.name})
        return _policy(before)


def _checked(settings: PolicySettings) -> dict[str, Any]:
    """As it is kept. Raises Problem(INVALID_INPUT) for a calendar that is none."""
    calendar_of(settings.calendar)
    return settings.model_dump(mode="json")


async def _reaches_somebody(connection: AsyncConnection, tenant: str | None, settings: PolicySettings) -> None:
    """Whether whoever is to be told can be. Raises Problem(INVALID_INPUT) with the place."""
    names = {name for step in settings.escalation for name in step.channels}
    known = await visible(connection, sorted(names), tenant) if names else set()
    whose = "for every tenant" if tenant is None else f"for {tenant}"
    for number, step in enumerate(settings.escalation):
        at = f"/settings/escalation/{number}/channels"
        if step.act is EscalationAct.NOTIFY and step.does is EscalationDoes.DO and not step.channels:
            said = f"Step {number + 1} of the escalation notifies nobody; name its channels, or let it only suggest."
            raise Problem(Code.INVALID_INPUT, said, errors=((at, "names nobody to notify"),))
        for place, name in enumerate(step.channels):
            if name not in known:
                said = f"There is no channel {name} {whose}; qd alerts channels list says which there are."
                raise Problem(Code.INVALID_INPUT, said, errors=((f"{at}/{place}", f"is no channel {whose}"),))


async def _add_version(
    transaction: Transaction, principal: Principal, policy_id: int, number: int, since: int, settings: dict[str, Any]
) -> None:
    values = {
        "policy_id": policy_id,
        "number": number,
        "effective_from": since,
        "settings": settings,
        "created_at": transaction.now,
        "created_by": principal.actor,
    }
    await transaction.connection.execute(sla_versions.insert(), values)


def _current() -> Select[Any]:
    joined = sla_policies.join(
        sla_versions,
        (sla_versions.c.policy_id == sla_policies.c.id) & (sla_versions.c.number == sla_policies.c.version),
    )
    return (
        select(sla_policies, sla_versions.c.settings, sla_versions.c.effective_from)
        .select_from(joined)
        .where(sla_policies.c.deleted_at.is_(None))
    )


async def _find(connection: AsyncConnection, principal: Principal, policy_id: int) -> Row[Any]:
    row: Row[Any] | None = (await connection.execute(_current().where(sla_policies.c.id == policy_id))).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise Problem(Code.NOT_FOUND, f"There is no policy {policy_id}; the list says which there are.")
    return row


def _settings(row: Row[Any]) -> PolicySettings:
    return PolicySettings.model_validate(row.settings)


def _policy(row: Row[Any]) -> Policy:
    return Policy(
        id=row.id,
        name=row.name,
        resource=Resource(row.resource),
        tenant_id=row.tenant_id,
        kind=row.kind,
        enabled=row.enabled,
        version=row.version,
        effective_from=to_datetime(row.effective_from),
        settings=_settings(row),
        updated_at=to_datetime(row.updated_at),
        updated_by=row.updated_by,
    )


async def _audit(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    verb: str,
    policy_id: int,
    tenant: str | None,
    reason: str | None,
    details: dict[str, Any],
) -> None:
    await audit.append(
        transaction,
        engine.store,
        principal,
        f"sla.policies.{verb}",
        tenant_id=tenant,
        resource="sla_policies",
        target=str(policy_id),
        reason=reason,
        details=details,
    )
