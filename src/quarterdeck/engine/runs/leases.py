"""Taking runs, for a time, and keeping them."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, and_, false, func, literal, literal_column, select, type_coerce, union_all, update

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import HandlerKind, RunStatus
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import find_queue
from quarterdeck.engine.runs import news, pace
from quarterdeck.engine.runs.outcomes import Claimed
from quarterdeck.engine.runs.sql import BEATS, active, number_of, text_of, waiting
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, counting, record
from quarterdeck.engine.store.dialect import Dialect, plain
from quarterdeck.engine.store.store import Transaction

# Of what is at work in this engine; workers choose their own.
LEASE_SECONDS = 30
# Payloads of one claim, together. They can be large, and all of them are held in memory.
MOST_CHARACTERS = 32 * 1024 * 1024
# A queue whose tenants have all they may is looked through this often before a claim gives up.
_MOST_LOOKS = 10


@dataclass(slots=True)
class Taken:
    """`more`: the queue may hold others that could start once there is room. `again_at` (ms): its rate allows
    no other before."""

    settings: QueueSettings | None = None
    runs: list[Claimed] = field(default_factory=list)
    more: bool = False
    again_at: int | None = None


async def claim(
    engine: Engine,
    transaction: Transaction,
    queue: str,
    worker: str,
    limit: int,
    *,
    seconds: int,
    kinds: Sequence[str] | None = None,
) -> list[Claimed]:
    """Up to `limit` runs that are due, held for so many seconds; the queue's pause and limits are kept.

    All of one claim share a lease token.
    """
    moves = Moves()
    taken = await take(engine, transaction, moves, queue, worker, limit, seconds=seconds, kinds=kinds)
    await record(transaction, engine.store.dialect, moves)
    return taken.runs


async def take(
    engine: Engine,
    transaction: Transaction,
    moves: Moves,
    queue: str,
    worker: str,
    limit: int,
    *,
    seconds: int,
    kinds: Sequence[str] | None = None,
    handlers: Collection[HandlerKind] | None = None,
    characters: int = MOST_CHARACTERS,
) -> Taken:
    """As `claim`, and what the dispatcher needs to know beside; nothing where the queue has none of `handlers`.

    Their payloads together are longer than `characters` by one of them at most.
    What has moved is added to `moves` for the caller to record, or recorded with what they held already.
    """
    dialect, connection = engine.store.dialect, transaction.connection
    # Claims on one queue come one after the other, so that its limits hold with several engines too.
    known = await find_queue(connection, queue, lock=dialect.lock)
    settings = known.settings if known is not None else QueueSettings()
    taken = Taken(settings)
    if (known is not None and known.paused) or (handlers is not None and settings.handler not in handlers):
        return taken
    timeout = round(settings.timeout_seconds * SECOND)
    is_simple = settings.tenant_concurrency is None and settings.rate_per_second is None and kinds is None
    if is_simple:
        where: dict[str, Any] = {"of_queue": queue, "most": limit, "room": settings.concurrency, "weight": characters}
        statement = _claiming(dialect)
        if dialect.nests_writes:
            statement, where = _claiming_and_counting(dialect), {**where, **moves.said(transaction.now)}
        taken.runs = await _lease(transaction, statement, where, queue, worker, seconds, timeout)
        taken.more = len(taken.runs) >= limit
    else:
        ids = await _choose(transaction, dialect, taken, settings, queue, limit, kinds, characters)
        where = {"ids": json.dumps([[number] for number in ids])}
        if ids:
            listed = _claiming_listed(dialect)
            taken.runs = await _lease(transaction, listed, where, queue, worker, seconds, timeout)
        if settings.rate_per_second is not None and taken.runs:
            await pace.use(transaction, dialect, queue, settings.rate_per_second, len(taken.runs))
    if is_simple and dialect.nests_writes:
        moves.clear()
    else:
        for tenant, number in Counter(run.tenant_id for run in taken.runs).items():
            moves.moved(queue, tenant, RunStatus.WAITING, RunStatus.ACTIVE, number)
    news.touched(engine, transaction, [(run.id, run.tenant_id) for run in taken.runs])
    return taken


async def _choose(
    transaction: Transaction,
    dialect: Dialect,
    taken: Taken,
    settings: QueueSettings,
    queue: str,
    limit: int,
    kinds: Sequence[str] | None,
    characters: int,
) -> list[int]:
    """Ids of the runs to take where more than one number limits them."""
    counted = await transaction.connection.execute(_at_work(), {"of_queue": queue})
    at_work = Counter({row.tenant_id: row.number for row in counted})
    free = min(limit, settings.concurrency - at_work.total())
    if settings.rate_per_second is not None and free > 0:
        allowed = await pace.allowed(transaction, queue, settings.rate_per_second)
        taken.again_at = allowed.again_at if allowed.number < free else None
        free = min(free, allowed.number)
    if free <= 0:
        taken.more = True
        return []
    ids = await _fair(transaction, dialect, settings, queue, at_work, free, kinds, characters)
    taken.more = len(ids) >= free
    return ids


def _order(row: Any) -> tuple[int, int, int]:
    return row[3], row[4], row[0]  # priority, run_at, id


async def _lease(
    transaction: Transaction, statement: Any, where: dict[str, Any], queue: str, worker: str, seconds: int, timeout: int
) -> list[Claimed]:
    """In the order in which they are due. `timeout` in ms, for those that have none of their own."""
    lease, until = secrets.token_hex(8), transaction.now + seconds * SECOND
    given = {**where, "lease": lease, "until": until, "holder": worker, "now": transaction.now}
    rows = (await transaction.connection.execute(statement, given)).all()
    return [
        Claimed(run_id, queue, kind, tenant, body, attempt, most, lease, until, own or timeout, lost, operation, letter)
        for run_id, kind, tenant, _, _, attempt, most, own, lost, operation, letter, body in sorted(rows, key=_order)
    ]


async def _fair(
    transaction: Transaction,
    dialect: Dialect,
    settings: QueueSettings,
    queue: str,
    at_work: Counter[str],
    free: int,
    kinds: Sequence[str] | None,
    characters: int,
) -> list[int]:
    """Ids in their order, of these kinds, stepping over tenants who have as many at work as they may."""
    most = settings.tenant_concurrency
    chosen: list[int] = []
    have = Counter(at_work)
    for _ in range(_MOST_LOOKS):
        full = [] if most is None else [name for name, number in have.items() if number >= most]
        query = _waiting_of(dialect, queue, kinds, free - len(chosen), chosen, full)
        rows = (await transaction.connection.execute(query)).all()
        before = len(chosen)
        for row in rows:
            if characters > 0 and (most is None or have[row.tenant_id] < most):
                have[row.tenant_id] += 1
                chosen.append(row.id)
                characters -= row.size or 0
        if len(chosen) >= free or len(rows) < free - before or characters <= 0:
            break
    return chosen


def _waiting_of(
    dialect: Dialect, queue: str, kinds: Sequence[str] | None, number: int, without: list[int], tenants: list[str]
) -> Select[Any]:
    """The first so many in their order, without these ids and tenants."""
    order = ("priority", "run_at", "id")
    size = dialect.size(type_coerce(runs.c.payload, Text)).label("size")
    first = (
        select(*(runs.c[name] for name in order), runs.c.tenant_id, size)
        .where(waiting(), runs.c.queue == queue, runs.c.id.not_in(without), runs.c.tenant_id.not_in(tenants))
        .order_by(*(runs.c[name] for name in order))
        .limit(number)
    )
    if kinds is None:
        return dialect.lock_skipping(first)
    # The first of each kind, by the index of kinds: what waits of other kinds is not even stepped over.
    of_kinds = (dialect.lock_skipping(first.where(runs.c.kind == kind)).subquery() for kind in dict.fromkeys(kinds))
    found = union_all(*(select(each) for each in of_kinds)).subquery("found")
    return select(found).order_by(*(found.c[name] for name in order)).limit(number)


@cache
def _at_work() -> Select[Any]:
    return (
        select(runs.c.tenant_id, func.count().label("number"))
        .where(active(), runs.c.queue == text_of("of_queue"))
        .group_by(runs.c.tenant_id)
    )


@cache
def _claiming(dialect: Dialect) -> Any:
    order = runs.c.priority, runs.c.run_at, runs.c.id
    size = func.coalesce(dialect.size(type_coerce(runs.c.payload, Text)), 0).label("size")
    due = dialect.lock_skipping(
        select(*order, size)
        .where(waiting(), runs.c.queue == text_of("of_queue"))
        .order_by(*order)
        .limit(_room(dialect))
    ).cte("due")
    before = func.sum(due.c["size"]).over(order_by=[due.c[each.name] for each in order]) - due.c["size"]
    weighed = select(due.c.id, before.label("before")).subquery("weighed")
    return _leasing(runs.c.id.in_(select(weighed.c.id).where(weighed.c.before < number_of("weight"))))


@cache
def _claiming_and_counting(dialect: Dialect) -> Any:
    """As `_claiming`, and counts what was claimed and what had moved before: a trip fewer to the server."""
    leased = _claiming(dialect).cte("leased")
    number = func.count()
    claimed = [
        select(text_of("of_queue"), leased.c.tenant_id, literal(str(status), Text), sign * number).group_by(
            leased.c.tenant_id
        )
        for status, sign in ((RunStatus.WAITING, -1), (RunStatus.ACTIVE, 1))
    ]
    counted = counting(dialect, claimed)
    return select(leased).add_cte(*(each.cte(f"counted_{place}") for place, each in enumerate(counted)))


def _room(dialect: Dialect) -> Any:
    """How many more may be at work, at most `most`."""
    at_work = dialect.through(runs, "ix_runs_lease")
    queue = literal_column("queue", Text)
    busy = select(func.count()).select_from(at_work).where(active(), queue == text_of("of_queue")).scalar_subquery()
    return dialect.least(number_of("most"), dialect.greatest(number_of("room") - busy, literal(0)))


@cache
def _claiming_listed(dialect: Dialect) -> Any:
    listed = dialect.listed("ids", {"id": runs.c.id.type})
    return _leasing(runs.c.id.in_(select(listed.c.id)))


def _leasing(which: Any) -> Any:
    return (
        update(runs)
        .where(which)
        .values(
            status=str(RunStatus.ACTIVE),
            attempt=runs.c.attempt + 1,
            lease_token=text_of("lease"),
            lease_until=number_of("until"),
            worker=text_of("holder"),
            started_at=number_of("now"),
            progress=None,
            cancel_requested=false(),
        )
        .returning(
            *(
                runs.c[name]
                for name in (
                    "id", "kind", "tenant_id", "priority", "run_at", "attempt", "max_attempts", "timeout_ms", "lost",
                    "operation_id", "dead_letter_id",
                )
            ),
            type_coerce(runs.c.payload, Text).label("body"),
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life for one run that is held."""

    id: int
    attempt: int
    token: str
    progress: float | None = None


