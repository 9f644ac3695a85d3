"""Workers outside take runs: at once where there are some, else as soon as there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import SECOND, now_ms, to_datetime
from quarterdeck.contract.enums import HandlerKind
from quarterdeck.contract.models.runs import LeasedRun, LeasedRuns, LeaseRequest
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import KnownQueue, get_queue
from quarterdeck.engine.runs import leases
from quarterdeck.engine.runs.finishing import ENGINE_WORKER
from quarterdeck.engine.runs.outcomes import Claimed, GivenBack
from quarterdeck.engine.runs.service import finish
from quarterdeck.engine.runs.sql import waiting
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.workers.attendance import attendance_of
from quarterdeck.engine.workers.urls import check_health_url

# Whoever enqueues in this engine says so; these looks are for other engines on the same store, and for queues
# whose limits held back what waits.
LOOK_SECONDS = 2.0
HELD_BACK_SECONDS = 0.25

Gone = Callable[[], Awaitable[None]]
_Ender = asyncio.Future[Any]


async def lease(
    engine: Engine, principal: Principal, name: str, asked: LeaseRequest, gone: Gone | None = None
) -> LeasedRuns:
    """Up to `count` runs. Raises Problem: NOT_FOUND, WRONG_STATE, FORBIDDEN, INVALID_INPUT, ADDRESS_REFUSED.

    Where nobody waits for the answer any more (`gone`) nothing is taken.
    """
    if principal.tenants is not None:
        raise Problem(
            Code.FORBIDDEN, f"Leasing takes runs of every tenant, and {principal.actor} sees only some of them."
        )
    if asked.worker.startswith(ENGINE_WORKER):
        sentence = f"begins with {ENGINE_WORKER}, as engines are called; choose another name."
        raise Problem(Code.INVALID_INPUT, f"worker: {sentence}", errors=(("/worker", sentence),))
    check_health_url(engine, asked.health_url)
    async with engine.store.read() as connection:
        _check(await get_queue(connection, name))
    attendance = attendance_of(engine)
    if asked.leaving:
        attendance.left(asked.worker)
        await attendance.write(engine)
        return LeasedRuns(items=[])
    attendance.leased(asked.worker, asked.type, name, asked.health_url)
    with attendance.waits(asked.worker) as leaving:
        enders: list[_Ender] = [asyncio.ensure_future(each.wait()) for each in (leaving, engine.stopping)]
        going = asyncio.ensure_future(gone()) if gone is not None else None
        try:
            found = await _take_when_there(engine, name, asked, going, enders)
        finally:
            for each in (*enders, *([] if going is None else [going])):
                each.cancel()
    attendance.beaten(asked.worker)
    return LeasedRuns(items=[_leased(each) for each in found])


async def _take_when_there(
    engine: Engine, name: str, asked: LeaseRequest, going: _Ender | None, enders: list[_Ender]
) -> list[Claimed]:
    """What there is, as soon as there is something, or nothing once one of `enders` is done."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + asked.wait_seconds
    if going is not None:
        enders = [*enders, going]
    with engine.arrivals.listen() as ear:
        while True:
            ear.news.clear()
            ear.queues.clear()
            found, pause = await _take(engine, name, asked)
            if going is not None and going.done():
                await _give_back(engine, found)
                return []
            left = deadline - loop.time()
            if found or left <= 0 or _any(enders):
                return found
            await _news(name, ear, min(left, pause), enders)


async def _news(name: str, ear: Any, seconds: float, enders: list[_Ender]) -> None:
    """Until something has arrived in the queue, one of `enders` is done, or the time is over."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        heard = asyncio.ensure_future(ear.news.wait())
        left = end - asyncio.get_running_loop().time()
        try:
            await asyncio.wait([heard, *enders], timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard.cancel()
        if _any(enders) or name in ear.queues or not ear.news.is_set():
            return
        ear.news.clear()  # it was another queue's


def _any(futures: list[_Ender]) -> bool:
    return any(each.done() for each in futures)


async def _take(engine: Engine, name: str, asked: LeaseRequest) -> tuple[list[Claimed], float]:
    """What was taken, and after how many seconds it is worth looking again."""
    async with engine.store.read() as connection:  # many may wait for one queue: only who sees something writes
        known = await get_queue(connection, name)
        _check(known)
        if known.paused or not await _anything(connection, name, asked):
            return [], LOOK_SECONDS
    moves = Moves()
    async with engine.store.write() as transaction:
        taken = await leases.take(
            engine,
            transaction,
            moves,
            name,
            asked.worker,
            asked.count,
            seconds=asked.seconds,
            kinds=asked.kinds,
            handlers=(HandlerKind.WORKER,),
        )
        await record(transaction, engine.store.dialect, moves)
    if taken.again_at is not None:
        return taken.runs, max((taken.again_at - now_ms()) / SECOND, 0.01)
    return taken.runs, HELD_BACK_SECONDS if taken.more else LOOK_SECONDS


async def _anything(connection: AsyncConnection, name: str, asked: LeaseRequest) -> bool:
    query = select(runs.c.id).where(waiting(), runs.c.queue == name).limit(1)
    if asked.kinds is not None:
        query = query.where(runs.c.kind.in_(asked.kinds))
    return (await connection.execute(query)).first() is not None


async def _give_back(engine: Engine, found: list[Claimed]) -> None:
    if found:
        async with engine.store.write() as transaction:
            await finish(engine, transaction, [GivenBack(*each.held) for each in found])
            transaction.after_commit(lambda: engine.arrivals.say({found[0].queue}))


def _check(known: KnownQueue) -> None:
    if known.settings.handler is not HandlerKind.WORKER:
        raise Problem(
            Code.WRONG_STATE,
            f"Runs of {known.name} are carried out by {known.settings.handler}; only a queue with the handler worker"
            " can be leased.",
        )


def _leased(run: Claimed) -> LeasedRun:
    return LeasedRun(
        id=run.id,
        queue=run.queue,
        kind=run.kind,
        tenant_id=run.tenant_id,
        payload=run.payload,
        attempt=run.attempt,
        max_attempts=run.max_attempts,
        lease_token=run.lease_token,
        lease_until=to_datetime(run.lease_until),
        timeout_seconds=run.timeout_ms / SECOND,
    )
