"""One function an action: from its parameters to its effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from sqlalchemy import BigInteger, SmallInteger, Text, and_, case, literal

from quarterdeck.config.settings import EngineSettings
from quarterdeck.contract.actions import Action
from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import AnyResource, ItemStatus, Resource
from quarterdeck.contract.models import item_params as params
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.contract.transitions import FIRST_STATUS, sources
from quarterdeck.engine.items.effects import Effect
from quarterdeck.engine.items.tables import items


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does what, and when (ms)."""

    action: Action
    principal: Principal
    settings: EngineSettings
    now: int


EffectOf = Callable[[Doing, Any], Effect]
_EFFECTS: dict[str, EffectOf] = {}


def effect_of(verb: str) -> Callable[[EffectOf], EffectOf]:
    def keep(function: EffectOf) -> EffectOf:
        _EFFECTS[verb] = function
        return function

    return keep


def known_verbs() -> frozenset[str]:
    return frozenset(_EFFECTS)


def build(doing: Doing, values: BaseModel) -> Effect:
    return _EFFECTS[doing.action.verb](doing, values)


NO_CLAIM = {"claimed_until": literal(None, BigInteger)}
_NOBODY = {"assignee": literal(None, Text)}


def _status(value: str) -> dict[str, Any]:
    return {"status": literal(str(value), Text)}


def _support(doing: Doing) -> bool:
    return doing.action.resource is Resource.SUPPORT_TASKS


@effect_of("claim")
def _claim(doing: Doing, _: params.Claim) -> Effect:
    me = doing.principal.actor
    sets: dict[str, Any] = {
        "assignee": literal(me, Text),
        "claimed_until": literal(doing.now + doing.settings.claim_minutes * MINUTE, BigInteger),
    }
    if _support(doing):
        sets |= _status(ItemStatus.IN_PROGRESS)
    taken = and_(items.c.assignee.is_not(None), items.c.assignee != me)
    return Effect("claimed", sets, doing.action.from_states, ((taken, Code.ALREADY_ASSIGNED),))


@effect_of("release")
def _release(doing: Doing, values: params.Release) -> Effect:
    return released(doing.action.resource, "released", values.reason, doing.action.from_states)


def released(resource: AnyResource, event: str, body: str | None, states: frozenset[str] | None = None) -> Effect:
    """Back to the queue: nobody's, and open again where work had begun."""
    sets: dict[str, Any] = {**_NOBODY, **NO_CLAIM}
    if resource is Resource.SUPPORT_TASKS:
        begun = items.c.status == str(ItemStatus.IN_PROGRESS)
        sets["status"] = case((begun, literal(str(ItemStatus.OPEN), Text)), else_=items.c.status)
    return Effect(event, sets, states, body=body)


@effect_of("assign")
def _assign(doing: Doing, values: params.Assign) -> Effect:
    return Effect(
        "assigned",
        {"assignee": literal(values.assignee, Text), **NO_CLAIM},
        doing.action.from_states,
        body=values.reason,
    )


@effect_of("set-priority")
def _set_priority(doing: Doing, values: params.SetPriority) -> Effect:
    return Effect("priority_set", {"priority": literal(values.priority.rank, SmallInteger)}, body=values.reason)


@effect_of("set-category")
def _set_category(doing: Doing, values: params.SetCategory) -> Effect:
    return Effect("category_set", {"category": literal(values.category, Text)}, body=values.reason)


@effect_of("update-status")
def _update_status(doing: Doing, values: params.UpdateStatus) -> Effect:
    return _moved(doing.action.resource, values.status, "status_updated", values.reason)


@effect_of("resolve")
def _resolve(doing: Doing, values: params.Resolve) -> Effect:
    return _moved(doing.action.resource, ItemStatus.RESOLVED, "resolved", values.note)


@effect_of("reopen")
def _reopen(doing: Doing, values: params.Reopen) -> Effect:
    effect = _moved(doing.action.resource, FIRST_STATUS[doing.action.resource], "reopened", values.reason)
    return replace(effect, states=doing.action.from_states)


@effect_of("cancel")
def _cancel(doing: Doing, values: params.Reason) -> Effect:
    return _moved(doing.action.resource, ItemStatus.CANCELLED, "cancelled", values.reason)


@effect_of("approve")
def _approve(doing: Doing, values: params.Note) -> Effect:
    return _moved(doing.action.resource, ItemStatus.APPROVED, "approved", values.note)


@effect_of("reject")
def _reject(doing: Doing, values: params.Reject) -> Effect:
    return _moved(doing.action.resource, ItemStatus.REJECTED, "rejected", values.reason)


@effect_of("mark-received")
def _mark_received(doing: Doing, values: params.Note) -> Effect:
    return _moved(doing.action.resource, ItemStatus.RECEIVED, "received", values.note)


@effect_of("refund")
def _refund(doing: Doing, values: params.Note) -> Effect:
    return _moved(doing.action.resource, ItemStatus.REFUNDED, "refunded", values.note)


def _moved(resource: AnyResource, target: ItemStatus, event: str, body: str | None) -> Effect:
    """To another state; a claim does not outlive the move."""
    return Effect(event, {**_status(target), **NO_CLAIM}, sources(resource, target), body=body, to=str(target))


@effect_of("comment")
def _comment(doing: Doing, values: params.Comment) -> Effect:
    return Effect("comment", {"comments": items.c.comments + 1}, body=values.body, counts_as_change=False)


@effect_of("delete")
def _delete(doing: Doing, values: params.Reason) -> Effect:
    sets = {"deleted_at": literal(doing.now, BigInteger), **NO_CLAIM}
    return Effect("deleted", sets, body=values.reason)


@effect_of("restore")
def _restore(doing: Doing, values: params.Reason) -> Effect:
    return Effect("restored", {"deleted_at": literal(None, BigInteger)}, body=values.reason, in_bin=True)
