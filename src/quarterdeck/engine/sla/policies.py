"""Policies and their versions: making, changing, and which one an item goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, Text, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime, to_ms
from quarterdeck.contract.enums import EscalationAct, EscalationDoes, Resource
from quarterdeck.contract.models.base import Seen
from quarterdeck.contract.models.sla import NewPolicy, Policy, PolicyChange, PolicyList, PolicySettings
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.channels.naming import refuse_unknown
from quarterdeck.engine.core import Engine
from quarterdeck.engine.set_up import SetUp, Versioned, merged
from quarterdeck.engine.sla.calendar import calendar_of
from quarterdeck.engine.sla.clockwork import Rules, rules_of
from quarterdeck.engine.sla.tables import is_newest, sla_policies, sla_versions
from quarterdeck.engine.store.store import Transaction

MOST_POLICIES = 1_000
POLICY = SetUp("policy", "sla.policies", "sla_policies")
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
        row = await _find(connection, principal, policy_id)
        await POLICY.audit(engine, transaction, principal, "create", row, {"settings": settings})
        return _policy(row)


async def change_policy(engine: Engine, principal: Principal, policy_id: int, change: PolicyChange) -> Policy:
    """Each change is a new version. Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE, INVALID_INPUT, UNCHANGED."""
    async with engine.store.write() as transaction:
        connection, now = transaction.connection, transaction.now
        before = await _find_to_change(engine, transaction, principal, policy_id, change)
        settings = None
        if change.settings is not None:
            whole = merged(PolicySettings, before.settings, change.settings)
            settings = _checked(whole)
            await _reaches_somebody(connection, before.tenant_id, whole)
        wanted = {"name": change.name, "enabled": change.enabled}
        values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None and v != getattr(before, k)}
        details: dict[str, Any] = {"changes": {name: [getattr(before, name), value] for name, value in values.items()}}
        if settings is not None and settings != _settings(before).model_dump(mode="json"):
            since = now if change.effective_from is None else to_ms(change.effective_from)
            await _add_version(transaction, principal, policy_id, before.version + 1, since, settings)
            details["settings"] = settings
        if not values and "settings" not in details:
            raise POLICY.unchanged(before)
        values |= {"version": before.version + 1, "updated_at": now, "updated_by": principal.actor}
        await connection.execute(sla_policies.update().where(sla_policies.c.id == policy_id).values(**values))
        await POLICY.audit(engine, transaction, principal, "change", before, details, change.reason)
        return _policy(await _find(connection, principal, policy_id))


async def delete_policy(engine: Engine, principal: Principal, policy_id: int, seen: Seen | None = None) -> Policy:
    """Its clocks go on to their end; its versions stay for them. Raises Problem: NOT_FOUND, FORBIDDEN,
    CHANGED_SINCE."""
    async with engine.store.write() as transaction:
        before = await _find_to_change(engine, transaction, principal, policy_id, seen)
        gone = sla_policies.update().where(sla_policies.c.id == policy_id)
        await transaction.connection.execute(gone.values(deleted_at=transaction.now))
        await POLICY.audit(engine, transaction, principal, "delete", before, {"name": before.name})
        return _policy(before)


def _checked(settings: PolicySettings) -> dict[str, Any]:
    """As it is kept. Raises Problem(INVALID_INPUT) for a calendar that is none."""
    calendar_of(settings.calendar)
    return settings.model_dump(mode="json")


async def _reaches_somebody(connection: AsyncConnection, tenant: str | None, settings: PolicySettings) -> None:
    """Whether whoever is to be told can be. Raises Problem(INVALID_INPUT) with the place."""
    named = []
    for number, step in enumerate(settings.escalation):
        at = f"/settings/escalation/{number}/channels"
        named += [(f"{at}/{place}", name) for place, name in enumerate(step.channels)]
        if step.act is EscalationAct.NOTIFY and step.does is EscalationDoes.DO and not step.channels:
            said = f"Step {number + 1} of the escalation notifies nobody; name its channels, or let it only suggest."
            raise Problem(Code.INVALID_INPUT, said, errors=((at, "names nobody to notify"),))
    await refuse_unknown(connection, named, tenant)


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
    return (
        select(sla_policies, sla_versions.c.settings, sla_versions.c.effective_from)
        .select_from(sla_policies.join(sla_versions, is_newest()))
        .where(sla_policies.c.deleted_at.is_(None))
    )


async def _find_to_change(
    engine: Engine, transaction: Transaction, principal: Principal, policy_id: int, seen: Versioned | None
) -> Row[Any]:
    """Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE."""
    # First locked, then read: while one waits for the lock, another may add settings.
    only = engine.store.dialect.lock(select(sla_policies.c.id).where(sla_policies.c.id == policy_id))
    await transaction.connection.execute(only)
    row = await _find(transaction.connection, principal, policy_id)
    may_set_up(principal, row.tenant_id)
    POLICY.check_version(row, seen)
    return row


async def _find(connection: AsyncConnection, principal: Principal, policy_id: int) -> Row[Any]:
    row: Row[Any] | None = (await connection.execute(_current().where(sla_policies.c.id == policy_id))).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise POLICY.missing(policy_id)
    return row


def _settings(row: Row[Any]) -> PolicySettings:
    return PolicySettings.model_validate(row.settings)


def _fault(settings: PolicySettings) -> str | None:
    """What is wrong with a calendar that was good when it was made."""
    try:
        calendar_of(settings.calendar)
    except Problem as problem:
        _, sentence = problem.errors[0]
        return f"Its hours count by UTC and without public holidays: {sentence}."
    return None


def _policy(row: Row[Any]) -> Policy:
    settings = _settings(row)
    return Policy(
        id=row.id,
        name=row.name,
        resource=Resource(row.resource),
        tenant_id=row.tenant_id,
        kind=row.kind,
        enabled=row.enabled,
        version=row.version,
        effective_from=to_datetime(row.effective_from),
        settings=settings,
        error=_fault(settings),
        updated_at=to_datetime(row.updated_at),
        updated_by=row.updated_by,
    )
