"""The effect of a bulk operation, built again for each batch from what its row keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Text, select, type_coerce

from quarterdeck.contract.actions import Action, find_action
from quarterdeck.contract.enums import BulkKind, Resource, Role
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.actions import Doing, build, read_params
from quarterdeck.engine.items.effects import TOLD, Effect, restore_from
from quarterdeck.engine.items.tables import item_events, items


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation does, and in whose name."""

    action: Action
    principal: Principal
    effect: Effect


def plan_of(engine: Engine, operation: Row[Any], now: int) -> Plan:
    """`operation` is a row of bulk_operations."""
    action = action_of(operation)
    principal = principal_of(operation)
    if operation.kind == BulkKind.UNDO:
        return Plan(action, principal, undo_effect(engine, operation.parent_id, operation.params))
    doing = Doing(action, principal, engine.settings.engine, now)
    return Plan(action, principal, build(doing, read_params(action, operation.params)))


def action_of(operation: Row[Any]) -> Action:
    action = find_action(Resource(operation.resource), operation.action)
    if action is None:
        raise Problem(Code.NOT_FOUND, f"The action {operation.action} of operation {operation.id} no longer exists.")
    return action


def principal_of(operation: Row[Any]) -> Principal:
    tenants = None if operation.tenants is None else frozenset(operation.tenants)
    return Principal(operation.created_by, Role(operation.role), tenants)


def undo_effect(engine: Engine, undone_id: int, params: dict[str, Any]) -> Effect:
    """Every column back to what the event of the undone operation recorded for that item."""
    changes = (
        select(item_events.c.changes)
        .where(item_events.c.item_id == items.c.id, item_events.c.operation_id == undone_id)
        .order_by(item_events.c.id.desc())
        .limit(1)
        .correlate(items)
        .scalar_subquery()
    )
    restored = restore_from(type_coerce(changes, Text), tuple(params["restores"]), engine.store.dialect)
    return Effect("undone", restored, in_bin=params["in_bin"], looks_for_change=False)


def undo_params(engine: Engine, undone: Row[Any], now: int) -> dict[str, Any]:
    """What an undo of `undone` keeps: the columns it restores, and whether its items are in the bin now."""
    if undone.kind == BulkKind.UNDO:
        names = undone.params["restores"]
    else:
        effect = plan_of(engine, undone, now).effect
        names = [name for name in TOLD if name in effect.sets]
    return {"restores": names, "in_bin": _leaves_in_bin(undone)}


def _leaves_in_bin(operation: Row[Any]) -> bool:
    if operation.kind == BulkKind.UNDO:
        return "deleted_at" in operation.params["restores"] and not operation.params["in_bin"]
    return bool(operation.action == "delete")
