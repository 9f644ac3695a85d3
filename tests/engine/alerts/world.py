"""An engine whose alerts somebody looks after, by a clock that is moved."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from quarterdeck.contract.clock import MINUTE, SECOND, from_iso
from quarterdeck.contract.enums import AlertState, AlertType
from quarterdeck.contract.models import alert_rules as rule_models
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts import evaluation, history, notices, outside, rules
from quarterdeck.engine.alerts.sending import Notice
from quarterdeck.engine.channels.tables import notification_channels
from quarterdeck.engine.core import Engine
from quarterdeck.engine.sla.tables import sla_breaches
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.workers.tables import workers
from tests.support.desk import ROOT

MONDAY = from_iso("2026-11-23T09:00:00Z")
FIRING, RESOLVED, PENDING = AlertState.FIRING, AlertState.RESOLVED, AlertState.PENDING


@dataclass
class Day:
    """An engine whose time stands still unless a test moves it, with channels that keep what they are given."""

    engine: Engine
    now: int = MONDAY
    said: list[tuple[str, Notice]] = field(default_factory=list)
    made: set[str] = field(default_factory=set)

    def __call__(self) -> int:
        return self.now

    async def notify(
        self, engine: Engine, transaction: Transaction, channels: Sequence[str], notice: Notice
    ) -> list[int]:
        self.said += [(channel, notice) for channel in channels]
        return []

    async def pass_(self, seconds: int, *, step: int = 60) -> list[str]:
        """Time goes by as the clock ticks, by `step` seconds: rules, then groups. Kinds of what was said."""
        before = len(self.said)
        end = self.now + seconds * SECOND
        while self.now < end:
            self.now = min(end, self.now + step * SECOND)
            await evaluation.evaluate(self.engine)
            await notices.flush(self.engine)
        return [notice.kind for _, notice in self.said[before:]]

    async def rule(self, type_: AlertType, threshold: float | None, **settings: Any) -> int:
        named = {key: settings.pop(key) for key in ("tenant_id", "name", "enabled") if key in settings}
        made = {"threshold": threshold, "channels": ["ops"], **settings}
        await self.channels(made["channels"])
        new = rule_models.NewRule(type=type_, settings=rule_models.RuleSettings(**made), **{"name": "a rule", **named})
        return (await rules.create_rule(self.engine, ROOT, new)).id

    async def channels(self, names: Sequence[str]) -> None:
        """There, by their names; what they are given stands in `said`."""
        missing = [name for name in names if name not in self.made]
        self.made.update(missing)
        for name in missing:
            values = {"kind": "slack", "settings": {"kind": "slack"}, "secret_keyring": "x", "updated_by": "root"}
            await self.put(notification_channels, name=name, created_at=self.now, updated_at=self.now, **values)

    async def external(self, **settings: Any) -> int:
        return await self.rule(AlertType.EXTERNAL, None, name=settings.pop("name", "outside"), **settings)

    async def post(self, *bodies: dict[str, Any], who: Principal = ROOT) -> models.PostResult:
        posted = models.PostedAlerts.model_validate_json(json.dumps(bodies), strict=True)
        return await outside.post(self.engine, who, posted)

    async def list(self, who: Principal = ROOT, **query: Any) -> list[models.Alert]:
        return (await history.history(self.engine, who, models.HistoryQuery(**query))).items

    async def put(self, table: Any, **values: Any) -> None:
        async with self.engine.store.write() as transaction:
            await transaction.connection.execute(insert(table).values(**values))

    async def empty(self, table: Any) -> None:
        async with self.engine.store.write() as transaction:
            await transaction.connection.execute(table.delete())

    async def number(self, table: Any) -> int:
        async with self.engine.store.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def worker(self, name: str, condition: str = "unhealthy") -> None:
        await self.put(workers, name=name, type="plain", queues=[], condition=condition)


def keep_time(clock: Day, patch: pytest.MonkeyPatch) -> None:
    """Whatever of the engine asks what time it is asks `clock`."""
    for name, module in list(sys.modules.items()):
        if name.startswith("quarterdeck.engine.") and hasattr(module, "now_ms"):
            patch.setattr(module, "now_ms", clock)


async def breach(day: Day, item: int, **values: Any) -> None:
    made = {"item_id": item, "target": "resolution", "tenant_id": "acme", "resource": "support_tasks", "priority": 2}
    await day.put(sla_breaches, **{**made, "breached_at": MONDAY - MINUTE, **values})
