"""A look over all queues: where runs wait that may start, and when others are due."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Text, cast, func, literal_column, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.engine.runs.sql import later, waiting
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Survey:
    """`due` is when the first run that does not wait yet is due (ms)."""

    queues: set[str]
    due: int | None


async def look(connection: AsyncConnection, dialect: Dialect) -> Survey:
    names = (await connection.execute(_names(dialect))).scalars()
    return Survey({name for name in names if name is not None}, await next_due(connection, dialect))


async def next_due(connection: AsyncConnection, dialect: Dialect) -> int | None:
    return (await connection.execute(_next(dialect))).scalar_one_or_none()


_QUEUE, _RUN_AT = literal_column("queue", Text), literal_column("run_at", BigInteger)


@cache
def _next(dialect: Dialect) -> Any:
    return select(_RUN_AT).select_from(dialect.through(runs, "ix_runs_later")).where(later()).order_by(_RUN_AT).limit(1)


@cache
def _names(dialect: Dialect) -> Any:
    """From name to name by the index of what waits: as many steps as there are queues, not runs."""
    lowest = select(cast(func.min(_QUEUE), Text).label("name")).select_from(dialect.through(runs, "ix_runs_waiting"))
    first = lowest.where(waiting()).cte("names", recursive=True)
    following = (
        select(func.min(_QUEUE))
        .select_from(dialect.through(runs, "ix_runs_waiting"))
        .where(waiting(), first.c.name < _QUEUE)
        .correlate(first)
        .scalar_subquery()
    )
    return select(first.union_all(select(following).where(first.c.name.is_not(null()))).c.name)
