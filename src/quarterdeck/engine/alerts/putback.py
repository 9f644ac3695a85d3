"""A clock that is put back: what was to be said at a time that was near must not wait until that comes by again."""

from __future__ import annotations

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


async def mend(engine: Engine, now: int) -> None:
    """Groups that would speak later than any interval says are looked at now; those in quiet hours find that out."""
    settings = engine.settings.alerts
    longest = int(max(settings.group_wait_seconds, settings.group_interval_seconds) * SECOND) + _SLACK
    wrong: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
        (alert_groups, _G.next_at > now + longest, {"next_at": now}),
        (alert_groups, _G.sent_at > now + _SLACK, {"sent_at": now}),
        (alert_notices, text(HELD) & (_N.at > now + _SLACK), {"at": now}),
    )
    for table, which, right in wrong:
        async with engine.store.read() as connection:
            if (await connection.execute(select(literal(1)).select_from(table).where(which).limit(1))).first() is None:
                continue
        async with engine.store.write() as transaction:
            await transaction.connection.execute(update(table).where(which).values(**right))
