"""Keeps the leases of what is at work in this engine, and stops what is no longer wanted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from quarterdeck.contract.problems import Problem
from quarterdeck.engine.runs import leases
from quarterdeck.engine.runs.attempts import Attempt, Why
from quarterdeck.engine.runs.cancelling import wanted_no_more
from quarterdeck.engine.runs.leases import Beat, beat

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.runs.dispatcher import Dispatcher

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # for wishes to cancel and for progress


async def keep_alive(engine: Engine, dispatcher: Dispatcher) -> None:
    """Until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if not dispatcher.at_work:
            continue
        try:
            await once(engine, dispatcher)
        except Problem as problem:
            log.warning("cannot keep leases: %s", problem.detail)
        except Exception:
            log.exception("cannot keep leases")


async def once(engine: Engine, dispatcher: Dispatcher) -> None:
    async with engine.store.read() as connection:
        unwanted = set(await wanted_no_more(connection, dispatcher.name))
    now = asyncio.get_running_loop().time()
    beats: list[Attempt] = []
    for attempt in dispatcher.at_work.values():
        if attempt.run.id in unwanted:
            attempt.stop(Why.CANCELLED)
        if attempt.shown is not None or attempt.beaten + leases.LEASE_SECONDS / 3 <= now:
            beats.append(attempt)
    if not beats:
        return
    signs = [Beat(*attempt.run.held, attempt.shown) for attempt in beats]
    async with engine.store.write() as transaction:
        _, alive = await beat(engine, transaction, signs, leases.LEASE_SECONDS)
    for attempt, sign in zip(beats, signs, strict=True):
        attempt.beaten = now
        if attempt.shown == sign.progress:
            attempt.shown = None
        # What has ended meanwhile is no longer held, and no longer at work.
        if attempt.run.id not in alive and (attempt.run.id, attempt.run.attempt) in dispatcher.at_work:
            log.warning("run %s went on elsewhere", attempt.run.id)
            attempt.stop(Why.LEASE_LOST)
