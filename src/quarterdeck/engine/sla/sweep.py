"""What time alone does to clocks: breaches, and the steps of escalations. Reads what is due, not what is open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, SmallInteger, Text, and_, case, delete, literal, select, true, tuple_

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import EscalationAct, EscalationDoes
from quarterdeck.contract.live import MOST_IDS_NAMED
from quarterdeck.contract.live import Change as Told
from quarterdeck.contract.models.sla import EscalationStep
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.effects import Effect, carry_out
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.sla.clockwork import BREACHED, Clock, Rules, advance, moment_of
from quarterdeck.engine.sla.following import Watched, watched
from quarterdeck.engine.sla.keeping import LABELS, NO_VERSION, Kept, sentence
from quarterdeck.engine.sla.tables import sla_breaches, sla_clocks, sla_due
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

SECONDS = 0.5
AT_ONCE = 5_000
_C = sla_clocks.c
_D = sla_due.c


@dataclass(frozen=True, slots=True)
class _Taken:
    """A step of an item's escalation whose time has come."""

    item: Watched
    step: EscalationStep


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
    due = [row for row in due if (row.item_id, row.target) in held]
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
        announce(engine, transaction, resource, ids if len(ids) <= MOST_IDS_NAMED else None, None, Told.UPDATED)
    return len(due)


async def _held(transaction: Transaction, dialect: Dialect, due: Sequence[Row[Any]]) -> set[tuple[int, str]]:
    """The clocks that nobody else is about to change: who does looks for their breaches as well."""
    if not dialect.skips_locked:
        return {(row.item_id, row.target) for row in due}
    ids = dialect.id_list(sorted({row.item_id for row in due}))
    mine = select(_C.item_id, _C.target).where(_C.item_id.in_(ids)).order_by(_C.item_id, _C.target)
    return {(row.item_id, row.target) for row in await transaction.connection.execute(dialect.lock_skipping(mine))}


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
            steps = list(_steps(item.version.rules, moved, now))
            taken += [_Taken(item, step) for step in steps if step.does is EscalationDoes.DO]
            after.append(replace(moved, steps=moved.steps + len(steps)))
            changes += more
            broken += len(more)
        kept.add(item.owner, item.version.id, item.version.rules, after, changes)
    kept.lines.sort(key=lambda line: line["at"])
    await kept.write(transaction, dialect)
    await _escalate(engine, transaction, taken)
    return broken, len(taken)


def _steps(rules: Rules, clock: Clock, now: int) -> Iterator[EscalationStep]:
    """Those whose time has come since the last look."""
    for step in rules.steps[clock.target][clock.steps :]:
        moment = moment_of(rules, clock, step.percent)
        if moment is None or moment >= now:
            return
        yield step


async def _escalate(engine: Engine, transaction: Transaction, taken: Sequence[_Taken]) -> None:
    """What policies have the engine do, step by step."""

    def kind(each: _Taken) -> tuple[str, str, int, str, str]:
        step = each.step
        return str(step.act), step.assignee or "", step.percent, str(step.target), step.note or ""

    for _, group in groupby(sorted(taken, key=kind), key=kind):
        each = list(group)
        ids = engine.store.dialect.id_list([one.item.owner.item_id for one in each])
        limits = [items.c.priority > 0] if each[0].step.act is EscalationAct.RAISE_PRIORITY else []
        scope = and_(items.c.id.in_(ids), *limits)
        await carry_out(effect_of(each[0].step), scope, transaction, engine.store.dialect, actor=SYSTEM.actor)


def effect_of(step: EscalationStep) -> Effect:
    body = why(step)
    if step.act is EscalationAct.RAISE_PRIORITY:
        return Effect("escalated", {"priority": items.c.priority - literal(1, SmallInteger)}, body=body)
    if step.act is EscalationAct.ASSIGN:
        nobody = literal(None, items.c.claimed_until.type)
        return Effect("escalated", {"assignee": literal(step.assignee, Text), "claimed_until": nobody}, body=body)
    return Effect("escalated", {"comments": items.c.comments}, body=body, counts_as_change=False)


def why(step: EscalationStep) -> str:
    """A sentence for the timeline, and beside a suggestion."""
    label = LABELS[step.target]
    said = (
        f"The time for the {label} is over."
        if step.percent == 100
        else f"{step.percent} % of the time for the {label} is used up."
    )
    return f"{said} {step.note}" if step.note else said
