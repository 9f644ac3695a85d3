"""What policies have the engine do when a promise has used up its share of the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import SmallInteger, Text, and_, literal, select

from quarterdeck.contract.clock import iso
from quarterdeck.contract.enums import EscalationAct, NotificationState, Priority, Severity
from quarterdeck.contract.models.sla import EscalationStep
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.channels.service import Notice, notify, status_of
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.effects import Effect, carry_out
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.sla.clockwork import Clock, Rules, moment_of
from quarterdeck.engine.sla.following import Watched
from quarterdeck.engine.sla.keeping import LABELS
from quarterdeck.engine.store.store import Transaction

_BREACH = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of an item's escalation whose time came at `at`."""

    item: Watched
    step: EscalationStep
    at: int


def steps_due(rules: Rules, clock: Clock, now: int) -> Iterator[tuple[EscalationStep, int]]:
    """Those whose time has come since the last look, and when that was."""
    for step in rules.steps[clock.target][clock.steps :]:
        moment = moment_of(rules, clock, step.percent)
        if moment is None or moment >= now:
            return
        yield step, moment


def why(step: EscalationStep) -> str:
    """A sentence for the timeline, and beside a suggestion."""
    label = LABELS[step.target]
    said = (
        f"The time for the {label} is over."
        if step.percent == _BREACH
        else f"{step.percent} % of the time for the {label} is used up."
    )
    return f"{said} {step.note}" if step.note else said


async def escalate(engine: Engine, transaction: Transaction, taken: Sequence[Taken]) -> None:
    """Step by step; what falls due at once of the same tenant and queue is one notification a channel."""

    def together(each: Taken) -> tuple[str, str, int, str, str, list[str], str, str]:
        step, owner = each.step, each.item.owner
        whose = (owner.tenant_id, str(owner.resource)) if step.channels else ("", "")
        return (str(step.act), step.assignee or "", step.percent, str(step.target), step.note or "",
                step.channels, *whose)  # fmt: skip

    for _, group in groupby(sorted(taken, key=together), key=together):
        each = list(group)
        step, body = each[0].step, why(each[0].step)
        if step.channels:
            body = f"{body} {await _tell(engine, transaction, step, each)}"
        ids = engine.store.dialect.id_list([one.item.owner.item_id for one in each])
        limits = [items.c.priority > 0] if step.act is EscalationAct.RAISE_PRIORITY else []
        scope = and_(items.c.id.in_(ids), *limits)
        await carry_out(_effect_of(step, body), scope, transaction, engine.store.dialect, actor=SYSTEM.actor)


def _effect_of(step: EscalationStep, body: str) -> Effect:
    if step.act is EscalationAct.RAISE_PRIORITY:
        return Effect("escalated", {"priority": items.c.priority - literal(1, SmallInteger)}, body=body)
    if step.act is EscalationAct.ASSIGN:
        nobody = literal(None, items.c.claimed_until.type)
        return Effect("escalated", {"assignee": literal(step.assignee, Text), "claimed_until": nobody}, body=body)
    return Effect("escalated", {"comments": items.c.comments}, body=body, counts_as_change=False)


async def _tell(engine: Engine, transaction: Transaction, step: EscalationStep, taken: Sequence[Taken]) -> str:
    """A sentence on who is told. All of them are of one tenant and queue."""
    owner = taken[0].item.owner
    columns = (items.c.id, items.c.kind, items.c.title, items.c.priority, items.c.assignee)
    ids = engine.store.dialect.id_list([each.item.owner.item_id for each in taken])
    rows = (await transaction.connection.execute(select(*columns).where(items.c.id.in_(ids)))).all()
    known = {row.id: row for row in rows}
    alerts = tuple(_alert(known[each.item.owner.item_id], each) for each in taken)
    if len(taken) == 1:
        key = f"sla:{owner.resource}:{owner.item_id}:{step.target}"
        what = f"{owner.resource} {owner.item_id} ({rows[0].title})"
    else:
        key = f"sla:{owner.resource}:{step.target}:{step.percent}:{transaction.now}"
        what = f"{len(taken):,} items of {owner.resource}"
    severity = Severity.CRITICAL if step.percent >= _BREACH else Severity.WARNING
    notice = Notice(key, owner.tenant_id, "trigger", str(severity), f"{what}: {why(step)}", alerts)
    numbers = await notify(engine, transaction, step.channels, notice)
    said = await status_of(transaction.connection, numbers)
    told = [each.channel for each in said.values() if each.state is not NotificationState.SKIPPED]
    missed = [str(each.error_message) for each in said.values() if each.state is NotificationState.SKIPPED]
    return " ".join([*([f"Told: {', '.join(told)}."] if told else []), *(f"Not told: {each}" for each in missed)])


def _alert(row: Any, taken: Taken) -> dict[str, Any]:
    owner = taken.item.owner
    labels = {
        "resource": str(owner.resource),
        "item": str(owner.item_id),
        "tenant": owner.tenant_id,
        "kind": row.kind,
        "priority": str(Priority.of_rank(row.priority)),
        "assignee": row.assignee or "",
        "target": str(taken.step.target),
        "policy": taken.item.version.name,
    }
    annotations = {"title": row.title, "summary": why(taken.step)}
    return {"labels": labels, "annotations": annotations, "starts_at": iso(taken.at), "ends_at": None}
