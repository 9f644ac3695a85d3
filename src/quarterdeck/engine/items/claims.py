"""Claim-next, and claims that lapse."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, select, text

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.items import ActionResult
from quarterdeck.contract.principal import SYSTEM, Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import announce, read_params, the_action
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.actions import Doing, build, released
from quarterdeck.engine.items.acts import Act, do_to
from quarterdeck.engine.items.effects import Value, carry_out, verdict
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.items.tables import READY, item_skips, items
from quarterdeck.engine.listing.access import for_first
from quarterdeck.engine.listing.matching import read_filter
from quarterdeck.engine.store.dialect import plain
from quarterdeck.engine.store.shapes import Shapes
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

_LAPSED_AT_ONCE = 500

_best: Shapes[Select[Any]] = Shapes()
_ORDER = (items.c.priority, items.c.sla_due_at, items.c.created_at, items.c.id)
_SKIPPED = exists().where(
    item_skips.c.actor == bindparam("the_actor", type_=item_skips.c.actor.type),
    item_skips.c.item_id == items.c.id,
    item_skips.c.until > bindparam("the_time", type_=item_skips.c.until.type),
)


async def claim_next(engine: Engine, principal: Principal, resource: Resource, filter_text: str) -> ActionResult:
    """The best unassigned item: priority, then due, then age. Never the same one to two people."""
    action = the_action(resource, "claim", principal)
    filter_ = read_filter(filter_text, resource, principal)
    dialect = engine.store.dialect

    async def work(transaction: Transaction) -> ActionResult:
        way = await for_first(transaction.connection, dialect, ITEMS[resource], filter_, principal)
        doing = Doing(action, principal, engine.settings.engine, transaction.now)
        effect = build(doing, read_params(action, {}))

        def best(parts: list[Value]) -> Select[Any]:
            """The first that is ready and not skipped, with what is in the way of the effect as `code`."""
            shaped, where = effect.of(parts[: len(effect.parts)]), parts[len(effect.parts) :]
            query = select(items, verdict(shaped, principal, str(resource)).label("code"))
            query = query.where(text(READY), *where, ~_SKIPPED)
            query = query.order_by(*(plain(column) if way.sorts else column for column in _ORDER))
            return dialect.lock_skipping(query.limit(1))

        fixed = (dialect.name, principal.tenants, resource, way.sorts, effect.fixed)
        query, values = _best.of(fixed, [*effect.parts, *way.where], best)
        values |= {"the_actor": principal.actor, "the_time": transaction.now}
        found = (await transaction.connection.execute(query, values)).one_or_none()
        if found is None:
            matching = f" that matches {filter_text}" if filter_text.strip() else ""
            raise Problem(
                Code.NOTHING_TO_CLAIM, f"No unassigned item in {resource}{matching} waits for you; widen the filter."
            )
        return await do_to(engine, transaction, principal, found, effect, Act("claim", action.label), undoable=True)

    return await engine.store.write_at_once(work)


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
