"""What every action goes through, whatever it is done to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from quarterdeck.contract.actions import Action, find_action, ways_to
from quarterdeck.contract.enums import AnyResource
from quarterdeck.contract.live import Change, Message
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction


def the_action(resource: AnyResource, verb: str, principal: Principal) -> Action:
    """Raises Problem(NOT_FOUND) or Problem(FORBIDDEN)."""
    action = find_action(resource, verb)
    if action is None:
        raise Problem(Code.NOT_FOUND, f"There is no action {verb} on {resource}.")
    _may(action, principal)
    return action


def _may(action: Action, principal: Principal) -> None:
    if not principal.role.covers(action.role):
        raise Problem(Code.FORBIDDEN, f"{action.label} needs the role {action.role}; yours is {principal.role}.")


def may_reach(resource: AnyResource, statuses: Iterable[Any], principal: Principal) -> None:
    """Whatever moves an item to or from a state needs the role of the action made for that.

    Raises Problem(FORBIDDEN).
    """
    for status in statuses:
        for way in ways_to(resource, status):
            _may(way, principal)


def read_params(action: Action, values: dict[str, Any]) -> BaseModel:
    """The action's parameters, checked. Raises Problem(INVALID_INPUT) with pointers below /params."""
    try:
        checked: BaseModel = action.params.load().model_validate(values)
        return checked
    except ValidationError as error:
        errors = tuple(
            ("/params/" + "/".join(str(part) for part in each["loc"]), str(each["msg"])) for each in error.errors()
        )
        names = ", ".join(pointer.removeprefix("/params/") for pointer, _ in errors)
        raise Problem(Code.INVALID_INPUT, f"{action.label}: {names} is missing or not valid.", errors=errors) from error


def announce(
    engine: Engine,
    transaction: Transaction,
    resource: str,
    ids: list[int] | None,
    tenant: str | frozenset[str] | None,
    change: Change,
) -> None:
    """`tenant`: whose items they are; None for whoever's."""
    message: dict[str, object] = {
        "type": Message.RESOURCE_CHANGED,
        "resource": str(resource),
        "change": change,
        "ids": ids,
    }
    tenants = frozenset({tenant}) if isinstance(tenant, str) else tenant
    transaction.after_commit(lambda: engine.hub.publish(message, tenants))


def may_set_up(principal: Principal, tenant: str | None) -> None:
    """Raises Problem(FORBIDDEN) where the caller does not answer for everybody whom a rule of `tenant` concerns; None
    is every tenant."""
    if principal.tenants is not None and (tenant is None or not principal.sees(tenant)):
        raise Problem(
            Code.FORBIDDEN, f"{principal.actor} answers for some tenants only; name one of these as tenant_id."
        )
