"""Reading runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import LogLevel, RunStatus
from quarterdeck.contract.models.runs import (
    Attempt,
    LogLine,
    LogPage,
    LogQuery,
    Run,
    RunDetail,
    RunListQuery,
    RunPage,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine import cursors
from quarterdeck.engine.core import Engine
from quarterdeck.engine.listing.matching import visible
from quarterdeck.engine.listing.pages import read_page
from quarterdeck.engine.masking import shown
from quarterdeck.engine.runs import rows
from quarterdeck.engine.runs.listing import RUNS
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from quarterdeck.engine.store.dialect import contains

_OVER = (RunStatus.COMPLETED, RunStatus.DEAD, RunStatus.CANCELLED)
_MOST_ATTEMPTS = 1_000


async def list_runs(engine: Engine, principal: Principal, query: RunListQuery) -> RunPage:
    """Raises Problem(FILTER_INVALID) or Problem(CURSOR_INVALID)."""
    found = await read_page(engine.store, principal, RUNS, query)
    return RunPage(
        items=[rows.run(row) for row in found.rows],
        next=found.next,
        previous=found.previous,
        searched=found.searched,
    )


async def show_run(engine: Engine, principal: Principal, run_id: int) -> RunDetail:
    """Raises Problem(NOT_FOUND); one of another tenant does not exist for the caller."""
    async with engine.store.read() as connection:
        row = _there(await _find(connection, principal, run_id, list(runs.c)), run_id)
        kept = (
            select(run_attempts)
            .where(run_attempts.c.run_id == run_id)
            .order_by(run_attempts.c.number.desc())
            .limit(_MOST_ATTEMPTS)
        )
        attempts = [rows.attempt(each) for each in reversed((await connection.execute(kept)).all())]
    if row.status == RunStatus.ACTIVE:
        attempts.append(_at_work(row))
    settings = engine.settings
    said = rows.run(row, shown(row.payload, principal, settings), shown(row.result, principal, settings))
    return RunDetail(run=said, attempts=attempts)


async def show_listed(engine: Engine, principal: Principal, run_id: int) -> Run:
    """As a list shows it, without payload and result. Raises Problem(NOT_FOUND)."""
    found = await find_listed(engine, principal, run_id)
    if found is None:
        raise _missing(run_id)
    return found


async def find_listed(engine: Engine, principal: Principal, run_id: int) -> Run | None:
    async with engine.store.read() as connection:
        row = await _find(connection, principal, run_id, RUNS.shown)
    return None if row is None else rows.run(row)


async def read_log(engine: Engine, principal: Principal, run_id: int, query: LogQuery) -> LogPage:
    """Lines in the order written. Raises Problem(NOT_FOUND) or Problem(CURSOR_INVALID)."""
    after = cursors.decode_ids(query.cursor, 1)[0] if query.cursor else 0
    lines = select(run_logs).where(run_logs.c.run_id == run_id, run_logs.c.id > after).order_by(run_logs.c.id)
    if query.attempt is not None:
        lines = lines.where(run_logs.c.attempt == query.attempt)
    if query.search:
        lines = lines.where(contains(run_logs.c.text, query.search))
    async with engine.store.read() as connection:
        row = _there(await _find(connection, principal, run_id, [runs.c.id, runs.c.status]), run_id)
        found = (await connection.execute(lines.limit(query.limit))).all()
    last = found[-1].id if found else after
    goes_on = len(found) == query.limit or row.status not in _OVER
    return LogPage(items=[_line(each) for each in found], next=cursors.encode(last) if goes_on else None)


async def last_line(engine: Engine, run_id: int) -> int:
    """The id of the newest line of a run; 0 where there is none."""
    async with engine.store.read() as connection:
        newest = select(func.max(run_logs.c.id)).where(run_logs.c.run_id == run_id)
        return (await connection.execute(newest)).scalar() or 0


async def _find(
    connection: AsyncConnection, principal: Principal, run_id: int, columns: Sequence[Any]
) -> Row[Any] | None:
    wanted = select(*columns).where(runs.c.id == run_id, *visible(RUNS, principal))
    return (await connection.execute(wanted)).one_or_none()


def _there(row: Row[Any] | None, run_id: int) -> Row[Any]:
    if row is None:
        raise _missing(run_id)
    return row


def _missing(run_id: int) -> Problem:
    return Problem(Code.NOT_FOUND, f"There is no run {run_id}; it may have been removed since.")


def _at_work(row: Row[Any]) -> Attempt:
    """The attempt that has not ended stands in the run itself."""
    return Attempt(
        number=row.attempt,
        started_at=to_datetime(row.started_at),
        ended_at=None,
        worker=row.worker,
        outcome=None,
        error_class=None,
        error_code=None,
        error_message=None,
        detail=None,
        retry_at=None,
    )


def _line(row: Row[Any]) -> LogLine:
    return LogLine(id=row.id, attempt=row.attempt, at=to_datetime(row.at), level=LogLevel(row.level), text=row.text)
