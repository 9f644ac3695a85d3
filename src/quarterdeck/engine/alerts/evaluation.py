"""Looking at every rule: what holds now against what was known. Writes what has changed, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import AlertState, AlertType
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.alerts import sampling
from quarterdeck.engine.alerts.keeping import AT_ONCE, New, begin, fire, note_values, prepare
from quarterdeck.engine.alerts.matching import canonical, filled, fingerprint_of, series_text
from quarterdeck.engine.alerts.putback import look_again
from quarterdeck.engine.alerts.quiet import fault_of
from quarterdeck.engine.alerts.rules import Rule, alive, rule_of
from quarterdeck.engine.alerts.states import NOTHING, Standing, advance, is_worse
from quarterdeck.engine.alerts.tables import OPEN, alert_rules, alerts
from quarterdeck.engine.alerts.telling import lock_groups, note_error, over_at, start_again, tell, wake
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

_A = alerts.c
_KNOWN = (
    _A.id, _A.series, _A.state, _A.pending_at, _A.starts_at, _A.resolved_at, _A.held_until, _A.value, _A.acked_value,
    _A.acked_until,
)  # fmt: skip


Begins = tuple[sampling.Sample, str, Standing]  # of what, its `series` as text, and how it stands now


@dataclass(slots=True)
class Changes:
    """What an evaluation found: new ones, and ids of known ones."""

    new: list[Begins] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)  # anew, since the clock was put back
    ended: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    worse: dict[int, float | None] = field(default_factory=dict)  # beside what it was when it was acknowledged
    values: list[tuple[int, float]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(
            (self.new, self.waited, self.waiting, self.ended, self.dropped, self.released, self.worse, self.values)
        )


@dataclass(slots=True)
class _Seen:
    """When each rule was last changed, as far as this engine has seen; one for each engine (`engine.keep`)."""

    changed_at: dict[int, int] = field(default_factory=dict)


async def evaluate(engine: Engine) -> None:
    """Every rule that is switched on, one after the other; one that fails says so and does not stop the rest."""
    async with engine.store.read() as connection:
        rows = (await connection.execute(alive().where(alert_rules.c.enabled).order_by(alert_rules.c.id))).all()
    seen = engine.keep(_Seen, _Seen)
    if changed := [row.id for row in rows if seen.changed_at.get(row.id) != row.updated_at]:
        await look_again(engine, changed)
        seen.changed_at = {row.id: row.updated_at for row in rows}
    for row in rows:
        if engine.stopping.is_set():
            return
        try:
            await _look(engine, row)
        except Exception as error:
            log.exception("rule %s could not be evaluated", row.id)
            async with engine.store.write() as transaction:
                await note_error(transaction, row.id, "It could not be evaluated", error)


async def _look(engine: Engine, row: Any) -> None:
    """Of those that others post nothing is read; that they can be told is looked at all the same."""
    rule = rule_of(row)
    if rule.type is not AlertType.EXTERNAL:
        await evaluate_rule(engine, rule, row.updated_at)
    elif row.error != (error := fault_of(rule.settings.quiet_hours)):
        async with engine.store.write() as transaction:
            await transaction.connection.execute(
                update(alert_rules).where(alert_rules.c.id == rule.id).values(error=error)
            )


async def evaluate_rule(engine: Engine, rule: Rule, updated_at: int) -> None:
    now = now_ms()
    async with engine.store.read() as connection:
        samples = await sampling.read(connection, engine, rule, now)
        known = await _known(connection, rule)
    # In a thread, since there may be very many, and others wait for the engine.
    changes = await asyncio.to_thread(compare, rule, samples, known, now, engine.settings.alerts.worse_percent)
    new = _new(rule, changes.new[:AT_ONCE])
    async with engine.store.write() as transaction:
        if not await _my_turn(engine, transaction, rule, updated_at):
            return
        if changes:
            await _write(engine, transaction, rule, changes, new)
    await _begin_rest(engine, rule, updated_at, changes.new[AT_ONCE:])


async def _begin_rest(engine: Engine, rule: Rule, updated_at: int, rest: Sequence[Begins]) -> None:
    """In parts, so that nobody waits for all of them; each is made while the one before it is written. A rule that is
    changed or deleted meanwhile begins no more."""
    new: Sequence[New] = []
    for start in range(0, len(rest) + AT_ONCE, AT_ONCE) if rest else ():
        ahead = asyncio.create_task(asyncio.to_thread(_new, rule, rest[start : start + AT_ONCE]))
        try:
            if new:
                async with engine.store.write() as transaction:
                    if await _as_it_stands(engine, transaction, rule, updated_at) is None:
                        return
                    await begin(engine, transaction, new)
                    tell(engine, transaction)
        finally:
            new = await ahead


async def _known(connection: AsyncConnection, rule: Rule) -> list[Any]:
    result = await connection.execute(select(*_KNOWN).where(_A.rule_id == rule.id, text(OPEN)))
    return [tuple(row) for row in result]


async def _as_it_stands(engine: Engine, transaction: Transaction, rule: Rule, updated_at: int) -> Any:
    """The rule's row; None where it is no longer the one that was read."""
    which = (alert_rules.c.id == rule.id, alert_rules.c.updated_at == updated_at)
    query = alive().where(*which, alert_rules.c.enabled)
    return (await transaction.connection.execute(engine.store.dialect.lock(query))).one_or_none()


