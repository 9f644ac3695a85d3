"""Actions on one item: the same effects as in bulk, over one id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Row, SmallInteger, Text, literal, select, update

from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import Priority, Resource
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.items import ActionRequest, ActionResult, Item
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import announce, may_reach, read_params, the_action
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items import rows
from quarterdeck.engine.items.actions import Doing, build, released
from quarterdeck.engine.items.effects import TOLD, Effect, clocks_follow, concerns_clocks, on_one
from quarterdeck.engine.items.queries import find_item, no_such_item, whole_item
from quarterdeck.engine.items.tables import item_events, item_skips, items
from quarterdeck.engine.sentences import sentence
from quarterdeck.engine.store.store import Transaction


@dataclass(frozen=True, slots=True)
class Act:
    """What is written to the audit log about one act on one item."""

    name: str
    label: str
    reason: str | None = None
    details: dict[str, Any] | None = None


async def act(
    engine: Engine, principal: Principal, resource: Resource, item_id: int, verb: str, request: ActionRequest
) -> ActionResult:
    action = the_action(resource, verb, principal)
    values = read_params(action, request.params)
    may_reach(resource, [getattr(values, "status", None)], principal)

    async def work(transaction: Transaction) -> ActionResult:
        doing = Doing(action, principal, engine.settings.engine, transaction.now)
        effect = build(doing, values)
        kept = values.model_dump(mode="json", exclude={"reason", "body"})
        reason = getattr(values, "reason", None)
        return await do(
            engine,
            transaction,
            principal,
            resource,
            item_id,
            effect,
            Act(action.verb, action.label, reason, {"params": kept} if kept else None),
            undoable=action.undoable,
            version=request.version,
        )

    return await engine.store.write_at_once(work)


async def do(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    resource: Resource,
    item_id: int,
    effect: Effect,
    told: Act,
    *,
    undoable: bool,
    version: int | None = None,
) -> ActionResult:
    """Guard, event, update, audit entry; the message goes out after the commit."""
    ready, values = on_one(effect, principal, str(resource), transaction, engine.store.dialect)
    row = (await transaction.connection.execute(ready.judge, {**values, "the_item": item_id})).one_or_none()
    if row is None or row.resource != str(resource) or not principal.sees(row.tenant_id):
        raise no_such_item(resource, item_id)
    if version is not None and row.version != version:
        raise changed_since(item_id)
    return await do_to(engine, transaction, principal, row, effect, told, undoable=undoable)


async def do_to(
    engine: Engine,
    transaction: Transaction,
    principal: Principal,
    row: Row[Any],
    effect: Effect,
    told: Act,
    *,
    undoable: bool,
) -> ActionResult:
    """`row` is an item with what is in the way as `code`, locked in this transaction."""
    if row.code is not None:
        raise refusal(row, effect, told.label)
    item_id, resource = row.id, Resource(row.resource)
    ready, values = on_one(effect, principal, row.resource, transaction, engine.store.dialect)
    values["the_item"] = item_id
    event_id = (await transaction.connection.execute(ready.events, values)).scalar_one()
    after = (await transaction.connection.execute(ready.changes, values)).one()
    concerned = [item_id] if concerns_clocks(effect, principal.actor) else []
    if await clocks_follow(effect, concerned, transaction, engine.store.dialect, principal.actor):
        after = (await transaction.connection.execute(select(items).where(items.c.id == item_id))).one()
    await audit.append(
        transaction,
        engine.store,
        principal,
        f"items.{told.name}",
        tenant_id=row.tenant_id,
        resource=str(resource),
        target=str(item_id),
        reason=told.reason,
        details={"event": event_id, **(told.details or {})},
    )
    announce(engine, transaction, resource, [item_id], row.tenant_id, Change.UPDATED)
    return ActionResult(item=rows.item(after), event_id=event_id, undoable=undoable)


def changed_since(item_id: int) -> Problem:
    return Problem(Code.CHANGED_SINCE, f"Item {item_id} has changed since you looked; look again, then decide.")


def refusal(row: Row[Any], effect: Effect, label: str) -> Problem:
    code = Code(row.code)
    states = ", ".join(sorted(effect.states or ()))
    return Problem(
        code,
        f"Item {row.id}: {sentence(code, label, row.status, states, row.assignee, effect.to)}",
        extra={"status": row.status, "applies_to": sorted(effect.states or ())},
    )


async def skip(engine: Engine, principal: Principal, resource: Resource, item_id: int, reason: str) -> ActionResult:
    """Put it back, and do not offer it to the same person for a while."""
    async with engine.store.write() as transaction:
        row = await find_item(transaction.connection, principal, resource, item_id, lock=engine.store.dialect)
        if row.assignee != principal.actor:
            raise not_yours(item_id, row.assignee)
        until = transaction.now + engine.settings.engine.skip_minutes * MINUTE
        kept = engine.store.dialect.insert(item_skips).values(actor=principal.actor, item_id=item_id, until=until)
        await transaction.connection.execute(
            kept.on_conflict_do_update(index_elements=["actor", "item_id"], set_={"until": until})
        )
        return await do(
            engine,
            transaction,
            principal,
            resource,
            item_id,
            released(resource, "skipped", reason),
            Act("skip", "Skip", reason),
            undoable=False,
        )


async def renew(engine: Engine, principal: Principal, resource: Resource, item_id: int) -> Item:
    """Move the end of a claim; not a change of the item, so nobody else is told."""
    async with engine.store.write() as transaction:
        row = await find_item(transaction.connection, principal, resource, item_id, lock=engine.store.dialect)
        if row.assignee != principal.actor:
            raise not_yours(item_id, row.assignee)
        if row.claimed_until is not None:
            until = transaction.now + engine.settings.engine.claim_minutes * MINUTE
            await transaction.connection.execute(update(items).where(items.c.id == item_id).values(claimed_until=until))
        return await whole_item(transaction.connection, principal, resource, item_id)


def not_yours(item_id: int, assignee: str | None) -> Problem:
    holder = f"{assignee} has it" if assignee else "nobody has it"
    return Problem(Code.NOT_YOURS, f"Item {item_id} is not assigned to you ({holder}); claim it first.")


async def undo(engine: Engine, principal: Principal, resource: Resource, item_id: int, event_id: int) -> ActionResult:
    """Restore what an event changed, unless the item has changed since.

    What the same person did afterwards and took back does not count: the item is as the event left it.
    """
    async with engine.store.write() as transaction:
        row = await find_item(transaction.connection, principal, resource, item_id, lock=engine.store.dialect)
        event = (
            await transaction.connection.execute(
                select(item_events).where(item_events.c.id == event_id, item_events.c.item_id == item_id)
            )
        ).one_or_none()
        if event is None:
            raise Problem(Code.NOT_FOUND, f"Item {item_id} has no event {event_id}.")
        changes = {name: pair for name, pair in (event.changes or {}).items() if name in TOLD}
        if not changes or event.version_after is None:
            raise Problem(Code.NOT_UNDOABLE, f"Event {event_id} ({event.type}) changed nothing that can be restored.")
        may_reach(resource, changes.get("status", ()), principal)
        if row.version != event.version_after and not await _taken_back_since(transaction, principal, row, event):
            raise changed_since(item_id)
        sets = {name: _literal(name, before) for name, (before, _) in changes.items()}
        effect = Effect("undone", sets, in_bin=row.deleted_at is not None)
        return await do(
            engine,
            transaction,
            principal,
            resource,
            item_id,
            effect,
            Act("undo", "Undo", details={"undone": event_id}),
            undoable=True,
        )


async def _taken_back_since(transaction: Transaction, principal: Principal, row: Row[Any], event: Row[Any]) -> bool:
    """Whether every change since the event is the principal's own, and was taken back.

    An undo cancels the change before it whose earlier values it restored; nothing may be left over, and no
    version may be without an event.
    """
    later = (
        await transaction.connection.execute(
            select(item_events)
            .where(item_events.c.item_id == event.item_id, item_events.c.version_after > event.version_after)
            .order_by(item_events.c.id)
        )
    ).all()
    version: int = event.version_after
    standing: list[dict[str, Any]] = []  # the values before each change that nobody has taken back
    for each in later:
        if each.version_after == version:
            continue  # a comment, say: it did not raise the version
        if each.version_after != version + 1 or each.actor != principal.actor or not each.changes:
            return False
        version = each.version_after
        # A claim may have been renewed in between, so only what it led to is compared.
        led_to = {name: after for name, (_, after) in each.changes.items()}
        if each.type == "undone" and standing and standing[-1] == led_to:
            standing.pop()
        else:
            standing.append({name: before for name, (before, _) in each.changes.items()})
    return version == row.version and not standing


def _literal(name: str, value: Any) -> Any:
    if name == "priority":
        return literal(Priority(value).rank, SmallInteger)
    if name in ("claimed_until", "deleted_at"):
        return literal(value, BigInteger)
    return literal(value, Text)
