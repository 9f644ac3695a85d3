"""Rules: making, changing, forgetting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Row, Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import AlertState, AlertType, AlertUnit, Dimension
from quarterdeck.contract.models.alert_rules import (
    AS_KEPT,
    DIMENSIONS,
    UNITS,
    WITHOUT_TENANTS,
    NewRule,
    RuleChange,
    RuleList,
    RuleSettings,
)
from quarterdeck.contract.models.alert_rules import Rule as Shown
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.alerts.history import mine
from quarterdeck.engine.alerts.quiet import quiet_of
from quarterdeck.engine.alerts.tables import OPEN, alert_rules, alerts
from quarterdeck.engine.alerts.telling import ended_by, tell
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

MOST_RULES = 1_000


@dataclass(frozen=True)
class Rule:
    """A rule as the engine goes by it. `unit` is the one that counts, whether it was named or not."""

    id: int
    name: str
    type: AlertType
    tenant_id: str | None
    settings: RuleSettings
    evaluated_at: int | None

    @property
    def unit(self) -> AlertUnit | None:
        return self.settings.unit or next(iter(UNITS[self.type]), None)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Those that all of its alerts have."""
        whose = {} if self.tenant_id is None else {str(Dimension.TENANT): self.tenant_id}
        return {**whose, **self.settings.labels, "alertname": self.name, "severity": str(self.settings.severity)}

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(map(str, self.settings.by))

    @cached_property
    def group_by(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.settings.group_by)))

    @property
    def falls(self) -> bool:
        """Whether less is worse."""
        return self.type is AlertType.THROUGHPUT_LOW

    def holds(self, value: float) -> bool:
        threshold = self.settings.threshold or 0.0
        return value < threshold if self.falls else value >= threshold


def settings_of(row: Row[Any]) -> RuleSettings:
    return RuleSettings.model_validate(row.settings, context=AS_KEPT)


def rule_of(row: Row[Any]) -> Rule:
    return Rule(row.id, row.name, AlertType(row.type), row.tenant_id, settings_of(row), row.evaluated_at)


def alive() -> Select[Any]:
    return select(alert_rules).where(alert_rules.c.deleted_at.is_(None))


async def list_rules(engine: Engine, principal: Principal) -> RuleList:
    async with engine.store.read() as connection:
        rows = (await connection.execute(alive().order_by(alert_rules.c.id))).all()
        counts = await _counts(connection, principal)
    return RuleList(items=[_shown(row, counts) for row in rows if principal.sees_shared(row.tenant_id)])


async def show_rule(engine: Engine, principal: Principal, rule_id: int) -> Shown:
    """Raises Problem(NOT_FOUND)."""
    async with engine.store.read() as connection:
        return _shown(await find_rule(connection, principal, rule_id), await _counts(connection, principal, rule_id))


async def create_rule(engine: Engine, principal: Principal, new: NewRule) -> Shown:
    """Raises Problem: INVALID_INPUT, FORBIDDEN, UNCHANGED where there is one of that name."""
    may_set_up(principal, new.tenant_id)
    if new.type in WITHOUT_TENANTS and new.tenant_id is not None:
        raise _refuse("/tenant_id", f"{new.type} concerns every tenant; leave it out")
    check(new.type, new.settings)
    async with engine.store.write() as transaction:
        connection = transaction.connection
        known = (await connection.execute(alive())).all()
        if any((row.name, row.tenant_id) == (new.name, new.tenant_id) for row in known):
            raise Problem(Code.UNCHANGED, f"There is a rule {new.name!r} already; change that one.")
        if len(known) >= MOST_RULES:
            raise Problem(Code.INVALID_INPUT, f"There are {MOST_RULES:,} rules; delete some first.")
        settings = new.settings.model_dump(mode="json")
        values = {
            "name": new.name,
            "type": str(new.type),
            "tenant_id": new.tenant_id,
            "enabled": new.enabled,
            "settings": settings,
            "created_at": transaction.now,
            "updated_at": transaction.now,
            "updated_by": principal.actor,
        }
        inserted = await connection.execute(alert_rules.insert().values(**values).returning(alert_rules.c.id))
        rule_id = int(inserted.scalar_one())
        details = {"type": str(new.type), "settings": settings}
        await _audit(engine, transaction, principal, "create", rule_id, new.tenant_id, None, details)
        tell(engine, transaction)
        return _shown(await find_rule(connection, principal, rule_id), {})