async def _my_turn(engine: Engine, transaction: Transaction, rule: Rule, updated_at: int) -> bool:
    """Whether the rule is still the one that was read, and no other engine has just looked at it."""
    row = await _as_it_stands(engine, transaction, rule, updated_at)
    if row is None:
        return False
    if row.evaluated_at != rule.evaluated_at and row.evaluated_at > transaction.now - 5 * SECOND:
        return False
    error = fault_of(rule.settings.quiet_hours)
    looked = update(alert_rules).where(alert_rules.c.id == rule.id)
    await transaction.connection.execute(looked.values(evaluated_at=transaction.now, error=error))
    return True


def compare(
    rule: Rule, samples: Sequence[sampling.Sample], known: Sequence[tuple[Any, ...]], now: int, worse_percent: int
) -> Changes:
    """`known` are rows of `_KNOWN`. What is as it was costs next to nothing."""
    changes, wait = Changes(), rule.settings.for_seconds * SECOND
    by_series = {row[1]: row for row in known}
    firing, begun = str(AlertState.FIRING), advance(NOTHING, True, now, wait)
    for sample in samples:
        series = series_text(sample.series)
        row = by_series.pop(series, None)
        holds = rule.holds(sample.value)
        if row is None:
            if holds:
                changes.new.append((sample, series, begun))
            continue
        if holds and row[2] == firing and row[6] is None:  # the common case
            if row[7] != sample.value:
                changes.values.append((row[0], sample.value))
                if row[9] is not None and is_worse(sample.value, row[8], worse_percent, falls=rule.falls):
                    changes.worse[row[0]] = row[8]
            continue
        _move(changes, rule, row, sample, series, holds, now, wait)
    for row in by_series.values():  # nothing is read of them any more
        _move(changes, rule, row, None, row[1], False, now, wait)
    return changes


def _move(
    changes: Changes,
    rule: Rule,
    row: tuple[Any, ...],
    sample: sampling.Sample | None,
    series: str,
    holds: bool,
    now: int,
    wait: int,
) -> None:
    number, _, state, since, starts_at, resolved_at, held_until, *_ = row
    before = Standing(AlertState(state), since, starts_at, resolved_at, held_until)
    after = advance(before, holds, now, wait)
    if held_until is not None:
        if after.held_until is None:
            changes.released.append(number)
            if sample is not None and after.is_open:
                changes.new.append((sample, series, after))
    elif after.state is AlertState.RESOLVED:
        changes.ended.append(number)
    elif after.state is AlertState.INACTIVE:
        changes.dropped.append(number)
    elif after.state is AlertState.FIRING and before.state is AlertState.PENDING:
        changes.waited.append(number)
    elif after.state is AlertState.PENDING and after.since != since:
        changes.waiting.append(number)
    if sample is not None and after.is_open and before.is_open and held_until is None and row[7] != sample.value:
        changes.values.append((number, sample.value))


