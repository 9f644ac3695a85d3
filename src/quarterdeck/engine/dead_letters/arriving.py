"""Dead letters come: from runs that died, and from other systems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, bindparam, insert, literal, select, type_coerce

from quarterdeck.contract.clock import DAY
from quarterdeck.contract.enums import DeadLetterStatus, ErrorClass
from quarterdeck.contract.live import Change
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import exceptions, news
from quarterdeck.engine.dead_letters.grouping import group_of
from quarterdeck.engine.dead_letters.tables import dead_letter_groups, dead_letters
from quarterdeck.engine.dead_letters.tallying import Moves, record
from quarterdeck.engine.queues.service import KnownQueue
from quarterdeck.engine.runs.endings import EndedRun
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.store.dialect import Dialect
from quarterdeck.engine.store.store import Transaction

_USUAL_DAYS = 90
PENDING = str(DeadLetterStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Failure:
    """With what it died, and the group that makes it one of."""

    error_class: str
    error_code: str
    error_message: str
    group_id: str
    normalised: str


def failure_of(queue: str, error_class: str | None, code: str | None, message: str | None) -> Failure:
    code, message = code or "unknown", message or ""
    return Failure(str(error_class or ErrorClass.UNKNOWN), code, message, *group_of(queue, code, message))


def expiry(known: KnownQueue | None, now: int) -> int:
    """When a dead letter of the queue that died `now` is removed (ms)."""
    return now + round((_USUAL_DAYS if known is None else known.settings.keep.dead_days) * DAY)


async def from_runs(
    engine: Engine, transaction: Transaction, dead: Sequence[EndedRun], queues: dict[str, KnownQueue]
) -> list[int]:
    """A dead letter for each run that died; the payload goes from table to table."""
    if not dead:
        return []
    connection, dialect, now = transaction.connection, engine.store.dialect, transaction.now
    ids = await dialect.next_ids(connection, dead_letters, len(dead))
    given, moves, failures = [], Moves(), []
    for number, run in zip(ids, dead, strict=True):
        failure = failure_of(run.queue, run.error_class, run.error_code, run.error_message)
        failures.append((run.queue, failure))
        values = (number, run.id, failure.error_class, failure.error_code, failure.error_message, failure.group_id)
        given.append([*values, run.attempt, expiry(queues.get(run.queue), now), run.detail])
        moves.added((run.tenant_id, run.queue, run.kind, failure.group_id), PENDING)
    await connection.execute(_from_runs(dialect), {"given": json.dumps(given), "now": now})
    await note_groups(transaction, dialect, failures)
    await record(transaction, dialect, moves)
    news.touched(engine, transaction, [(n, run.tenant_id) for n, run in zip(ids, dead, strict=True)], Change.CREATED)
    await exceptions.open_for(engine, transaction, ids, queues)
    return ids


@cache
def _from_runs(dialect: Dialect) -> Any:
    given = dialect.listed(
        "given",
        {
            "id": BigInteger(),
            "run_id": BigInteger(),
            "error_class": Text(),
            "error_code": Text(),
            "error_message": Text(),
            "group_id": Text(),
            "attempts": Integer(),
            "expires_at": BigInteger(),
            "detail": Text(),
        },
    )
    now = bindparam("now", type_=BigInteger())
    values = {
        **{name: given.c[name] for name in given.c.keys()},  # noqa: SIM118
        "tenant_id": runs.c.tenant_id,
        "queue": runs.c.queue,
        "event_type": runs.c.kind,
        "status": literal(PENDING, Text),
        "created_at": now,
        "updated_at": now,
        "payload": type_coerce(runs.c.payload, Text),
        "metadata": literal("{}", Text),
    }
    source = select(*values.values()).select_from(given.join(runs, runs.c.id == given.c.run_id)).order_by(given.c.id)
    return insert(dead_letters).from_select(list(values), source)


async def note_groups(transaction: Transaction, dialect: Dialect, failures: Sequence[tuple[str, Failure]]) -> None:
    """`failures` are (queue, failure) of dead letters that are new in their group now."""
    groups = {failure.group_id: (queue, failure) for queue, failure in failures}
    rows = [
        {
            "group_id": name,
            "queue": queue,
            "error_class": failure.error_class,
            "error_code": failure.error_code,
            "message": failure.normalised,
            "first_at": transaction.now,
            "last_at": transaction.now,
        }
        for name, (queue, failure) in sorted(groups.items())
    ]
    if rows:
        new = dialect.insert(dead_letter_groups)
        upsert = new.on_conflict_do_update(index_elements=["group_id"], set_={"last_at": new.excluded.last_at})
        await transaction.connection.execute(upsert, rows)