async def change_rule(engine: Engine, principal: Principal, rule_id: int, change: RuleChange) -> Shown:
    """Raises Problem: NOT_FOUND, FORBIDDEN, INVALID_INPUT, UNCHANGED."""
    async with engine.store.write() as transaction:
        connection = transaction.connection
        before = await find_rule(connection, principal, rule_id)
        may_set_up(principal, before.tenant_id)
        if change.settings is not None:
            check(AlertType(before.type), change.settings)
        wanted = {
            "name": change.name,
            "enabled": change.enabled,
            "settings": None if change.settings is None else change.settings.model_dump(mode="json"),
        }
        values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None and v != getattr(before, k)}
        if not values:
            raise Problem(Code.UNCHANGED, f"Rule {rule_id} ({before.name}) is so already; there is nothing to do.")
        if "name" in values:
            taken = alive().where(alert_rules.c.name == change.name, alert_rules.c.id != rule_id)
            if any(row.tenant_id == before.tenant_id for row in await connection.execute(taken)):
                raise Problem(Code.UNCHANGED, f"There is a rule {change.name!r} already; choose another name.")
        details = {"changes": {name: [getattr(before, name), value] for name, value in values.items()}}
        values |= {"updated_at": transaction.now, "updated_by": principal.actor}
        await connection.execute(alert_rules.update().where(alert_rules.c.id == rule_id).values(**values))
        if change.enabled is False and before.enabled:
            await ended_by(engine, transaction, alerts.c.rule_id == rule_id, "The rule was switched off.", principal)
        elif values.keys() & {"settings", "name"} and "by" in details["changes"].get("settings", [{}, {}])[1]:
            await _start_over(engine, transaction, principal, before, change)
        await _audit(engine, transaction, principal, "change", rule_id, before.tenant_id, change.reason, details)
        tell(engine, transaction)
        return _shown(await find_rule(connection, principal, rule_id), await _counts(connection, principal, rule_id))


async def _start_over(
    engine: Engine, transaction: Transaction, principal: Principal, before: Row[Any], change: RuleChange
) -> None:
    """What has other labels now is another alert: those that were are over."""
    old, new = settings_of(before), change.settings
    assert new is not None
    if (old.by, old.labels, old.severity, old.group_by) != (new.by, new.labels, new.severity, new.group_by):
        mine = alerts.c.rule_id == before.id
        await ended_by(engine, transaction, mine, "The rule was changed.", principal)
    else:
        measured = update(alerts).where(alerts.c.rule_id == before.id, text(OPEN)).values(threshold=new.threshold)
        await transaction.connection.execute(measured)


async def delete_rule(engine: Engine, principal: Principal, rule_id: int) -> Shown:
    """What fires by it is over. Raises Problem: NOT_FOUND, FORBIDDEN."""
    async with engine.store.write() as transaction:
        connection = transaction.connection
        before = await find_rule(connection, principal, rule_id)
        may_set_up(principal, before.tenant_id)
        gone = alert_rules.update().where(alert_rules.c.id == rule_id)
        await connection.execute(gone.values(deleted_at=transaction.now))
        await ended_by(engine, transaction, alerts.c.rule_id == rule_id, "The rule was deleted.", principal)
        await _audit(engine, transaction, principal, "delete", rule_id, before.tenant_id, None, {"name": before.name})
        tell(engine, transaction)
        return _shown(before, {})


async def find_rule(connection: AsyncConnection, principal: Principal, rule_id: int) -> Row[Any]:
    row: Row[Any] | None = (await connection.execute(alive().where(alert_rules.c.id == rule_id))).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise Problem(Code.NOT_FOUND, f"There is no rule {rule_id}; the list says which there are.")
    return row


