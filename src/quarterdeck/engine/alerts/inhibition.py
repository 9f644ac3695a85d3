"""One alert keeps others from being sent, as its rule says."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, cast, or_, select, text, update

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.models.alert_rules import Inhibition
from quarterdeck.engine.alerts.matching import matches
from quarterdeck.engine.alerts.rules import alive, rule_of
from quarterdeck.engine.alerts.tables import FIRING, alert_rules, alerts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

Same = tuple[str | None, ...]  # the tenant, and what the `equal` labels say
Row = Sequence[Any]  # id, tenant, labels as text, and by which it is kept quiet

_AT_ONCE = 5_000
_A = alerts.c
# As text, since labels are read in a thread: there may be very many.
_COLUMNS = (_A.id, _A.tenant_id, cast(_A.labels, Text).label("labels"), _A.inhibited_by)


class Inhibitions:
    """What keeps what quiet, as it stands while groups are looked at. Nothing is read that no rule asks for, and
    nothing is compared on the loop or inside a write."""

    def __init__(self, engine: Engine, causes: Sequence[Causes]) -> None:
        self._engine = engine
        self._causes = causes

    @classmethod
    async def read(cls, engine: Engine) -> Inhibitions:
        async with engine.store.read() as connection:
            rows = (await connection.execute(alive().where(alert_rules.c.enabled).order_by(alert_rules.c.id))).all()
        causes: list[Causes] = []
        for row in rows:
            if row.settings.get("inhibits"):
                try:
                    causes += [Causes(row.id, each) for each in rule_of(row).settings.inhibits]
                except Exception:
                    log.exception("what rule %s keeps quiet cannot be read", row.id)
        return cls(engine, causes)

    async def changes(self, group_ids: Collection[int]) -> dict[int, int | None]:
        """Of what fires in these groups: by which each is kept quiet, where that is not what its row says."""
        store = self._engine.store
        mine = (_A.group_id.in_(store.dialect.id_list(sorted(group_ids))), text(FIRING))
        if not self._causes:
            async with store.read() as connection:
                freed = await connection.execute(select(_A.id).where(*mine, _A.inhibited_by.is_not(None)))
                return dict.fromkeys(freed.scalars())
        async with store.read() as connection:
            ids = (await connection.execute(select(_A.id).where(*mine))).scalars().all()
        changed: dict[int, int | None] = {}
        for start in range(0, len(ids), _AT_ONCE):
            async with store.read() as connection:
                query = select(*_COLUMNS).where(_A.id.in_(store.dialect.id_list(ids[start : start + _AT_ONCE])))
                rows = (await connection.execute(query)).all()
            wanted = await asyncio.to_thread(_matching, self._causes, rows)
            for causes, same in zip(self._causes, wanted, strict=True):
                await causes.look_for(self._engine, set(same.values()))
            for number, _, _, before in rows:
                found = (causes.found.get(same[number]) for causes, same in zip(self._causes, wanted, strict=True)
                         if number in same)  # fmt: skip
                by = next((each for each in found if each is not None), None)
                if by != before:
                    changed[number] = by
        return changed


class Causes:
    """Alerts of a rule that keep others quiet, by what these must have in common with them."""

    def __init__(self, rule_id: int, inhibition: Inhibition) -> None:
        self.inhibition = inhibition
        self.found: dict[Same, int] = {}
        self._rule_id = rule_id
        self._last: int | None = 0  # None: all were read

    async def look_for(self, engine: Engine, wanted: Collection[Same]) -> None:
        """Only as far as it takes."""
        while self._last is not None and not self.found.keys() >= set(wanted):
            # What ends by itself may not have been noticed yet.
            holds = or_(_A.ends_at.is_(None), _A.ends_at > now_ms())
            query = select(*_COLUMNS).where(_A.rule_id == self._rule_id, text(FIRING), _A.id > self._last, holds)
            async with engine.store.read() as connection:
                rows = (await connection.execute(query.order_by(_A.id).limit(_AT_ONCE))).all()
            await asyncio.to_thread(self._add, rows)
            self._last = rows[-1].id if len(rows) == _AT_ONCE else None

    def _add(self, rows: Sequence[Row]) -> None:
        """One that is both, a cause and what it matches, keeps nothing of its own kind quiet: else all would be."""
        for number, tenant, labels, _ in rows:
            read = json.loads(labels)
            if not matches(self.inhibition.matchers, read):
                self.found.setdefault(self.same(tenant, read), number)

    def same(self, tenant: str | None, labels: Mapping[str, str]) -> Same:
        return tenant, *(labels.get(name, "") for name in self.inhibition.equal)


def _matching(all_causes: Sequence[Causes], rows: Sequence[Row]) -> list[dict[int, Same]]:
    """For each of the causes: what it might keep quiet (id), and what they must have in common."""
    wanted: list[dict[int, Same]] = [{} for _ in all_causes]
    for number, tenant, labels, _ in rows:
        read = json.loads(labels)
        for causes, same in zip(all_causes, wanted, strict=True):
            if matches(causes.inhibition.matchers, read):
                same[number] = causes.same(tenant, read)
    return wanted


async def keep_quiet(engine: Engine, transaction: Transaction, changes: Mapping[int, int | None]) -> None:
    """`changes` as `Inhibitions` says them."""
    by_cause: defaultdict[int | None, list[int]] = defaultdict(list)
    for number, by in changes.items():
        by_cause[by].append(number)
    for by, ids in by_cause.items():
        which = _A.id.in_(engine.store.dialect.id_list(sorted(ids)))
        await transaction.connection.execute(update(alerts).where(which).values(inhibited_by=by))
