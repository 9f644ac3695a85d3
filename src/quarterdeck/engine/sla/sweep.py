"""What time alone does to clocks: breaches, and the steps of escalations. Reads what is due, not what is open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Row,
    Select,
    SmallInteger,
    Text,
    and_,
    case,
    literal,
    select,
    tuple_,
    update,
)

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import ClockState, EscalationAct, EscalationDoes, SlaTarget
from quarterdeck.contract.live import MOST_IDS_NAMED
from quarterdeck.contract.live import Change as Told
from quarterdeck.contract.models.sla import EscalationStep
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.claims import SYSTEM
from quarterdeck.engine.items.effects import Effect, carry_out
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.sla.clockwork import BREACHED, Clock, Rules, advance, moment_of
from quarterdeck.engine.sla.following import Watched, watched
from quarterdeck.engine.sla.keeping import LABELS, Kept, sentence
from quarterdeck.engine.sla.policies import Version, versions_by_id
from quarterdeck.engine.sla.sights import ACTOR
from quarterdeck.engine.sla.tables import sla_clocks
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

SECONDS = 0.5
AT_ONCE = 5_000
_C = sla_clocks.c


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
    columns = (_C.item_id, _C.target, _C.version_id, _C.state, _C.due_at, _C.steps)
    passed = (_C.next_at.is_not(None), _C.next_at < now)
    return select(*columns).where(*passed).order_by(_C.next_at, _C.item_id).limit(most)


async def _batch(engine: Engine, transaction: Transaction) -> int:
    """How many clocks were looked at."""
    connection, dialect, now = transaction.connection, engine.store.dialect, transaction.now
    due = (await connection.execute(_due(now, AT_ONCE))).all()
    mine = select(items.c.id).where(items.c.id.in_(dialect.id_list([row.item_id for row in due])))
    held = {row.id for row in await connection.execute(dialect.lock_skipping(mine.order_by(items.c.id)))}
    due = [row for row in due if row.item_id in held]
    if not due:
        return 0
    versions = await versions_by_id(connection, {row.version_id for row in due})
    plain = [row for row in due if _only_breaks(row, versions[row.version_id], now)]
    rest = {row.item_id for row in due} - {row.item_id for row in plain}
    plain = [row for row in plain if row.item_id not in rest]
    await _break(transaction, dialect, plain)
    broken, done = await _move(engine, transaction, rest)
    details = {"breached": len(plain) + broken, "escalated": done}
    await audit.append(transaction, engine.store, SYSTEM, "sla.swept", details=details)
    ids = sorted(held)
    resources = select(items.c.resource).where(items.c.id.in_(dialect.id_list(ids))).distinct()
    for row in (await connection.execute(resources)).all():
        announce(engine, transaction, row.resource, ids if len(ids) <= MOST_IDS_NAMED else None, None, Told.UPDATED)
    return len(due)


def _only_breaks(row: Row[Any], version: Version, now: int) -> bool:
    """Whether nothing follows the breach: then any number of clocks is a few statements."""
    more = len(version.rules.steps[SlaTarget(row.target)]) > row.steps
    return row.state == str(ClockState.RUNNING) and not more and row.due_at < now


async def _break(transaction: Transaction, dialect: Dialect, rows: Sequence[Row[Any]]) -> None:
    if not rows:
        return
    listed = dialect.listed("the_clocks", {"place": Integer(), "item_id": BigInteger(), "target": Text()})
    values = {"the_clocks": json.dumps([[place, row.item_id, row.target] for place, row in enumerate(rows)])}
    labels = case(*((listed.c.target == str(each), sentence([label])) for each, label in LABELS.items()))
    lines = (
        select(
            listed.c.item_id,
            _C.due_at,
            literal(ACTOR, Text),
            literal(BREACHED, Text),
            labels,
            items.c.version,
        )
        .select_from(
            listed.join(sla_clocks, and_(_C.item_id == listed.c.item_id, _C.target == listed.c.target)).join(
                items, items.c.id == listed.c.item_id
            )
        )
        .order_by(listed.c.place)
    )
    names = ["item_id", "at", "actor", "type", "body", "version_after"]
    await transaction.connection.execute(item_events.insert().from_select(names, lines), values)
    these = tuple_(_C.item_id, _C.target).in_(select(listed.c.item_id, listed.c.target))
    broken = {"state": str(ClockState.BREACHED), "breached_at": _C.due_at, "soon_at": None, "next_at": None}
    await transaction.connection.execute(update(sla_clocks).where(these).values(**broken), values)


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
