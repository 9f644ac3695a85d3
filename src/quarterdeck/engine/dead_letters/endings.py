"""Runs have ended: a dead one makes a dead letter, a retry moves the one that it retries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, func, select, update

from quarterdeck.contract.enums import DeadLetterStatus, ItemStatus, RunStatus
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import arriving, exceptions, news
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.dead_letters.tallying import Moves, record
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.queues.service import KnownQueue, known_queues
from quarterdeck.engine.runs.endings import EndedRun
from quarterdeck.engine.runs.handlers import HANDLERS
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

_RETRYING = str(DeadLetterStatus.RETRYING)


@dataclass(frozen=True, slots=True)
class _Back:
    """A retry has ended."""

    run: EndedRun
    letter: Any
    failure: arriving.Failure
    died: bool

    @property
    def to(self) -> DeadLetterStatus:
        completed = self.run.status is RunStatus.COMPLETED
        return DeadLetterStatus.SUCCEEDED if completed else DeadLetterStatus.PENDING


async def ended(engine: Engine, transaction: Transaction, runs_: Sequence[EndedRun]) -> None:
    # The engine's own work is not for people to repeat: a bulk operation is resumed.
    ours = [run for run in runs_ if run.operation_id is None and _is_for_people(run.kind)]
    if not ours:
        return
    letters = await _letters(engine, transaction, ours)
    queues = await known_queues(transaction.connection)
    backs, new = [], []
    for run in ours:
        letter = letters.get(run.dead_letter_id or 0) or letters.get(-run.id)
        if letter is None:
            new += [run] if run.status is RunStatus.DEAD else []
        elif letter.status == _RETRYING and letter.retry_run_id == run.id:
            backs.append(_back(run, letter))
    await arriving.from_runs(engine, transaction, new, queues)
    if backs:
        await _move(engine, transaction, backs, queues)


def _is_for_people(kind: str) -> bool:
    handler = HANDLERS.get(kind)
    return handler is None or handler.outward


async def _letters(engine: Engine, transaction: Transaction, ours: Sequence[EndedRun]) -> dict[int, Any]:
    """By their id; those that are known by the run that died under that run's id, negative."""
    dialect = engine.store.dialect
    by_id = dialect.id_list([run.dead_letter_id for run in ours if run.dead_letter_id is not None])
    by_run = dialect.id_list([run.id for run in ours if run.dead_letter_id is None])
    columns = dead_letters.c
    wanted = select(*(column for column in columns if column.name not in ("payload", "metadata", "detail")))
    found: dict[int, Any] = {}
    for row in await transaction.connection.execute(
        dialect.lock(wanted.where(columns.id.in_(by_id)).order_by(columns.id))
    ):
        found[row.id] = row
    died = wanted.where(columns.run_id.is_not(None), columns.run_id.in_(by_run))
    for row in await transaction.connection.execute(dialect.lock(died.order_by(columns.id))):
        found[-row.run_id] = row
    return found


def _back(run: EndedRun, letter: Any) -> _Back:
    died = run.status is RunStatus.DEAD
    if died:
        failure = arriving.failure_of(run.queue, run.error_class, run.error_code, run.error_message)
    else:
        failure = arriving.Failure(
            letter.error_class, letter.error_code, letter.error_message, letter.group_id, normalised=""
        )
    return _Back(run, letter, failure, died)


async def _move(
    engine: Engine, transaction: Transaction, backs: Sequence[_Back], queues: dict[str, KnownQueue]
) -> None:
    dialect, now = engine.store.dialect, transaction.now
    moves, given = Moves(), []
    for back in backs:
        run, letter, failure = back.run, back.letter, back.failure
        # A retry is a run of its own, but for a run that was itself done again.
        before = letter.attempts if letter.run_id == run.id else 0
        attempts = letter.attempts + max(0, run.attempt - before)
        expires = arriving.expiry(queues.get(letter.queue), now)
        retries = letter.retries + (run.status is not RunStatus.CANCELLED)
        errors = (failure.error_class, failure.error_code, failure.error_message, failure.group_id)
        given.append([letter.id, str(back.to), attempts, retries, *errors, expires, run.detail, now])
        heading = (letter.tenant_id, letter.queue, letter.event_type)
        moves.moved((*heading, letter.group_id), _RETRYING, (*heading, failure.group_id), str(back.to))
        if back.to is DeadLetterStatus.SUCCEEDED:
            moves.resolved(letter.tenant_id)
    await transaction.connection.execute(_moving(dialect), {"given": json.dumps(given)})
    died = [(back.run.queue, back.failure) for back in backs if back.died]
    await arriving.note_groups(transaction, dialect, died)
    await record(transaction, dialect, moves)
    news.touched(engine, transaction, [(back.letter.id, back.letter.tenant_id) for back in backs])
    await _move_exceptions(engine, transaction, [back for back in backs if back.letter.exception_id is not None])


async def _move_exceptions(engine: Engine, transaction: Transaction, backs: Sequence[_Back]) -> None:
    if not backs:
        return
    dialect = engine.store.dialect
    told = [(back.letter.exception_id, back.run.id, back.letter.updated_at) for back in backs]
    await exceptions.tell_attempts(transaction, dialect, told)
    enough = engine.settings.exceptions.retries_before_review
    ways: dict[tuple[ItemStatus, str, str], list[int]] = {}
    for back in backs:
        if back.run.status is RunStatus.COMPLETED:
            way = (ItemStatus.RESOLVED, "resolved", "The retry succeeded.")
        elif back.run.status is RunStatus.CANCELLED:
            way = (ItemStatus.OPEN, "retry_cancelled", "The retry was cancelled.")
        elif back.letter.retries + 1 >= enough:
            said = f"{back.letter.retries + 1} retries have failed; somebody has to look at it."
            way = (ItemStatus.NEEDS_MANUAL_REVIEW, "needs_review", said)
        else:
            way = (ItemStatus.OPEN, "retry_failed", f"The retry died: {back.failure.error_code}.")
        ways.setdefault(way, []).append(back.letter.exception_id)
    for (to, event, said), ids in ways.items():
        scope = items.c.id.in_(dialect.id_list(ids))
        # What has succeeded needs nobody, wherever somebody has moved the exception meanwhile.
        since = exceptions.STILL_OPEN if to is ItemStatus.RESOLVED else None
        await exceptions.follow(engine, transaction, scope, to, event, body=said, since=since)
    exceptions.touched(engine, transaction, [(back.letter.exception_id, back.letter.tenant_id) for back in backs])


@cache
def _moving(dialect: Dialect) -> Any:
    given = dialect.listed(
        "given",
        {
            "id": BigInteger(),
            "status": Text(),
            "attempts": Integer(),
            "retries": Integer(),
            "error_class": Text(),
            "error_code": Text(),
            "error_message": Text(),
            "group_id": Text(),
            "expires_at": BigInteger(),
            "detail": Text(),
            "updated_at": BigInteger(),
        },
    )
    values: dict[str, Any] = {name: given.c[name] for name in given.c.keys() if name != "id"}  # noqa: SIM118
    values["detail"] = func.coalesce(given.c.detail, dead_letters.c.detail)
    values["version"] = dead_letters.c.version + 1
    return update(dead_letters).where(dead_letters.c.id == given.c.id).values(**values)
