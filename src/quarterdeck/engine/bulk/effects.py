"""The effect of a bulk operation, built again for each batch from what its row keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from quarterdeck.contract.actions import Action, find_action
from quarterdeck.contract.enums import BulkKind, Role, read_resource
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import read_params
from quarterdeck.engine.core import Engine
from quarterdeck.engine.subjects import Doing, Effect, Subject, subject_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation does to what, and in whose name."""

    subject: Subject
    doing: Doing
    effect: Effect


def plan_of(engine: Engine, operation: Row[Any], now: int) -> Plan:
    """`operation` is a row of bulk_operations."""
    subject = subject_of(read_resource(operation.resource))
    doing = Doing(action_of(operation), principal_of(operation), engine, now)
    if operation.kind == BulkKind.UNDO:
        return Plan(subject, doing, subject.undo(doing, operation.parent_id, operation.params))
    return Plan(subject, doing, subject.effect(doing, read_params(doing.action, operation.params)))


def action_of(operation: Row[Any]) -> Action:
    action = find_action(read_resource(operation.resource), operation.action)
    if action is None:
        raise Problem(Code.NOT_FOUND, f"The action {operation.action} of operation {operation.id} no longer exists.")
    return action


def principal_of(operation: Row[Any]) -> Principal:
    tenants = None if operation.tenants is None else frozenset(operation.tenants)
    return Principal(operation.created_by, Role(operation.role), tenants)


def undo_params(engine: Engine, undone: Row[Any], now: int) -> dict[str, Any]:
    """What an undo of `undone` keeps."""
    plan = plan_of(engine, undone, now)
    return plan.subject.keep_for_undo(undone, plan.effect)
