"""A look over all queues: where runs wait that may start, and when others are due."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Text, cast, func, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.runs.sql import later, waiting
from quarterdeck.engine.runs.tables import runs


@dataclass(frozen=True, slots=True)
class Survey:
    """`due` is when the first run that does not wait yet is due (ms)."""

    queues: set[str]
    due: int | None


async def look(connection: AsyncConnection) -> Survey:
    names = (await connection.execute(_names())).scalars()
    return Survey({name for name in names if name is not None}, await next_due(connection))


async def next_due(connection: AsyncConnection) -> int | None:
    found = await connection.execute(select(runs.c.run_at).where(later()).order_by(runs.c.run_at).limit(1))
    return found.scalar_one_or_none()


@cache
def _names() -> Any:
    """From name to name by the index of what waits: as many steps as there are queues, not runs."""
    first = select(cast(func.min(runs.c.queue), Text).label("name")).where(waiting()).cte("names", recursive=True)
    following = (
        select(func.min(runs.c.queue)).where(waiting(), runs.c.queue > first.c.name).correlate(first).scalar_subquery()
    )
    every = first.union_all(select(following).where(first.c.name.is_not(null())))
    return select(every.c.name)
