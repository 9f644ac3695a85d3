"""Short words for what happens to runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select, text, update

from quarterdeck.contract.enums import ErrorClass, HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.tables import queues
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.outcomes import Claimed, Failed, Outcome
from quarterdeck.engine.runs.service import New
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from quarterdeck.engine.series.tables import run_tallies

QUEUE = "q"


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.005)


async def until_somebody_waits(engine: Engine) -> None:
    """For what another transaction holds, on PostgreSQL."""

    async def waits() -> bool:
        async with engine.store.read() as connection:
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool((await connection.execute(waiting)).scalar_one())

    await until(waits)


async def make_queue(engine: Engine, name: str = QUEUE, *, paused: bool = False, **settings: Any) -> None:
    """A queue as the tables hold it; made again, it has these settings."""
    chosen = QueueSettings(**{"handler": HandlerKind.WORKER, **settings})
    values = {"settings": chosen.model_dump(mode="json"), "paused": paused, "updated_at": 1}
    async with engine.store.write() as transaction:
        new = engine.store.dialect.insert(queues).values(name=name, created_at=1, **values)
        await transaction.connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))
        transaction.after_commit(engine.wake_worker)


async def add(engine: Engine, *payloads: Any, queue: str = QUEUE, **values: Any) -> list[int]:
    """Ids of new runs, one for each payload."""
    new = [New(queue, values.get("kind", "kind"), values.get("tenant", "acme"), each) for each in payloads or ({},)]
    rest = {name: value for name, value in values.items() if name not in ("kind", "tenant")}
    async with engine.store.write() as transaction:
        return (await service.enqueue(engine, transaction, [replace(each, **rest) for each in new])).ids


async def claim(engine: Engine, limit: int = 1, *, queue: str = QUEUE, worker: str = "w", **more: Any) -> list[Claimed]:
    async with engine.store.write() as transaction:
        return await service.claim(engine, transaction, queue, worker, limit, **{"seconds": 30, **more})


async def finish(engine: Engine, *outcomes: Outcome) -> list[int]:
    async with engine.store.write() as transaction:
        return await service.finish(engine, transaction, outcomes)


def failed(run: Claimed, error_class: ErrorClass = ErrorClass.NETWORK, **more: Any) -> Failed:
    return Failed(*run.held, error_class, **{"code": "503", "message": "no answer", **more})


async def row(engine: Engine, number: int) -> Row[Any]:
    async with engine.store.read() as connection:
        return (await connection.execute(select(runs).where(runs.c.id == number))).one()


async def status(engine: Engine, *ids: int) -> list[str]:
    return [(await row(engine, number)).status for number in ids]


async def attempts(engine: Engine, number: int) -> list[Row[Any]]:
    async with engine.store.read() as connection:
        query = select(run_attempts).where(run_attempts.c.run_id == number).order_by(run_attempts.c.number)
        return list((await connection.execute(query)).all())


async def log_of(engine: Engine, number: int) -> list[str]:
    async with engine.store.read() as connection:
        query = select(run_logs.c.text).where(run_logs.c.run_id == number).order_by(run_logs.c.id)
        return list((await connection.execute(query)).scalars())


async def tallied(engine: Engine) -> dict[str, int]:
    """How many runs of a state were counted, where that is not none."""
    counted: dict[str, int] = {}
    async with engine.store.read() as connection:
        for line in (await connection.execute(select(run_tallies))).all():
            counted[line.status] = counted.get(line.status, 0) + line.difference
    return {name: number for name, number in counted.items() if number}


async def force(engine: Engine, number: int, **values: Any) -> None:
    """What nobody can do: columns set as they are."""
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(runs).where(runs.c.id == number).values(**values))


async def rescue(engine: Engine, *ids: int, **more: Any) -> list[int]:
    """With the leases of `ids` run out."""
    for number in ids:
        await force(engine, number, lease_until=1)
    async with engine.store.write() as transaction:
        return await service.rescue(engine, transaction, **more)
