"""`sla.replay`: a part of a queue's clocks, worked out again from their timelines."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.sla import Clock, Difference, ReplayRequest, ReplayResult
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.acting import announce
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.listing.matching import read_filter, scanning
from quarterdeck.engine.sla import clockwork
from quarterdeck.engine.sla.lists import shown
from quarterdeck.engine.sla.replay import Replayed, compare, replayed

_MOST_TOLD = 100


async def replay(engine: Engine, principal: Principal, asked: ReplayRequest) -> ReplayResult:
    """In order of id. Raises Problem(FILTER_INVALID)."""
    filter_ = read_filter(asked.filter, asked.resource, principal)
    where = scanning(ITEMS[asked.resource], filter_, principal, engine.store.dialect)
    part = select(items.c.id).where(*where, items.c.id > asked.after).order_by(items.c.id).limit(asked.limit)
    async with engine.store.read() as connection:
        now = now_ms()
        ids = [row.id for row in await connection.execute(part)]
        these = items.c.id.in_(engine.store.dialect.id_list(ids))
        found = await compare(connection, these, now) if not asked.write else []
    if asked.write and ids:
        async with engine.store.write() as transaction:
            now = transaction.now
            found = await replayed(transaction, engine.store.dialect, these, write=True)
            wrong = [each.owner.item_id for each in found if each.differs]
            if wrong:
                await audit.append(
                    transaction,
                    engine.store,
                    principal,
                    "sla.replay",
                    resource=str(asked.resource),
                    details={"written": len(wrong), "first": wrong[0], "last": wrong[-1]},
                )
                announce(engine, transaction, asked.resource, None, None, Change.UPDATED)
    differing = [each for each in found if each.differs]
    return ReplayResult(
        items=len(ids),
        clocks=sum(len(each.folded) for each in found),
        differing=len(differing),
        written=len(differing) if asked.write else 0,
        differences=[told for each in differing for told in _told(each, now)][:_MOST_TOLD],
        after=ids[-1] if len(ids) == asked.limit else None,
    )


def _told(each: Replayed, now: int) -> list[Difference]:
    kept = {clock.target: clock for clock in each.kept}
    folded = {clock.target: clock for clock in each.folded}

    def say(clock: clockwork.Clock | None) -> Clock | None:
        return None if clock is None else shown(clock, each.version, now)

    return [
        Difference(
            item_id=each.owner.item_id, target=target, kept=say(kept.get(target)), replayed=say(folded.get(target))
        )
        for target in dict.fromkeys((*kept, *folded))
        if (kept[target].without_steps() if target in kept else None) != folded.get(target)
    ]
