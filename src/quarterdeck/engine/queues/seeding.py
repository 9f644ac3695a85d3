"""Queues that the config names, put into the store at every start."""

from __future__ import annotations

from sqlalchemy import update

from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.principal import SYSTEM
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.changes import merged, settle
from quarterdeck.engine.queues.checks import check
from quarterdeck.engine.queues.service import known_queues
from quarterdeck.engine.queues.tables import queues


async def seed(engine: Engine) -> None:
    """What a section names is set; what it leaves out stays as it was last changed.

    Raises Problem(INVALID_INPUT) that names the section and what would be right.
    """
    async with engine.store.read() as connection:
        known = await known_queues(connection)
    sections = engine.settings.queues
    wanted = {}
    for name, values in sections.items():
        before = known.get(name)
        wanted[name] = merged(before.settings if before else QueueSettings(), values)
        try:
            await check(engine, name, wanted[name], built_in=before is not None and before.is_built_in)
        except Problem as problem:
            raise Problem(
                Code.INVALID_INPUT, f"{engine.home.config}, section [queues.{name}]: {problem.detail}"
            ) from problem
    changed = [
        name
        for name, settings in wanted.items()
        if name not in known or known[name].settings != settings or not known[name].from_config
    ]
    gone = [name for name, queue in known.items() if queue.from_config and name not in sections]
    if not changed and not gone:
        return
    async with engine.store.write() as transaction:
        for name in changed:
            await settle(
                engine,
                transaction,
                SYSTEM,
                name,
                known.get(name),
                wanted[name],
                reason=f"Section [queues.{name}] of the config.",
                from_config=True,
            )
        if gone:
            forgotten = update(queues).where(queues.c.name.in_(gone)).values(from_config=False)
            await transaction.connection.execute(forgotten)
