"""Writing alerts that begin: new rows, those that come back soon, their groups and silences. Set-based throughout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Float, Text, cast, func, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import AlertState, AlertType, Severity
from quarterdeck.engine.alerts.matching import as_text, fingerprint
from quarterdeck.engine.alerts.reaching import Quieted
from quarterdeck.engine.alerts.rules import Rule
from quarterdeck.engine.alerts.silencing import active_silences
from quarterdeck.engine.alerts.tables import alert_groups, alert_values, alerts
from quarterdeck.engine.alerts.telling import SENT_FIRING, lock_groups, wake
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

AT_ONCE = 5_000
# The key, its rule, tenant, and the labels that its alerts share.
GroupKey = tuple[str, int, str | None, tuple[tuple[str, str], ...]]


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
            each.group = _group_key(each.rule, each.labels, each.tenant_id)
        each.row = _row(each)
    return new


async def begin(engine: Engine, transaction: Transaction, new: Sequence[New]) -> None:
    """Those that are prepared. One that is open already is left as it is."""
    if not new:
        return
    silences = await active_silences(transaction.connection, transaction.now)
    firing = [each for each in new if each.state is AlertState.FIRING]
    keys = {each.group[0]: each.group for each in firing if each.group is not None}
    groups = await _made(engine, transaction, list(keys.values()))
    wait = engine.settings.alerts.group_wait_seconds
    # What began long ago, and is heard of only now, has waited enough.
    before = transaction.now - wait * SECOND
    old = {each.group[0] for each in firing if each.group is not None and (each.starts_at or 0) < before}
    await lock_groups(engine, transaction, groups.values() if wait == 0 else {groups[key] for key in old})
    back = await _reopen(engine, transaction, firing, groups, silences)
    await _insert(engine, transaction, [each for each in new if each.fingerprint not in back], groups, silences)
    await wake(transaction, {groups[key] for key in old}, 0)
    await wake(transaction, groups.values(), wait)


async def fire(engine: Engine, transaction: Transaction, rule: Rule, waited: Sequence[tuple[int, Any]]) -> None:
    """(id, labels) of alerts that have waited long enough."""
    if not waited:
        return
    named = {number: _group_key(rule, labels, _tenant(rule, labels)) for number, labels in waited}
    groups = await _made(engine, transaction, list({each[0]: each for each in named.values()}.values()))
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


def _tenant(rule: Rule, labels: dict[str, str]) -> str | None:
    return rule.tenant_id if rule.tenant_id is not None else labels.get("tenant") if rule.settings.by else None


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
    columns["group_id"] = [_group_id(each, groups) for each in new]
    columns["silenced_by"] = [_silence(each, silences) for each in new] if silences else [None]
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


def _group_id(new: New, groups: Mapping[str, int]) -> int | None:
    return None if new.group is None else groups[new.group[0]]


def _silence(new: New, silences: Sequence[Quieted]) -> int | None:
    return next((each.id for each in silences if each.quiets(new.tenant_id, new.labels)), None)


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
    bound = {"again": json.dumps([[one.fingerprint, one.ends_at, one.value, _group_id(one, groups)] for one in new])}
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
    for each in silences:  # those made meanwhile as well; the first one stays
        heard = (one for one in new if one.fingerprint in found)
        quiet = [found[one.fingerprint] for one in heard if each.quiets(one.tenant_id, one.labels)]
        mine = (alerts.c.id.in_(engine.store.dialect.id_list(quiet)), alerts.c.silenced_by.is_(None))
        await connection.execute(update(alerts).where(*mine).values(silenced_by=each.id))
    return set(found) | open_


def _group_key(rule: Rule, labels: dict[str, str], tenant: str | None) -> GroupKey:
    told = tuple([(name, labels.get(name, "")) for name in rule.group_by])
    return _key_of(rule.id, tenant, told), rule.id, tenant, told


@lru_cache(maxsize=10_000)
def _key_of(rule_id: int, tenant: str | None, told: tuple[tuple[str, str], ...]) -> str:
    return fingerprint({**dict(told), "rule": str(rule_id)}, tenant, rule_id)


async def _made(engine: Engine, transaction: Transaction, keys: Sequence[GroupKey]) -> dict[str, int]:
    if not keys:
        return {}
    found = await _known(engine, transaction.connection, keys)
    missing = [each for each in keys if each[0] not in found]
    if missing:
        rows = [
            {"key": key, "rule_id": rule_id, "tenant_id": tenant, "labels": dict(told), "created_at": transaction.now}
            for key, rule_id, tenant, told in missing
        ]
        insert = engine.store.dialect.insert(alert_groups).on_conflict_do_nothing()
        await transaction.connection.execute(insert, rows)
        found |= await _known(engine, transaction.connection, missing)
    return found


async def _known(engine: Engine, connection: AsyncConnection, keys: Sequence[GroupKey]) -> dict[str, int]:
    listed = engine.store.dialect.listed("keys", {"key": Text()})
    query = select(alert_groups.c.key, alert_groups.c.id).where(alert_groups.c.key.in_(select(listed.c.key)))
    rows = await connection.execute(query, {"keys": json.dumps([[each[0]] for each in keys])})
    return {row.key: row.id for row in rows}
