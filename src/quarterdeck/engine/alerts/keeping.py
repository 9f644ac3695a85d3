"""Writing alerts that begin: new rows, those that come back soon, their groups and silences. Set-based throughout."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Float, Text, cast, func, literal, null, select, update

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AlertState, AlertType, Severity
from quarterdeck.engine.alerts.gathering import GroupKey, group_key, made_groups, stay
from quarterdeck.engine.alerts.matching import as_text
from quarterdeck.engine.alerts.reaching import Quieted
from quarterdeck.engine.alerts.rules import Rule
from quarterdeck.engine.alerts.silencing import active_silences
from quarterdeck.engine.alerts.tables import alert_values, alerts
from quarterdeck.engine.alerts.telling import SENT_FIRING, lock_groups, wake
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

AT_ONCE = 5_000


@dataclass(slots=True)  # not frozen, which would make them three times as dear: there may be very many
class New:
    """An alert that begins to wait or to fire; times in ms. `rule` None: from outside, and no rule takes it."""

    fingerprint: str
    tenant_id: str | None
    rule: Rule | None
    type: AlertType
    name: str
    series: str
    severity: Severity
    state: AlertState
    labels: dict[str, str]
    annotations: dict[str, str]
    value: float | None = None
    threshold: float | None = None
    since: int | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    url: str | None = None
    group: GroupKey | None = None  # where it fires and a rule takes it; see `prepare`
    row: tuple[Any, ...] | None = None


def prepare(new: Sequence[New]) -> Sequence[New]:
    """What of writing them down needs no store, and can be done in a thread."""
    for each in new:
        if each.rule is not None and each.state is AlertState.FIRING:
            each.group = group_key(each.rule, each.labels, each.tenant_id)
        each.row = _row(each)
    return new


async def begin(engine: Engine, transaction: Transaction, new: Sequence[New]) -> None:
    """Those that are prepared. One that is open already is left as it is."""
    if not new:
        return
    silences = await active_silences(transaction.connection, transaction.now)
    firing = [each for each in new if each.state is AlertState.FIRING]
    keys = {each.group[0]: each.group for each in firing if each.group is not None}
    groups = await made_groups(engine, transaction, list(keys.values()))
    wait = engine.settings.alerts.group_wait_seconds
    # What began long ago, and is heard of only now, has waited enough.
    before = transaction.now - wait * SECOND
    old = {each.group[0] for each in firing if each.group is not None and (each.starts_at or 0) < before}
    await lock_groups(engine, transaction, groups.values() if wait == 0 else {groups[key] for key in old})
    back = await _reopen(engine, transaction, firing, groups, silences)
    await _insert(engine, transaction, [each for each in new if each.fingerprint not in back], groups, silences)
    await wake(transaction, {groups[key] for key in old}, 0)
    await wake(transaction, groups.values(), wait)
    await stay(engine, transaction, groups.values())


async def adopt(engine: Engine, transaction: Transaction, found: Sequence[tuple[int, New]]) -> None:
    """Alerts (id, and as they would begin now) that nobody was told of, since no rule took them: one does now."""
    keys = {each.group[0]: each.group for _, each in found if each.group is not None}
    groups = await made_groups(engine, transaction, list(keys.values()))
    await lock_groups(engine, transaction, groups.values())
    columns = {"id": BigInteger()} | {name: _COLUMNS[name] for name in ("rule_id", "group_id", "severity", "labels")}
    listed = engine.store.dialect.listed("taken", columns)
    rows = [
        [number, each.rule.id, group_id_of(each, groups), str(each.severity), as_text(each.labels)]
        for number, each in found
        if each.rule is not None
    ]
    new = {
        name: select(cast(listed.c[name], kind)).where(listed.c.id == alerts.c.id).scalar_subquery()
        for name, kind in columns.items()
        if name != "id"
    }
    mine = (alerts.c.id.in_(select(listed.c.id)), alerts.c.rule_id.is_(None))
    await transaction.connection.execute(update(alerts).where(*mine).values(**new), {"taken": json.dumps(rows)})
    await wake(transaction, groups.values(), 0)
    await stay(engine, transaction, groups.values())


async def fire(
    engine: Engine, transaction: Transaction, rule: Rule, waited: Sequence[tuple[int, Any, str | None]]
) -> None:
    """(id, labels, tenant) of alerts that have waited long enough."""
    if not waited:
        return
    named = {number: group_key(rule, labels, tenant) for number, labels, tenant in waited}
    groups = await made_groups(engine, transaction, list({each[0]: each for each in named.values()}.values()))
    wait = engine.settings.alerts.group_wait_seconds
    await lock_groups(engine, transaction, groups.values() if wait == 0 else ())
    pairs = [[number, groups[key]] for number, (key, *_) in named.items()]
    listed = engine.store.dialect.listed("firing", {"id": BigInteger(), "group_id": BigInteger()})
    group = select(listed.c.group_id).where(listed.c.id == alerts.c.id).scalar_subquery()
    now = transaction.now
    fired = (
        update(alerts)
        .where(alerts.c.id.in_(select(listed.c.id)), alerts.c.state == str(AlertState.PENDING))
        .values(state=str(AlertState.FIRING), starts_at=now, updated_at=now, group_id=group)
    )
    await transaction.connection.execute(fired, {"firing": json.dumps(pairs)})
    await wake(transaction, groups.values(), wait)
    await stay(engine, transaction, groups.values())


async def note_values(
    engine: Engine, transaction: Transaction, rule_id: int, values: Sequence[tuple[int, float]]
) -> None:
    """(id, value) of those whose value has moved."""
    if not values:
        return
    listed = engine.store.dialect.listed("moved", {"id": BigInteger(), "value": Float()})
    bound = {"moved": json.dumps([list(each) for each in values])}
    new = select(listed.c.value).where(listed.c.id == alerts.c.id).scalar_subquery()
    ids = select(listed.c.id)
    moved = update(alerts).where(alerts.c.id.in_(ids)).values(value=new, updated_at=transaction.now)
    await transaction.connection.execute(moved, bound)
    kept = engine.store.dialect.insert(alert_values).on_conflict_do_nothing()
    lines = [{"alert_id": number, "at": transaction.now, "value": value} for number, value in values]
    await transaction.connection.execute(kept, lines)


# Of a row, and those that are known when it is written.
_ROW: dict[str, Any] = {
    "fingerprint": Text(),
    "tenant_id": Text(),
    "rule_id": BigInteger(),
    "type": Text(),
    "name": Text(),
    "series": Text(),
    "severity": Text(),
    "state": Text(),
    "value": Float(),
    "threshold": Float(),
    "pending_at": BigInteger(),
    "starts_at": BigInteger(),
    "ends_at": BigInteger(),
    "url": Text(),
    "labels": Text(),
    "annotations": Text(),
}
_COLUMNS = {**_ROW, "updated_at": BigInteger(), "group_id": BigInteger(), "silenced_by": BigInteger()}


def _row(new: New) -> tuple[Any, ...]:
    """In the order of `_ROW`."""
    return (
        new.fingerprint,
        new.tenant_id,
        None if new.rule is None else new.rule.id,
        new.type.value,
        new.name,
        new.series,
        new.severity.value,
        new.state.value,
        new.value,
        new.threshold,
        new.since,
        new.starts_at,
        new.ends_at,
        new.url,
        as_text(new.labels),
        as_text(new.annotations),
    )


async def _insert(
    engine: Engine,
    transaction: Transaction,
    new: Sequence[New],
    groups: Mapping[str, int],
    silences: Sequence[Quieted],
) -> None:
    """All of them in one statement; what is the same in all is said once."""
    if not new:
        return
    rows = [each.row for each in new if each.row is not None]
    columns: dict[str, Sequence[Any]] = dict(zip(_ROW, zip(*rows, strict=True), strict=True))
    columns["updated_at"] = [transaction.now]
    columns["group_id"] = [group_id_of(each, groups) for each in new]
    columns["silenced_by"] = await asyncio.to_thread(_silenced, new, silences) if silences else [None]
    differing = [name for name, values in columns.items() if name == "fingerprint" or len(set(values)) > 1]
    listed = engine.store.dialect.listed("new", {name: _COLUMNS[name] for name in differing})

    def said(name: str) -> Any:
        if name in listed.c:
            return listed.c[name]
        value = columns[name][0]
        return cast(null() if value is None else literal(value, _COLUMNS[name]), _COLUMNS[name]).label(name)

    # SQLite takes ON CONFLICT for a join where nothing stands between.
    found = select(*(said(name) for name in _COLUMNS)).where(listed.c.fingerprint.is_not(None))
    insert = engine.store.dialect.insert(alerts).from_select(list(_COLUMNS), found).on_conflict_do_nothing()
    values = json.dumps(list(zip(*(columns[name] for name in differing), strict=True)))
    await transaction.connection.execute(insert, {"new": values})


def group_id_of(new: New, groups: Mapping[str, int]) -> int | None:
    return None if new.group is None else groups[new.group[0]]


def _silenced(new: Sequence[New], silences: Sequence[Quieted]) -> list[int | None]:
    """By which each is kept quiet; for a thread, since there may be very many of both."""
    return [next((each.id for each in silences if each.quiets(one.tenant_id, one.labels)), None) for one in new]


async def _reopen(
    engine: Engine,
    transaction: Transaction,
    new: Sequence[New],
    groups: Mapping[str, int],
    silences: Sequence[Quieted],
) -> set[str]:
    """Those that were over a moment ago are the same ones again. Their fingerprints.

    Not where they are told in another group now: their end is still to be told where they were.
    """
    if not new:
        return set()
    connection, now = transaction.connection, transaction.now
    since = now - engine.settings.alerts.flap_seconds * SECOND
    if (await connection.execute(select(alerts.c.id).where(alerts.c.resolved_at > since).limit(1))).first() is None:
        return set()
    columns = {"fingerprint": Text(), "ends_at": BigInteger(), "value": Float(), "group_id": BigInteger()}
    listed = engine.store.dialect.listed("again", columns)
    bound = {"again": json.dumps([[one.fingerprint, one.ends_at, one.value, group_id_of(one, groups)] for one in new])}
    lately = (alerts.c.state == str(AlertState.RESOLVED), alerts.c.resolved_at > since, alerts.c.held_until.is_(None))
    newest = (
        select(func.max(alerts.c.id).label("id"), alerts.c.fingerprint)
        .join(listed, listed.c.fingerprint == alerts.c.fingerprint)
        .where(*lately, alerts.c.group_id.is_not_distinct_from(listed.c.group_id))
        .group_by(alerts.c.fingerprint)
    )
    found = {row.fingerprint: row.id for row in await connection.execute(newest, bound)}
    if not found:
        return set()
    taken = select(alerts.c.fingerprint).where(
        alerts.c.fingerprint.in_(select(listed.c.fingerprint)), alerts.c.state.in_(("pending", "firing"))
    )
    open_ = set((await connection.execute(taken, bound)).scalars())
    found = {name: number for name, number in found.items() if name not in open_}
    if not found:
        return open_
    of = listed.c.fingerprint == alerts.c.fingerprint
    again = (
        update(alerts)
        .where(alerts.c.id.in_(engine.store.dialect.id_list(sorted(found.values()))))
        .values(
            state=SENT_FIRING,
            resolved_at=None,
            updated_at=now,
            changes=alerts.c.changes + 1,
            acked_by=None,
            acked_at=None,
            silenced_by=None,
            ends_at=select(listed.c.ends_at).where(of).scalar_subquery(),
            value=select(listed.c.value).where(of).scalar_subquery(),
        )
    )
    await connection.execute(again, bound)
    heard = [each for each in new if each.fingerprint in found]
    by: defaultdict[int, list[int]] = defaultdict(list)  # those made meanwhile as well
    for each, silence in zip(heard, await asyncio.to_thread(_silenced, heard, silences), strict=True):
        if silence is not None:
            by[silence].append(found[each.fingerprint])
    for silence, quiet in by.items():
        mine = (alerts.c.id.in_(engine.store.dialect.id_list(quiet)), alerts.c.silenced_by.is_(None))
        await connection.execute(update(alerts).where(*mine).values(silenced_by=silence))
    return set(found) | open_
