"""Which alerts silences reach: in pages that are compared in a thread, since there may be very many of both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, or_, select, true, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import AlertState
from quarterdeck.contract.models.alert_rules import Matcher
from quarterdeck.engine.alerts.listing import with_label
from quarterdeck.engine.alerts.matching import matches
from quarterdeck.engine.alerts.tables import alerts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction

OPEN = (str(AlertState.FIRING), str(AlertState.PENDING))
_AT_ONCE = 2_000
_MOST_NARROWED = 50  # of silences that the store is told about
_A = alerts.c
_COLUMNS = (
    _A.id, _A.tenant_id, _A.state, _A.silenced_by, _A.inhibited_by, type_coerce(_A.labels, Text).label("labels"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quieted:
    """A silence as it is applied."""

    id: int
    tenant_id: str | None
    matchers: tuple[Matcher, ...]

    def quiets(self, tenant: str | None, labels: Mapping[str, str]) -> bool:
        return (self.tenant_id is None or self.tenant_id == tenant) and matches(self.matchers, labels)

    def narrows(self) -> ColumnElement[bool]:
        """As much as the store can say of it: not what counts as empty where it is absent, nor expressions."""
        plain = [each for each in self.matchers if each.is_equal and not each.is_regex and each.value]
        whose = true() if self.tenant_id is None else _A.tenant_id == self.tenant_id
        return and_(whose, *(with_label(each.name, each.value) for each in plain))


async def reached(
    connection: AsyncConnection, silences: Sequence[Quieted], *which: ColumnElement[bool]
) -> AsyncIterator[list[tuple[Any, int]]]:
    """Open alerts, newest first within a state, each with the first silence that it matches (its id)."""
    if 0 < len(silences) <= _MOST_NARROWED:
        which = (*which, or_(*(each.narrows() for each in silences)))
    for state in OPEN if silences else ():
        page = select(*_COLUMNS).where(_A.state == state, *which).order_by(_A.id.desc()).limit(_AT_ONCE)
        rows = (await connection.execute(page)).all()
        while rows:
            if found := await asyncio.to_thread(_compared, silences, rows):
                yield found
            last = rows[-1].id
            rows = (await connection.execute(page.where(_A.id < last))).all() if len(rows) == _AT_ONCE else []


def _compared(silences: Sequence[Quieted], rows: Sequence[Any]) -> list[tuple[Any, int]]:
    found = []
    for row in rows:
        labels = json.loads(row.labels)
        by = next((each.id for each in silences if each.quiets(row.tenant_id, labels)), None)
        if by is not None:
            found.append((row, by))
    return found


async def apply(
    engine: Engine, transaction: Transaction, silences: Sequence[Quieted], *which: ColumnElement[bool]
) -> None:
    """To open alerts that no other keeps quiet."""
    async for found in reached(transaction.connection, silences, _A.silenced_by.is_(None), *which):
        for each in {by for _, by in found}:
            await keep_quiet(engine, transaction, each, [row.id for row, by in found if by == each])


async def keep_quiet(engine: Engine, transaction: Transaction, by: int, ids: Sequence[int]) -> None:
    if ids:
        mine = (_A.id.in_(engine.store.dialect.id_list(ids)), _A.state.in_(OPEN), _A.silenced_by.is_(None))
        await transaction.connection.execute(update(alerts).where(*mine).values(silenced_by=by))
