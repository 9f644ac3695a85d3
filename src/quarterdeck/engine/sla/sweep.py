"""What time alone does to clocks: breaches, and the steps of escalations. Reads what is due, not what is open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, Text, case, delete, literal, select, true, tuple_

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import EscalationDoes
from quarterdeck.contract.live import MOST_IDS_NAMED
from quarterdeck.contract.live import Change as Told
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.sla.clockwork import BREACHED, advance
from quarterdeck.engine.sla.escalation import Taken, escalate, steps_due
from quarterdeck.engine.sla.following import watched
from quarterdeck.engine.sla.keeping import LABELS, NO_VERSION, Kept, sentence
from quarterdeck.engine.sla.tables import sla_breaches, sla_clocks, sla_due
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

SECONDS = 0.5
AT_ONCE = 5_000
_C = sla_clocks.c
_D = sla_due.c


async def sweep(engine: Engine) -> None:
    """Everything that is due, in the order in which it was, in small transactions."""
    while not engine.stopping.is_set():
        async with engine.store.read() as connection:  # most ticks find nothing, and write nothing
            if (await connection.execute(_due(now_ms(), 1))).first() is None:
                return
        async with engine.store.write() as transaction:
            count = await _batch(engine, transaction)
        if count < AT_ONCE:
            return


def _due(now: int, most: int) -> Select[Any]:
    return select(sla_due).where(_D.next_at < now).order_by(*sla_due.primary_key.columns).limit(most)


async def _batch(engine: Engine, transaction: Transaction) -> int:
    """How many clocks were looked at."""
    dialect, now = engine.store.dialect, transaction.now
    due = (await transaction.connection.execute(_due(now, AT_ONCE))).all()
    held = await _held(transaction, dialect, due)
    due = [row for row in due if tuple(row[:3]) in held]
    if not due:
        return 0
    more = {row.item_id for row in due if not row.breaks}
    plain = [row for row in due if row.item_id not in more]
    await _break(transaction, dialect, plain)
    broken, done = await _move(engine, transaction, more)
    details = {"breached": len(plain) + broken, "escalated": done}
    await audit.append(transaction, engine.store, SYSTEM, "sla.swept", details=details)
    for resource in sorted({row.resource for row in due}):
        ids = sorted({row.item_id for row in due if row.resource == resource})
        tenants = frozenset(row.tenant_id for row in due if row.resource == resource)
        announce(engine, transaction, resource, ids if len(ids) <= MOST_IDS_NAMED else None, tenants, Told.UPDATED)
    return len(due)


async def _held(transaction: Transaction, dialect: Dialect, due: Sequence[Row[Any]]) -> set[tuple[Any, ...]]:
    """Places of clocks that nobody else is about to change: who does looks for their breaches as well."""
    if not dialect.skips_locked:
        return {tuple(row[:3]) for row in due}
    # Items that an escalation may change come before their clocks, as for whoever changes an item.
    more = {row.item_id for row in due if not row.breaks}
    locked = dialect.lock_skipping(
        select(items.c.id).where(items.c.id.in_(dialect.id_list(sorted(more)))).order_by(items.c.id)
    )
    free = set((await transaction.connection.execute(locked)).scalars()) if more else set()
    ids = dialect.id_list(sorted(({row.item_id for row in due} - more) | free))
    mine = select(_C.item_id, _C.target).where(_C.item_id.in_(ids)).order_by(_C.item_id, _C.target)
    held = {tuple(row) for row in await transaction.connection.execute(dialect.lock_skipping(mine))}
    # Whoever held them before may have moved them since they were found to be due.
    places = select(*sla_due.primary_key.columns).where(_D.item_id.in_(ids))
    return {tuple(row) for row in await transaction.connection.execute(places) if tuple(row[1:]) in held}


async def _break(transaction: Transaction, dialect: Dialect, rows: Sequence[Row[Any]]) -> None:
    """Any number of clocks that are broken, and nothing else, in a few statements."""
    if not rows:
        return
    names = ("next_at", "item_id", "target", "tenant_id", "resource", "priority")
    listed = dialect.listed("the_clocks", {name: _D[name].type for name in names})
    values = {"the_clocks": json.dumps([[getattr(row, name) for name in names] for row in rows])}
    label = case(*((listed.c.target == str(each), sentence([word])) for each, word in LABELS.items()))
    told: dict[str, Any] = {
        "item_id": listed.c.item_id,
        "at": listed.c.next_at,
        "actor": literal(SYSTEM.actor, Text),
        "type": literal(BREACHED, Text),
        "body": label,
        "version_after": literal(NO_VERSION),
    }
    kept = {"breached_at": listed.c.next_at, **{name: listed.c[name] for name in names[1:]}}
    breaches = dialect.insert(sla_breaches).from_select(list(kept), select(*kept.values()).where(true()))
    places = select(*(listed.c[name] for name in names[:3]))
    for statement in (
        item_events.insert().from_select(list(told), select(*told.values()).order_by(listed.c.next_at)),
        breaches.on_conflict_do_nothing(),
        delete(sla_due).where(tuple_(*sla_due.primary_key.columns).in_(places)),
    ):
        await transaction.connection.execute(statement, values)


async def _move(engine: Engine, transaction: Transaction, ids: Iterable[int]) -> tuple[int, int]:
    """Clocks of these items one by one: (those that are broken now, steps that the engine carried out)."""
    dialect, now = engine.store.dialect, transaction.now
    kept, taken, broken = Kept(), [], 0
    for item in await watched(transaction.connection, items.c.id.in_(dialect.id_list(sorted(ids)))) if ids else []:
        after, changes = [], []
        for clock in item.clocks:
            moved, more = advance(clock, now)
            steps = list(steps_due(item.version.rules, moved, now))
            taken += [Taken(item, step, at) for step, at in steps if step.does is EscalationDoes.DO]
            after.append(replace(moved, steps=moved.steps + len(steps)))
            changes += more
            broken += len(more)
        kept.add(item.owner, item.version.id, item.version.rules, after, changes)
    kept.lines.sort(key=lambda line: line["at"])
    await kept.write(transaction, dialect)
    await escalate(engine, transaction, taken)
    return broken, len(taken)
