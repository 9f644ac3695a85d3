"""Claim-next, and claims that lapse."""

from __future__ import annotations

import logging

from sqlalchemy import delete, exists, select, text

from quarterdeck.contract.enums import Resource, Role
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.items import ActionResult
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.access import for_claim
from quarterdeck.engine.items.actions import Doing, build, read_params, released
from quarterdeck.engine.items.acts import Act, announce, do_to, judged, the_action
from quarterdeck.engine.items.effects import carry_out
from quarterdeck.engine.items.matching import read_filter
from quarterdeck.engine.items.tables import READY, item_skips, items
from quarterdeck.engine.store.dialect import plain

log = logging.getLogger(__name__)

_LAPSED_AT_ONCE = 500
SYSTEM = Principal("quarterdeck", Role.SUPER_ADMIN)


async def claim_next(engine: Engine, principal: Principal, resource: Resource, filter_text: str) -> ActionResult:
    """The best unassigned item: priority, then due, then age. Never the same one to two people."""
    action = the_action(resource, "claim", principal)
    filter_ = read_filter(filter_text, resource, principal)
    async with engine.store.write() as transaction:
        skipped = exists().where(
            item_skips.c.actor == principal.actor,
            item_skips.c.item_id == items.c.id,
            item_skips.c.until > transaction.now,
        )
        dialect = engine.store.dialect
        way = await for_claim(transaction.connection, dialect, filter_, resource, principal)
        order = (items.c.priority, items.c.sla_due_at, items.c.created_at, items.c.id)
        doing = Doing(action, principal, engine.settings.engine, transaction.now)
        effect = build(doing, read_params(action, {}))
        best = (
            judged(effect, principal, resource)
            .where(text(READY), *way.where, ~skipped)
            .order_by(*(plain(column) if way.sorts else column for column in order))
            .limit(1)
        )
        found = (await transaction.connection.execute(dialect.lock_skipping(best))).one_or_none()
        if found is None:
            matching = f" that matches {filter_text}" if filter_text.strip() else ""
            raise Problem(
                Code.NOTHING_TO_CLAIM, f"No unassigned item in {resource}{matching} waits for you; widen the filter."
            )
        return await do_to(engine, transaction, principal, found, effect, Act("claim", action.label), undoable=True)


async def give_back_lapsed(engine: Engine) -> None:
    """Claims whose holder stopped working go back to the queue."""
    while True:
        async with engine.store.write() as transaction:
            lapsed = (
                select(items.c.id, items.c.resource)
                .where(items.c.claimed_until.is_not(None), items.c.claimed_until <= transaction.now)
                .order_by(items.c.claimed_until)
                .limit(_LAPSED_AT_ONCE)
            )
            found = (await transaction.connection.execute(engine.store.dialect.lock_skipping(lapsed))).all()
            for resource in sorted({row.resource for row in found}):
                ids = [row.id for row in found if row.resource == resource]
                effect = released(Resource(resource), "claim_lapsed", None)
                await carry_out(effect, items.c.id.in_(ids), transaction, engine.store.dialect, actor=SYSTEM.actor)
                await audit.append(
                    transaction, engine.store, SYSTEM, "items.claims_lapsed", resource=resource, details={"ids": ids}
                )
                announce(engine, transaction, resource, ids, None, Change.UPDATED)
            await transaction.connection.execute(delete(item_skips).where(item_skips.c.until <= transaction.now))
        if len(found) < _LAPSED_AT_ONCE:
            return
