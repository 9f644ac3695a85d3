"""Events from outside: each counts once, whoever posts it how often."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, select

from quarterdeck.contract.clock import DAY, iso, to_ms
from quarterdeck.contract.models.usage import RecordedUsage, UsageEvent
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.usage.sums import add, minute_of, tell
from quarterdeck.engine.usage.tables import OURS, usage_events

# Clocks of others may be ahead.
_AHEAD = DAY
_COLUMNS = {
    "tenant_id": Text(),
    "source": Text(),
    "event_id": Text(),
    "resource_type": Text(),
    "quantity": BigInteger(),
    "at": BigInteger(),
}


async def record(engine: Engine, principal: Principal, events: Sequence[UsageEvent]) -> RecordedUsage:
    """All of them, or none. Raises Problem: FORBIDDEN for a foreign tenant, INVALID_INPUT for a time that is too
    long ago or to come."""
    for each in events:
        if not principal.sees(each.tenant_id):
            raise Problem(Code.FORBIDDEN, f"Tenant {each.tenant_id} is not yours.")
    async with engine.store.write() as transaction:
        rows = _rows(events, transaction.now, transaction.now - engine.settings.usage.event_days * DAY)
        given = {"events": json.dumps(rows), "now": transaction.now}
        made = (await transaction.connection.execute(_keeping(engine.store.dialect), given)).all()
        amounts: Counter[tuple[int, str, str]] = Counter()
        for row in made:
            amounts[minute_of(row.at), row.tenant_id, row.resource_type] += row.quantity
        if made:
            await add(transaction, engine.store.dialect, amounts)
            tell(engine, transaction)
            tenants = {row.tenant_id for row in made}
            await audit.append(
                transaction,
                engine.store,
                principal,
                "usage.record",
                tenant_id=next(iter(tenants)) if len(tenants) == 1 else None,
                resource="usage",
                details={"events": len(made), "tenants": len(tenants), "duplicates": len(events) - len(made)},
            )
    return RecordedUsage(recorded=len(made), duplicates=len(events) - len(made))


def _rows(events: Sequence[UsageEvent], now: int, earliest: int) -> list[tuple[Any, ...]]:
    """In the order of the key: whoever posts the same at the same moment is waited for, never in a circle."""
    rows: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for number, each in enumerate(events):
        at = now if each.time is None else to_ms(each.time)
        if not earliest <= at <= now + _AHEAD:
            why = (
                f"is before {iso(earliest)}, from when on usage is taken"
                if at < earliest
                else "is more than a day ahead of the engine's clock"
            )
            raise _refused(f"Event {number + 1} ({each.id}): its time {why}.", f"/events/{number}/time", why)
        if each.source == OURS:
            why = "is the engine's own name; give yours another"
            raise _refused(f"Event {number + 1} ({each.id}): {OURS} {why}.", f"/events/{number}/source", why)
        key = (each.tenant_id, each.source, each.id)
        rows.setdefault(key, (*key, each.resource_type, each.quantity, at))
    return [rows[key] for key in sorted(rows)]


def _refused(sentence: str, pointer: str, why: str) -> Problem:
    return Problem(Code.INVALID_INPUT, sentence, errors=((pointer, why),))


@cache
def _keeping(dialect: Dialect) -> Any:
    """Answers with those that are new."""
    said = dialect.listed("events", _COLUMNS)
    key = [said.c[column.name] for column in usage_events.primary_key]
    rows = select(*said.c, bindparam("now", type_=BigInteger)).order_by(*key)
    new = dialect.insert(usage_events).from_select([*_COLUMNS, "recorded_at"], rows)
    told = (usage_events.c[name] for name in ("tenant_id", "resource_type", "quantity", "at"))
    return new.on_conflict_do_nothing(index_elements=list(usage_events.primary_key)).returning(*told)
