"""What time alone does to clocks: breaches, and the steps of escalations. Reads what is due, not what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Select, SmallInteger, Text, and_, literal, select

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import EscalationAct, EscalationDoes
from quarterdeck.contract.live import Change as Told
from quarterdeck.contract.models.sla import EscalationStep
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.claims import SYSTEM
from quarterdeck.engine.items.effects import Effect, carry_out
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.sla.clockwork import Clock, Rules, advance, moment_of
from quarterdeck.engine.sla.following import Watched, watched
from quarterdeck.engine.sla.keeping import LABELS, Kept
from quarterdeck.engine.sla.tables import sla_clocks
from quarterdeck.engine.store.store import Transaction

SECONDS = 0.5
AT_ONCE = 2_500


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


def _due(now: int, most: int) -> Select[tuple[int]]:
    passed = (sla_clocks.c.next_at.is_not(None), sla_clocks.c.next_at < now)
    return select(sla_clocks.c.item_id).where(*passed).order_by(sla_clocks.c.next_at).limit(most)


async def _batch(engine: Engine, transaction: Transaction) -> int:
    """How many clocks were looked at."""
    connection, dialect, now = transaction.connection, engine.store.dialect, transaction.now
    due = [row.item_id for row in await connection.execute(_due(now, AT_ONCE))]
    mine = select(items.c.id).where(items.c.id.in_(dialect.id_list(due))).order_by(items.c.id)
    ids = [row.id for row in await connection.execute(dialect.lock_skipping(mine))]
    if not ids:
        return 0
    kept, taken, broken = Kept(), [], 0
    for item in await watched(connection, items.c.id.in_(dialect.id_list(ids))):
        after, changes = [], []
        for clock in item.clocks:
            moved, more = advance(clock, now)
            steps = list(_steps(item.version.rules, moved, now))
            taken += [_Taken(item, step) for step in steps]
            after.append(replace(moved, steps=moved.steps + len(steps)))
            changes += more
            broken += len(more)
        kept.add(item.owner, item.version.id, item.version.rules, after, changes)
    kept.lines.sort(key=lambda line: line["at"])
    await kept.write(transaction, dialect)
    details = {"breached": broken, "escalated": sum(each.step.does is EscalationDoes.DO for each in taken)}
    await _escalate(engine, transaction, [each for each in taken if each.step.does is EscalationDoes.DO])
    await audit.append(transaction, engine.store, SYSTEM, "sla.swept", details=details)
    resources = select(items.c.resource).where(items.c.id.in_(dialect.id_list(ids))).distinct()
    for row in (await connection.execute(resources)).all():
        announce(engine, transaction, row.resource, ids if len(ids) <= 200 else None, None, Told.UPDATED)
    return len(due)


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
