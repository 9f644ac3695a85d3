"""A clock that is put back: what was to be said at a time that was near must not wait until that comes by again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select, text, update

from quarterdeck.contract.clock import SECOND
from quarterdeck.engine.alerts.tables import HELD, alert_groups, alert_notices
from quarterdeck.engine.core import Engine

_G, _N = alert_groups.c, alert_notices.c
_SLACK = 2 * SECOND


@dataclass(slots=True)
class Wall:
    """What time it was when somebody last looked; one for each engine (`engine.keep`)."""

    seen: int | None = None

    def was_put_back(self, now: int) -> bool:
        """Also at the first look: nobody knows what happened before it."""
        before, self.seen = self.seen, now
        return before is None or now < before - _SLACK


async def look_again(engine: Engine, rule_ids: Sequence[int]) -> None:
    """At groups of these rules that wait longer than any interval says: for quiet hours, which may be others now."""
    async with engine.store.write() as transaction:
        late = (_G.next_at > transaction.now + _longest(engine), _G.rule_id.in_(engine.store.dialect.id_list(rule_ids)))
        await transaction.connection.execute(update(alert_groups).where(*late).values(next_at=transaction.now))


def _longest(engine: Engine) -> int:
    settings = engine.settings.alerts
    return int(max(settings.group_wait_seconds, settings.group_interval_seconds) * SECOND) + _SLACK


async def mend(engine: Engine, now: int) -> None:
    """Groups that would speak later than any interval says are looked at now; those in quiet hours find that out."""
    wrong: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
        (alert_groups, _G.next_at > now + _longest(engine), {"next_at": now}),
        (alert_groups, _G.sent_at > now + _SLACK, {"sent_at": now}),
        (alert_notices, text(HELD) & (_N.at > now + _SLACK), {"at": now}),
    )
    for table, which, right in wrong:
        async with engine.store.read() as connection:
            if (await connection.execute(select(literal(1)).select_from(table).where(which).limit(1))).first() is None:
                continue
        async with engine.store.write() as transaction:
            await transaction.connection.execute(update(table).where(which).values(**right))
