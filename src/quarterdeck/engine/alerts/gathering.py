"""Which group alerts are told in, and the groups themselves."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import lru_cache

from sqlalchemy import Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts.matching import fingerprint
from quarterdeck.engine.alerts.rules import Rule
from quarterdeck.engine.alerts.tables import alert_groups
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

# The key, its rule, tenant, and the labels that its alerts share.
GroupKey = tuple[str, int, str | None, tuple[tuple[str, str], ...]]


def group_key(rule: Rule, labels: dict[str, str], tenant: str | None) -> GroupKey:
    told = tuple([(name, labels.get(name, "")) for name in rule.group_by])
    return _key_of(rule.id, tenant, told), rule.id, tenant, told


@lru_cache(maxsize=10_000)
def _key_of(rule_id: int, tenant: str | None, told: tuple[tuple[str, str], ...]) -> str:
    return fingerprint({**dict(told), "rule": str(rule_id)}, tenant, rule_id)


async def made_groups(engine: Engine, transaction: Transaction, keys: Sequence[GroupKey]) -> dict[str, int]:
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


async def stay(engine: Engine, transaction: Transaction, group_ids: Collection[int]) -> None:
    """After they were woken. One that was unused for long may be forgotten just when something begins in it, where
    several write at once. Raises Problem(STORE_BUSY): the next attempt makes it anew."""
    if not engine.store.dialect.skips_locked or not group_ids:
        return
    ids = engine.store.dialect.id_list(sorted(set(group_ids)))
    there = select(func.count()).select_from(alert_groups).where(alert_groups.c.id.in_(ids))
    if (await transaction.connection.execute(there)).scalar_one() < len(set(group_ids)):
        raise Problem(Code.STORE_BUSY, "A group of alerts was forgotten at the same moment; try again.", retry_after=1)


async def _known(engine: Engine, connection: AsyncConnection, keys: Sequence[GroupKey]) -> dict[str, int]:
    listed = engine.store.dialect.listed("keys", {"key": Text()})
    query = select(alert_groups.c.key, alert_groups.c.id).where(alert_groups.c.key.in_(select(listed.c.key)))
    rows = await connection.execute(query, {"keys": json.dumps([[each[0]] for each in keys])})
    return {row.key: row.id for row in rows}
