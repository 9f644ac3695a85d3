"""Items as the subject of actions."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Row, Text, select, type_coerce

from quarterdeck.contract.enums import BulkKind, Resource
from quarterdeck.contract.models.items import ActionRequest, ActionResult
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items import actions, acts
from quarterdeck.engine.items.effects import TOLD, Effect, carry_out, restore_from, verdict
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import SUBJECTS, Doing, Part, Subject


class ItemSubject(Subject):
    noun = "item"
    title = items.c.title
    external = items.c.external_id
    version = items.c.version

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.listing = ITEMS[resource]

    def effect(self, doing: Doing, params: BaseModel) -> Effect:
        settings = doing.engine.settings.engine
        return actions.build(actions.Doing(doing.action, doing.principal, settings, doing.now), params)

    def undo(self, doing: Doing, undone_id: int, kept: dict[str, Any]) -> Effect:
        """Every column back to what the event of the undone operation recorded for that item."""
        changes = (
            select(item_events.c.changes)
            .where(item_events.c.item_id == items.c.id, item_events.c.operation_id == undone_id)
            .order_by(item_events.c.id.desc())
            .limit(1)
            .correlate(items)
            .scalar_subquery()
        )
        restored = restore_from(type_coerce(changes, Text), tuple(kept["restores"]), doing.engine.store.dialect)
        return Effect("undone", restored, in_bin=kept["in_bin"], looks_for_change=False)

    def keep_for_undo(self, undone: Row[Any], effect: Any) -> dict[str, Any]:
        """The columns to restore, and whether the items are in the bin now."""
        if undone.kind == BulkKind.UNDO:
            names = undone.params["restores"]
            in_bin = "deleted_at" in names and not undone.params["in_bin"]
        else:
            names = [name for name in TOLD if name in effect.sets]
            in_bin = undone.action == "delete"
        return {"restores": names, "in_bin": in_bin}

    def verdict(self, effect: Any, principal: Principal) -> ColumnElement[Any]:
        return verdict(effect, principal, str(self.resource))

    async def carry_out(
        self, effect: Any, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
    ) -> None:
        dialect, actor = doing.engine.store.dialect, doing.principal.actor
        await carry_out(effect, scope, transaction, dialect, actor=actor, operation_id=part.operation_id)

    async def act(
        self, engine: Engine, principal: Principal, row_id: int, verb: str, request: ActionRequest
    ) -> ActionResult:
        return await acts.act(engine, principal, self.resource, row_id, verb, request)


SUBJECTS.update({resource: ItemSubject(resource) for resource in Resource})
