"""Alerts that others post, as they post them to Alertmanager: each says until when it holds, or is posted again."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BigInteger, Text, select, text, update

from quarterdeck.contract.clock import SECOND, to_ms
from quarterdeck.contract.enums import AlertState, AlertType, Metered, Severity
from quarterdeck.contract.models.alerts import PostedAlert, PostedAlerts, PostResult
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts.keeping import New, adopt, begin, prepare
from quarterdeck.engine.alerts.matching import canonical, fingerprint, matches
from quarterdeck.engine.alerts.rules import Rule, alive, rule_of
from quarterdeck.engine.alerts.tables import OPEN, alert_rules, alerts
from quarterdeck.engine.alerts.telling import SENT_RESOLVED, lock_groups, tell, wake
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.usage.metering import note
from quarterdeck.engine.usage.tables import NOBODY

log = logging.getLogger(__name__)

_A = alerts.c
_TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class _Heard:
    fingerprint: str
    tenant: str | None
    labels: dict[str, str]
    alert: PostedAlert
    starts: int | None
    ends: int | None


async def post(engine: Engine, principal: Principal, posted: PostedAlerts) -> PostResult:
    """Raises Problem: FORBIDDEN, INVALID_INPUT. Of the same labels the last one counts."""
    heard = {each.fingerprint: each for each in (_heard(principal, *pair) for pair in enumerate(posted.root))}
    if not heard:
        return PostResult(received=0, changed=0)
    async with engine.store.write() as transaction:
        known = await _known(engine, transaction, list(heard))
        over, new, again = [], [], []
        for name, each in heard.items():
            row = known.get(name)
            if each.ends is not None and each.ends <= transaction.now:
                over += [(row, each)] if row is not None else []
            elif row is None or (row.held_until is not None and row.held_until <= transaction.now):
                new.append(each)
            elif row.held_until is None:
                again.append((row, each))
        await _end(engine, transaction, over)
        await _renew(engine, transaction, again)
        alone = [(row.id, each) for row, each in again if row.rule_id is None]
        rules = await _rules(transaction) if new or alone else []
        await _adopt(engine, transaction, rules, alone)
        await _begin(engine, transaction, rules, new)
        changed = len(over) + len(new)
        if changed:
            details = {"began": len(new), "ended": len(over)}
            tenants = {each.tenant for each in heard.values()}
            tenant = next(iter(tenants)) if len(tenants) == 1 else None
            await audit.append(transaction, engine.store, principal, "alerts.posted", tenant_id=tenant, details=details)
            tell(engine, transaction)
            owners = [each.tenant or NOBODY for each in (*new, *(each for _, each in over))]
            transaction.after_commit(lambda: note(engine, Metered.EVENTS_PROCESSED, owners))
    return PostResult(received=len(posted.root), changed=changed)


def _heard(principal: Principal, number: int, alert: PostedAlert) -> _Heard:
    labels = canonical(alert.labels)
    tenant = labels.get(_TENANT)
    if tenant is None and principal.tenants is not None:
        if len(principal.tenants) != 1:
            pointer, said = f"/{number}/labels/{_TENANT}", "is missing; say which of your tenants it concerns"
            raise Problem(Code.INVALID_INPUT, f"labels.{_TENANT}: {said}.", errors=((pointer, said),))
        (tenant,) = principal.tenants
    if not principal.sees(tenant):
        raise Problem(Code.FORBIDDEN, f"{principal.actor} may not post alerts for the tenant {tenant}.")
    starts = None if alert.startsAt is None else to_ms(alert.startsAt)
    ends = None if alert.endsAt is None else to_ms(alert.endsAt)
    return _Heard(fingerprint(labels, tenant), tenant, labels, alert, starts, ends)


async def _known(engine: Engine, transaction: Transaction, names: Sequence[str]) -> dict[str, Any]:
    listed = engine.store.dialect.listed("names", {"name": Text()})
    columns = (
        _A.id, _A.fingerprint, _A.rule_id, _A.group_id, _A.starts_at, _A.ends_at, _A.held_until, _A.annotations, _A.url,
    )  # fmt: skip
    query = select(*columns).where(_A.fingerprint.in_(select(listed.c.name)), text(OPEN))
    rows = await transaction.connection.execute(query, {"names": json.dumps([[name] for name in names])})
    return {row.fingerprint: row for row in rows}


async def _end(engine: Engine, transaction: Transaction, over: Sequence[tuple[Any, _Heard]]) -> None:
    if not over:
        return
    connection, dialect = transaction.connection, engine.store.dialect
    wait, groups = engine.settings.alerts.group_wait_seconds, {row.group_id for row, _ in over}
    await lock_groups(engine, transaction, groups if wait == 0 else ())
    held = [row.id for row, _ in over if row.held_until is not None]
    if held:
        await connection.execute(update(alerts).where(_A.id.in_(dialect.id_list(held))).values(held_until=None))
    listed = dialect.listed("over", {"id": BigInteger(), "at": BigInteger()})
    ends = [[row.id, max(each.ends or 0, row.starts_at or 0)] for row, each in over if row.held_until is None]
    at = select(listed.c.at).where(listed.c.id == _A.id).scalar_subquery()
    values: dict[str, Any] = {"state": SENT_RESOLVED, "resolved_at": at, "ends_at": at, "acked_until": None}
    ended = update(alerts).where(_A.id.in_(select(listed.c.id))).values(**values, updated_at=transaction.now)
    await connection.execute(ended, {"over": json.dumps(ends)})
    await wake(transaction, groups, wait)


async def _renew(engine: Engine, transaction: Transaction, again: Sequence[tuple[Any, _Heard]]) -> None:
    """They go on; what they say may have changed."""
    if not again:
        return
    columns = {"id": BigInteger(), "starts": BigInteger(), "ends": BigInteger(), "said": Text(), "url": Text()}
    listed = engine.store.dialect.listed("again", columns)
    rows = [
        [
            row.id,
            min(each.starts if each.starts is not None else row.starts_at, row.starts_at),
            _until(engine, transaction, each),
            json.dumps(each.alert.annotations, ensure_ascii=True, separators=(",", ":")),
            each.alert.generatorURL or row.url,
        ]
        for row, each in again
    ]

    def new(column: Any) -> Any:
        return select(column).where(listed.c.id == _A.id).scalar_subquery()

    said = select(listed.c.said.cast(Text)).where(listed.c.id == _A.id).scalar_subquery()
    values: dict[str, Any] = {
        "starts_at": new(listed.c.starts),
        "ends_at": new(listed.c.ends),
        "url": new(listed.c.url),
    }
    renewed = update(alerts).where(_A.id.in_(select(listed.c.id))).values(**values, annotations=said)
    await transaction.connection.execute(renewed, {"again": json.dumps(rows)})


async def _rules(transaction: Transaction) -> list[Rule]:
    """Those that take what others post. One that cannot be read takes nothing, and its evaluation says so."""
    query = alive().where(alert_rules.c.enabled, alert_rules.c.type == str(AlertType.EXTERNAL))
    rules = []
    for row in await transaction.connection.execute(query.order_by(alert_rules.c.id)):
        try:
            rules.append(rule_of(row))
        except ValidationError:
            log.warning("rule %s cannot be read; it takes no alert", row.id)
    return rules


async def _adopt(
    engine: Engine, transaction: Transaction, rules: Sequence[Rule], alone: Sequence[tuple[int, _Heard]]
) -> None:
    """Those that no rule took when they began, and that one takes that was made since."""
    if not alone or not rules:
        return
    made = await _made(engine, transaction, rules, [each for _, each in alone])
    found = [(number, new) for (number, _), new in zip(alone, made, strict=True) if new.rule is not None]
    if found:
        await adopt(engine, transaction, found)
        tell(engine, transaction)


async def _begin(engine: Engine, transaction: Transaction, rules: Sequence[Rule], new: Sequence[_Heard]) -> None:
    if not new:
        return
    listed = engine.store.dialect.listed("freed", {"name": Text()})
    freed = update(alerts).where(_A.fingerprint.in_(select(listed.c.name)), _A.held_until.is_not(None))
    names = json.dumps([[each.fingerprint] for each in new])
    await transaction.connection.execute(freed.values(held_until=None), {"freed": names})
    await begin(engine, transaction, await _made(engine, transaction, rules, new))


async def _made(
    engine: Engine, transaction: Transaction, rules: Sequence[Rule], heard: Sequence[_Heard]
) -> Sequence[New]:
    """Each as it begins; in a thread, since there may be many rules and very many alerts."""
    return await asyncio.to_thread(lambda: prepare([_new(engine, transaction, rules, each) for each in heard]))


def _new(engine: Engine, transaction: Transaction, rules: Sequence[Rule], heard: _Heard) -> New:
    rule = next((each for each in rules if _takes(each, heard)), None)
    extra = {} if rule is None else rule.settings.labels
    return New(
        fingerprint=heard.fingerprint,
        tenant_id=heard.tenant,
        rule=rule,
        type=AlertType.EXTERNAL,
        name=heard.labels.get("alertname", "alert"),
        series="[]",
        severity=_severity(heard.labels.get("severity", ""), rule),
        state=AlertState.FIRING,
        labels=canonical({**extra, **heard.labels}),
        annotations=dict(heard.alert.annotations),
        starts_at=min(heard.starts if heard.starts is not None else transaction.now, transaction.now),
        ends_at=_until(engine, transaction, heard),
        url=heard.alert.generatorURL or None,
    )


def _takes(rule: Rule, heard: _Heard) -> bool:
    return rule.tenant_id in (None, heard.tenant) and matches(rule.settings.matchers, heard.labels)


def _severity(word: str, rule: Rule | None) -> Severity:
    """As it is labelled; what is no severity of ours is as bad as the rule says."""
    if word in Severity.__members__.values():
        return Severity(word)
    return Severity.WARNING if rule is None else rule.settings.severity


def _until(engine: Engine, transaction: Transaction, heard: _Heard) -> int:
    return heard.ends if heard.ends is not None else transaction.now + engine.settings.alerts.resolve_seconds * SECOND