def check(kind: AlertType, settings: RuleSettings) -> None:
    """Whether such a rule can be evaluated. Raises Problem(INVALID_INPUT) that names the field."""
    units, dimensions = UNITS[kind], DIMENSIONS[kind]
    if kind is AlertType.EXTERNAL:
        if settings.threshold is not None or settings.unit is not None:
            raise _refuse("/settings/threshold", "an external rule has none; its alerts come as they are")
    else:
        if settings.threshold is None:
            raise _refuse("/settings/threshold", f"is missing; {kind} is counted in {' or '.join(units)}")
        unit = settings.unit or units[0]
        if unit not in units:
            raise _refuse("/settings/unit", f"must be {' or '.join(units)} for {kind}, not {unit}")
        if unit is AlertUnit.PERCENT and settings.threshold > 100 and kind is not AlertType.THROUGHPUT_LOW:
            raise _refuse("/settings/threshold", "is in percent and can be at most 100")
        if unit is AlertUnit.COUNT and settings.threshold != int(settings.threshold):
            raise _refuse("/settings/threshold", "is a count and has to be a whole number")
        if settings.threshold == 0:
            raise _refuse("/settings/threshold", "must be more than 0, or it fires for ever")
        if settings.matchers:
            raise _refuse("/settings/matchers", "belong to external rules")
    for number, each in enumerate(settings.by):
        if each not in dimensions:
            allowed = f"must be among {', '.join(dimensions)}" if dimensions else "has to be empty"
            raise _refuse(f"/settings/by/{number}", f"{allowed} for {kind}, not {each}")
    if len(set(settings.by)) != len(settings.by):
        raise _refuse("/settings/by", "names something twice")
    if Dimension.ITEM in settings.by and settings.unit is AlertUnit.PERCENT:
        raise _refuse("/settings/by", "cannot be item where the threshold is in percent")
    try:
        quiet_of(settings.quiet_hours)
    except ValueError as error:
        field, _, sentence = str(error).partition(": ")
        raise _refuse(f"/settings/quiet_hours/{field}", sentence) from None


def _refuse(pointer: str, sentence: str) -> Problem:
    place = pointer.lstrip("/").replace("/", ".")
    return Problem(Code.INVALID_INPUT, f"{place}: {sentence}.", errors=((pointer, sentence),))


async def _counts(
    connection: AsyncConnection, principal: Principal, rule_id: int | None = None
) -> Mapping[tuple[int, str], int]:
    """Of the alerts that `principal` sees: a rule of everybody has some of every tenant."""
    query = select(alerts.c.rule_id, alerts.c.state, func.count().label("number")).where(text(OPEN), *mine(principal))
    if rule_id is not None:
        query = query.where(alerts.c.rule_id == rule_id)
    found = await connection.execute(query.group_by(alerts.c.rule_id, alerts.c.state))
    return {(row.rule_id, row.state): row.number for row in found}


def _shown(row: Row[Any], counts: Mapping[tuple[int, str], int]) -> Shown:
    settings = settings_of(row)
    fault = next((f"The matcher on {each}. Until then it matches nothing." for each in settings.faults), None)
    return Shown(
        id=row.id,
        name=row.name,
        type=AlertType(row.type),
        tenant_id=row.tenant_id,
        enabled=row.enabled,
        settings=settings,
        evaluated_at=None if row.evaluated_at is None else to_datetime(row.evaluated_at),
        error=row.error or fault,
        firing=counts.get((row.id, str(AlertState.FIRING)), 0),
        pending=counts.get((row.id, str(AlertState.PENDING)), 0),
        updated_at=to_datetime(row.updated_at),
        updated_by=row.updated_by,
    )


async def _audit(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    verb: str,
    rule_id: int,
    tenant: str | None,
    reason: str | None,
    details: dict[str, Any],
) -> None:
    await audit.append(
        transaction,
        engine.store,
        principal,
        f"alerts.rules.{verb}",
        tenant_id=tenant,
        resource="alert_rules",
        target=str(rule_id),
        reason=reason,
        details=details,
    )
