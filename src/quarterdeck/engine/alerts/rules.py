"""Rules: making, changing, forgetting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import AlertState, AlertType, AlertUnit, Dimension
from quarterdeck.contract.models.alert_rules import (
    AS_KEPT,
    UNITS,
    WITHOUT_TENANTS,
    NewRule,
    RuleChange,
    RuleList,
    RuleSettings,
)
from quarterdeck.contract.models.alert_rules import Rule as Shown
from quarterdeck.contract.models.base import Seen
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import may_set_up
from quarterdeck.engine.alerts.history import mine
from quarterdeck.engine.alerts.rule_checks import check, refuse, refuse_unknown_channels
from quarterdeck.engine.alerts.tables import OPEN, alert_rules, alerts
from quarterdeck.engine.alerts.telling import ended_by, tell
from quarterdeck.engine.core import Engine
from quarterdeck.engine.set_up import Lock, SetUp, merged
from quarterdeck.engine.store.store import Transaction

MOST_RULES = 1_000
RULE = SetUp("rule", "alerts.rules", "alert_rules")


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


def readable(kept: Any) -> tuple[RuleSettings, str | None]:
    """What of kept settings can be read, the rest as where nothing is said; and a sentence about what cannot."""
    try:
        return RuleSettings.model_validate(kept, context=AS_KEPT), None
    except ValidationError as error:
        wrong = {str(each["loc"][0]): str(each["msg"]) for each in reversed(error.errors()) if each["loc"]}
    rest = {name: value for name, value in kept.items() if name not in wrong} if isinstance(kept, dict) else {}
    said = "; ".join(f"{name}: {sentence}" for name, sentence in sorted(wrong.items())) or "they are no settings"
    return (
        RuleSettings.model_validate(rest, context=AS_KEPT),
        f"Its settings cannot be read ({said}); put them right, or delete it.",
    )


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
        raise refuse("/tenant_id", f"{new.type} concerns every tenant; leave it out")
    check(new.type, new.settings)
    async with engine.store.write() as transaction:
        connection = transaction.connection
        await refuse_unknown_channels(connection, new.settings, new.tenant_id)
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
        row = await find_rule(connection, principal, rule_id)
        details = {"type": str(new.type), "settings": settings}
        await RULE.audit(engine, transaction, principal, "create", row, details)
        tell(engine, transaction)
        return _shown(row, {})


async def change_rule(engine: Engine, principal: Principal, rule_id: int, change: RuleChange) -> Shown:
    """Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE, INVALID_INPUT, UNCHANGED."""
    async with engine.store.write() as transaction:
        connection = transaction.connection
        before = await find_rule(connection, principal, rule_id, lock=engine.store.dialect.lock)
        may_set_up(principal, before.tenant_id)
        RULE.check_version(before, change)
        new = None
        if change.settings is not None:
            new = merged(RuleSettings, readable(before.settings)[0].model_dump(mode="json"), change.settings)
            check(AlertType(before.type), new)
            await refuse_unknown_channels(connection, new, before.tenant_id)
        wanted = {
            "name": change.name,
            "enabled": change.enabled,
            "settings": None if new is None else new.model_dump(mode="json"),
        }
        values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None and v != getattr(before, k)}
        if not values:
            raise RULE.unchanged(before)
        if "name" in values:
            taken = alive().where(alert_rules.c.name == change.name, alert_rules.c.id != rule_id)
            if any(row.tenant_id == before.tenant_id for row in await connection.execute(taken)):
                raise Problem(Code.UNCHANGED, f"There is a rule {change.name!r} already; choose another name.")
        details = {"changes": {name: [getattr(before, name), value] for name, value in values.items()}}
        values |= {"version": before.version + 1, "updated_at": transaction.now, "updated_by": principal.actor}
        await connection.execute(alert_rules.update().where(alert_rules.c.id == rule_id).values(**values))
        if change.enabled is False and before.enabled:
            await ended_by(engine, transaction, alerts.c.rule_id == rule_id, "The rule was switched off.", principal)
        elif values.keys() & {"settings", "name"}:
            await _start_over(engine, transaction, principal, before, new, renamed="name" in values)
        await RULE.audit(engine, transaction, principal, "change", before, details, change.reason)
        tell(engine, transaction)
        return _shown(await find_rule(connection, principal, rule_id), await _counts(connection, principal, rule_id))


async def _start_over(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    before: Row[Any],
    changed: RuleSettings | None,
    *,
    renamed: bool,
) -> None:
    """What has other labels now, of which the name is one, is another alert: those that were are over."""
    renamed = renamed and before.type != str(AlertType.EXTERNAL)  # those bring their own
    old, _ = readable(before.settings)
    new = old if changed is None else changed
    if renamed or (old.by, old.labels, old.severity, old.group_by) != (new.by, new.labels, new.severity, new.group_by):
        mine = alerts.c.rule_id == before.id
        await ended_by(engine, transaction, mine, "The rule was changed.", principal)
    else:
        measured = update(alerts).where(alerts.c.rule_id == before.id, text(OPEN)).values(threshold=new.threshold)
        await transaction.connection.execute(measured)


async def delete_rule(engine: Engine, principal: Principal, rule_id: int, seen: Seen | None = None) -> Shown:
    """What fires by it is over. Raises Problem: NOT_FOUND, FORBIDDEN, CHANGED_SINCE."""
    async with engine.store.write() as transaction:
        connection = transaction.connection
        before = await find_rule(connection, principal, rule_id, lock=engine.store.dialect.lock)
        may_set_up(principal, before.tenant_id)
        RULE.check_version(before, seen)
        gone = alert_rules.update().where(alert_rules.c.id == rule_id)
        await connection.execute(gone.values(deleted_at=transaction.now))
        await ended_by(engine, transaction, alerts.c.rule_id == rule_id, "The rule was deleted.", principal)
        await RULE.audit(engine, transaction, principal, "delete", before, {"name": before.name})
        tell(engine, transaction)
        return _shown(before, {})


async def find_rule(
    connection: AsyncConnection, principal: Principal, rule_id: int, *, lock: Lock | None = None
) -> Row[Any]:
    """Raises Problem(NOT_FOUND)."""
    query = alive().where(alert_rules.c.id == rule_id)
    row: Row[Any] | None = (await connection.execute(query if lock is None else lock(query))).one_or_none()
    if row is None or not principal.sees_shared(row.tenant_id):
        raise RULE.missing(rule_id)
    return row


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
    settings, unread = readable(row.settings)
    fault = next((f"The matcher on {each}. Until then it matches nothing." for each in settings.faults), None)
    return Shown(
        id=row.id,
        version=row.version,
        name=row.name,
        type=AlertType(row.type),
        tenant_id=row.tenant_id,
        enabled=row.enabled,
        settings=settings,
        evaluated_at=None if row.evaluated_at is None else to_datetime(row.evaluated_at),
        error=unread or row.error or fault,
        firing=counts.get((row.id, str(AlertState.FIRING)), 0),
        pending=counts.get((row.id, str(AlertState.PENDING)), 0),
        updated_at=to_datetime(row.updated_at),
        updated_by=row.updated_by,
    )
