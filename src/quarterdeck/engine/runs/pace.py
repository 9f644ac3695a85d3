"""Rate limits of queues: each run takes up a stretch of time, kept in the store, so that several engines share it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.engine.runs.tables import run_paces
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

_MICROSECONDS = 1_000_000
# What a queue that has rested may start at once, in seconds of its rate; at least one run.
_BURST = 0.1
# What is taken up further ahead than can be was taken by a clock that has been set back since: it counts as free. By
# this much clocks of several engines may differ (microseconds).
_SET_BACK = 60 * _MICROSECONDS
# So many turns wait one after the other, at most.
_MOST_TURNS = 600


@dataclass(frozen=True, slots=True)
class Allowed:
    number: int
    again_at: int  # ms, when there is room for one more


async def allowed(transaction: Transaction, queue: str, rate: float) -> Allowed:
    """How many runs may start now. `rate` in runs a second."""
    step, now = _MICROSECONDS / rate, transaction.now * 1_000
    room = max(step, _BURST * _MICROSECONDS)
    ahead = await _free_at(transaction, queue, room) - now
    number = max(0, math.floor((room - ahead) / step + 1e-6))
    wait = max(0.0, ahead + (number + 1) * step - room)
    return Allowed(number, transaction.now + math.ceil(wait / 1_000))


async def use(transaction: Transaction, dialect: Dialect, queue: str, rate: float, number: int) -> None:
    """So many runs have started."""
    step = _MICROSECONDS / rate
    room = max(step, _BURST * _MICROSECONDS)
    free_at = await _free_at(transaction, queue, room) + round(number * step)
    new = dialect.insert(run_paces).values(queue=queue, free_at=free_at)
    await transaction.connection.execute(
        new.on_conflict_do_update(index_elements=["queue"], set_={"free_at": new.excluded.free_at})
    )


async def next_slot(transaction: Transaction, dialect: Dialect, name: str, rate: float) -> int:
    """When the next of `name` may start (ms), which is taken by that; one after the other, none at once.

    Whoever asks at the same moment waits for this transaction.
    """
    await transaction.connection.execute(
        dialect.insert(run_paces).values(queue=name, free_at=0).on_conflict_do_nothing(index_elements=["queue"])
    )
    held = dialect.lock(select(run_paces.c.free_at).where(run_paces.c.queue == name))
    free_at = int((await transaction.connection.execute(held)).scalar_one())
    slot = _from_now(free_at, transaction, _MOST_TURNS * _MICROSECONDS / rate)
    taken = run_paces.update().where(run_paces.c.queue == name)
    await transaction.connection.execute(taken.values(free_at=slot + round(_MICROSECONDS / rate)))
    return math.ceil(slot / 1_000)


async def _free_at(transaction: Transaction, queue: str, most: float) -> int:
    """In microseconds, not before now."""
    query = select(run_paces.c.free_at).where(run_paces.c.queue == queue)
    return _from_now((await transaction.connection.execute(query)).scalar_one_or_none() or 0, transaction, most)


def _from_now(free_at: int, transaction: Transaction, most: float) -> int:
    """`most`: how far ahead it can be, in microseconds."""
    now = transaction.now * 1_000
    return now if free_at < now or free_at - now > most + _SET_BACK else free_at
