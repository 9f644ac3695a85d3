"""One alert keeps others from being sent, as its rule says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text, update

from quarterdeck.contract.models.alert_rules import Inhibition
from quarterdeck.engine.alerts.matching import matches
from quarterdeck.engine.alerts.rules import Rule, alive, rule_of
from quarterdeck.engine.alerts.tables import FIRING, alert_rules, alerts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction


async def inhibit(engine: Engine, transaction: Transaction) -> None:
    """Work out anew what inhibits what, and write what has changed."""
    connection = transaction.connection
    rows = (await connection.execute(alive().where(alert_rules.c.enabled))).all()
    rules = {row.id: rule_of(row) for row in rows if row.settings.get("inhibits")}
    columns = (alerts.c.id, alerts.c.tenant_id, alerts.c.rule_id, alerts.c.labels, alerts.c.inhibited_by)
    if rules:
        found = (await connection.execute(select(*columns).where(text(FIRING)))).all()
        wanted = inhibited(rules, found)
    else:
        found = (await connection.execute(select(*columns).where(alerts.c.inhibited_by.is_not(None)))).all()
        wanted = {}
    changed: defaultdict[int | None, list[int]] = defaultdict(list)
    for row in found:
        if wanted.get(row.id) != row.inhibited_by:
            changed[wanted.get(row.id)].append(row.id)
    for by, ids in changed.items():
        which = alerts.c.id.in_(engine.store.dialect.id_list(ids))
        await connection.execute(update(alerts).where(which).values(inhibited_by=by))


def inhibited(rules: dict[int, Rule], firing: Sequence[Any]) -> dict[int, int]:
    """Which alert (id) is kept quiet by which; `firing` have id, tenant_id, rule_id and labels.

    An alert that is both, a cause and what it matches, keeps nothing of its own kind quiet: else all would be.
    """
    found: dict[int, int] = {}
    for rule in rules.values():
        sources = [row for row in firing if row.rule_id == rule.id]
        for each in rule.settings.inhibits:
            causes: dict[tuple[Any, ...], int] = {}
            for row in sources:
                if not matches(each.matchers, row.labels):
                    causes.setdefault(_same(each, row), row.id)
            if not causes:
                continue
            for row in firing:
                cause = causes.get(_same(each, row))
                if cause is not None and cause != row.id and matches(each.matchers, row.labels):
                    found.setdefault(row.id, cause)
    return found


def _same(inhibition: Inhibition, row: Any) -> tuple[Any, ...]:
    return row.tenant_id, *(row.labels.get(name, "") for name in inhibition.equal)
