"""Short words for what happens to dead letters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select, update

from quarterdeck.contract.enums import ErrorClass, MachineResource
from quarterdeck.contract.models import dead_letters as models
from quarterdeck.contract.models.items import ActionRequest, ActionResult
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import posting, queries
from quarterdeck.engine.dead_letters import ticks as letter_ticks
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.runs.outcomes import Completed
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.tables import dead_letter_tallies
from quarterdeck.engine.subjects import subject_of
from tests.engine.runs import world
from tests.support.desk import ROOT

assert letter_ticks  # says who hears of dead runs

LETTERS = MachineResource.DEAD_LETTERS


async def post(engine: Engine, count: int = 1, by: Principal = ROOT, **values: Any) -> list[int]:
    """Ids of dead letters that another system posted, alike where not said otherwise."""
    made = {"tenant_id": "acme", "queue": world.QUEUE, "event_type": "kind", **values}
    wanted = models.NewDeadLetters(dead_letters=[models.NewDeadLetter(**made) for _ in range(count)])
    return (await posting.add(engine, by, wanted)).ids


async def die(engine: Engine, payload: Any = None, **values: Any) -> tuple[int, int]:
    """(run, dead letter): a run that had one attempt and failed."""
    (number,) = await world.add(engine, {} if payload is None else payload, max_attempts=1, **values)
    (run,) = await world.claim(engine)
    assert run.id == number
    await world.finish(engine, world.failed(run))
    return number, (await of_run(engine, number)).id


async def end_retry(engine: Engine, *, dies: bool = False, **failure: Any) -> int:
    """The next waiting run is claimed and ends; its id."""
    (run,) = await world.claim(engine)
    if dies:
        failed = world.failed(run, failure.pop("error_class", ErrorClass.VALIDATION), **failure)
        await world.finish(engine, failed)
    else:
        await world.finish(engine, Completed(*run.held))
    return run.id


async def act(engine: Engine, verb: str, letter: int, by: Principal = ROOT, **params: Any) -> ActionResult:
    version = params.pop("version", None)
    request = ActionRequest(params=params, version=version)
    return await subject_of(LETTERS).act(engine, by, letter, verb, request)


async def of_run(engine: Engine, run: int) -> Row[Any]:
    async with engine.store.read() as connection:
        return (await connection.execute(select(dead_letters).where(dead_letters.c.run_id == run))).one()


async def letter(engine: Engine, number: int) -> Row[Any]:
    async with engine.store.read() as connection:
        return (await connection.execute(select(dead_letters).where(dead_letters.c.id == number))).one()


async def page(engine: Engine, filter_: str = "", by: Principal = ROOT, **query: Any) -> models.DeadLetterPage:
    return await queries.list_dead_letters(engine, by, models.DeadLetterListQuery(filter=filter_, **query))


async def ids(engine: Engine, filter_: str = "", by: Principal = ROOT, **query: Any) -> list[int]:
    """All that match, page by page, however far apart they are."""
    found: list[int] = []
    cursor = None
    while True:
        got = await page(engine, filter_, by, cursor=cursor, **{"limit": 500, **query})
        found += [each.id for each in got.items]
        cursor = got.next
        if cursor is None:
            return found


async def force(engine: Engine, number: int, **values: Any) -> None:
    """What nobody can do: columns set as they are."""
    async with engine.store.write() as transaction:
        await transaction.connection.execute(update(dead_letters).where(dead_letters.c.id == number).values(**values))


async def counted(engine: Engine) -> tuple[dict[tuple[Any, ...], int], dict[tuple[Any, ...], int]]:
    """(what the tallies say, what is there), by tenant, queue, type, group and state; always the same."""
    names = ("tenant_id", "queue", "event_type", "group_id", "status")
    async with engine.store.read() as connection:
        said = [dead_letter_tallies.c[name] for name in names]
        total = func.sum(dead_letter_tallies.c.difference)
        tallies = {
            tuple(row[:5]): int(row[5]) for row in await connection.execute(select(*said, total).group_by(*said))
        }
        there = [dead_letters.c[name] for name in names]
        rows = {
            tuple(row[:5]): int(row[5])
            for row in await connection.execute(select(*there, func.count()).group_by(*there))
        }
    return {key: number for key, number in tallies.items() if number}, rows


async def act_on_run(engine: Engine, verb: str, run: int | None, by: Principal = ROOT, **params: Any) -> ActionResult:
    assert run is not None
    return await subject_of(MachineResource.RUNS).act(engine, by, run, verb, ActionRequest(params=params))


async def runs_of(engine: Engine, queue: str) -> list[int]:
    async with engine.store.read() as connection:
        return list((await connection.execute(select(runs.c.id).where(runs.c.queue == queue))).scalars())


async def end_retry_of_any(engine: Engine) -> None:
    """Some retry is claimed and dies."""
    async with engine.store.read() as connection:
        query = select(runs.c.queue).where(runs.c.status == "waiting", runs.c.dead_letter_id.is_not(None)).limit(1)
        queue = (await connection.execute(query)).scalar_one()
    while True:
        claimed = await world.claim(engine, 50, queue=queue)
        await world.finish(engine, *(world.failed(run, ErrorClass.VALIDATION) for run in claimed))
        if any(run.dead_letter_id for run in claimed):
            return