async def beat(
    engine: Engine, transaction: Transaction, beats: Sequence[Beat], seconds: int
) -> tuple[int, dict[int, bool]]:
    """(until when the leases hold now in ms, run -> whether it is to stop). Runs that are missing are lost."""
    until = transaction.now + seconds * SECOND
    given = {
        "beats": json.dumps([[each.id, each.attempt, each.token, each.progress] for each in beats]),
        "until": until,
    }
    found = (await transaction.connection.execute(_beating(engine.store.dialect), given)).all()
    shown = {each.id for each in beats if each.progress is not None}
    news.touched(engine, transaction, [(row.id, row.tenant_id) for row in found if row.id in shown])
    return until, {row.id: bool(row.cancel_requested) for row in found}


@cache
def _beating(dialect: Dialect) -> Any:
    held = dialect.listed("beats", BEATS)
    return (
        update(runs)
        .where(still_held(held))
        .values(lease_until=number_of("until"), progress=func.coalesce(held.c.progress, runs.c.progress))
        .returning(runs.c.id, runs.c.tenant_id, runs.c.cancel_requested)
    )


def still_held(held: Any) -> Any:
    """Whether a run is the one, in the attempt, under the token of a listed row: only then is it still theirs."""
    return and_(
        runs.c.id == held.c.id,
        plain(runs.c.status) == str(RunStatus.ACTIVE),
        runs.c.attempt == held.c.attempt,
        runs.c.lease_token == held.c.token,
    )