def _new(rule: Rule, begins: Sequence[Begins]) -> Sequence[New]:
    """Prepared; made part by part, since all of them at once may be very many."""
    settings, found = rule.settings, []
    annotations: dict[str, str] = {}
    for sample, series, standing in begins:
        labels = canonical(sampling.labels_of(rule, sample.series))
        if settings.annotations:
            annotations = filled(settings.annotations, labels, f"{sample.value:g}")
        tenant = sampling.tenant_of(rule, sample.series)
        one = New(
            fingerprint=fingerprint_of(labels, tenant, rule.id),
            tenant_id=tenant,
            rule=rule,
            type=rule.type,
            name=rule.name,
            series=series,
            severity=settings.severity,
            state=standing.state,
            labels=labels,
            annotations=annotations,
            value=sample.value,
            threshold=settings.threshold,
            since=standing.since,
            starts_at=standing.starts_at,
        )
        found.append(one)
    return prepare(found)


async def _write(engine: Engine, transaction: Transaction, rule: Rule, changes: Changes, new: Sequence[New]) -> None:
    """`new` are those that begin in this transaction."""
    connection, now, dialect = transaction.connection, transaction.now, engine.store.dialect

    def these(ids: Sequence[int], *more: Any) -> tuple[Any, ...]:
        return (_A.id.in_(dialect.id_list(ids)), *more)

    if changes.worse:
        # First, since it locks groups. Not where somebody has resolved it since, or has acknowledged that it is so bad.
        why = "It got worse than when it was acknowledged."
        await start_again(
            engine, transaction, list(changes.worse), lambda row: changes.worse[row.id] == row.acked_value, "worse", why
        )
    if changes.released:
        await connection.execute(update(alerts).where(*these(changes.released)).values(held_until=None))
    if changes.ended:
        over: dict[str, Any] = {"state": str(AlertState.RESOLVED), "resolved_at": over_at(now), "updated_at": now}
        over["acked_until"] = None
        firing = _A.state == str(AlertState.FIRING)
        groups = select(_A.group_id).where(*these(changes.ended)).distinct()
        told = (await connection.execute(groups)).scalars().all()
        wait = engine.settings.alerts.group_wait_seconds
        await lock_groups(engine, transaction, told if wait == 0 else ())
        await connection.execute(update(alerts).where(*these(changes.ended, firing)).values(**over))
        await wake(transaction, told, wait)
    if changes.dropped:
        await connection.execute(delete(alerts).where(*these(changes.dropped, _A.state == str(AlertState.PENDING))))
    if changes.waiting:
        await connection.execute(update(alerts).where(*these(changes.waiting)).values(pending_at=now))
    if changes.waited:
        rows = (await connection.execute(select(_A.id, _A.labels, _A.tenant_id).where(*these(changes.waited)))).all()
        await fire(engine, transaction, rule, [tuple(row) for row in rows])
    await note_values(engine, transaction, rule.id, changes.values)
    await begin(engine, transaction, new)
    counts = {
        "began": len(changes.new),
        "fired": len(changes.waited),
        "ended": len(changes.ended),
        "dropped": len(changes.dropped),
    }
    if any(counts.values()):
        details = {"rule": rule.id, **counts}
        await audit.append(
            transaction, engine.store, SYSTEM, "alerts.evaluated", tenant_id=rule.tenant_id, details=details
        )
    tell(engine, transaction)
