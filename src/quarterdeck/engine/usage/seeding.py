"""Limits that the config names, put into the store at every start."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.contract.principal import SYSTEM
from quarterdeck.engine.core import Engine
from quarterdeck.engine.usage.limits import ALIVE, forget, settle
from quarterdeck.engine.usage.tables import NOBODY, usage_limits

# Who has set them.
CONFIG = "config.toml"
_REASON = "[usage.limits] of the config."


async def seed(engine: Engine) -> None:
    """What is named is set; what was set by the config and is named no more is forgotten."""
    wanted = {
        (kind, period): quantity
        for kind, periods in engine.settings.usage.limits.items()
        for period, quantity in periods.items()
    }
    everybody = select(usage_limits).where(usage_limits.c.tenant_id == NOBODY, ALIVE)
    async with engine.store.read() as connection:
        known = {(row.resource_type, row.period): row for row in await connection.execute(everybody)}
    changed = {
        key: quantity
        for key, quantity in wanted.items()
        if key not in known or (known[key].quantity, known[key].updated_by) != (quantity, CONFIG)
    }
    gone = [row for key, row in known.items() if row.updated_by == CONFIG and key not in wanted]
    if not changed and not gone:
        return
    async with engine.store.write() as transaction:
        for (kind, period), quantity in changed.items():
            key = (NOBODY, kind, period)
            await settle(engine, transaction, SYSTEM, key, quantity, known.get((kind, period)), by=CONFIG, why=_REASON)
        for row in gone:
            await forget(engine, transaction, SYSTEM, row, why=_REASON)
