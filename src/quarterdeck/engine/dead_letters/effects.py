"""What actions do to dead letters: one description for one of them and for a hundred thousand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    Text,
    case,
    func,
    insert,
    literal,
    select,
    type_coerce,
    update,
)

from quarterdeck.contract.clock import SECOND
from quarterdeck.contract.enums import DeadLetterStatus, ItemStatus, MachineResource, Priority, RunStatus
from quarterdeck.contract.live import Change, Message
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.acting import announce
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import exceptions
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.dead_letters.tallying import Heading, headings_of, record_all
from quarterdeck.engine.machine_subject import verdict_of
from quarterdeck.engine.queues.service import is_unknown, known_queues
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import Doing, Part

_PENDING, _RETRYING, _DISCARDED = (
    str(each) for each in (DeadLetterStatus.PENDING, DeadLetterStatus.RETRYING, DeadLetterStatus.DISCARDED)
)
INVERSE = {"discard": "reopen", "reopen": "discard"}
_WAYS = {
    "retry": (_PENDING, _RETRYING),
    "edit-retry": (_PENDING, _RETRYING),
    "discard": (_PENDING, _DISCARDED),
    "reopen": (_DISCARDED, _PENDING),
}


@dataclass(frozen=True, slots=True)
class LetterEffect:
    """`rate`: retries a second, None for all at once. `body` goes into the timeline of exceptions."""

    verb: str
    body: str | None = None
    rate: float | None = None
    counts_as_change: bool = True

    @property
    def before(self) -> str:
        return _WAYS[self.verb][0]

    @property
    def after(self) -> str:
        return _WAYS[self.verb][1]


def verdict(effect: LetterEffect, principal: Principal) -> ColumnElement[Any]:
    columns = dead_letters.c
    rules: list[tuple[ColumnElement[bool], Code]] = []
    if principal.tenants is not None:
        rules.append((columns.tenant_id.not_in(sorted(principal.tenants)), Code.NOT_FOUND))
    rules.append((columns.status != effect.before, Code.WRONG_STATE))
    if effect.after == _RETRYING:
        rules.append((is_unknown(columns.queue), Code.NO_QUEUE))
    return verdict_of(rules)


async def carry_out(
    effect: LetterEffect, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
) -> None:
    """`scope` must hold only eligible ones, and go on holding them when their state has changed."""
    connection = transaction.connection
    values: dict[str, Any] = {}
    headings = await headings_of(transaction, scope)
    if effect.after == _RETRYING:
        await _enqueue(effect, scope, headings, transaction, doing, part)
        # As a sum, so that nothing is read through from the newest run of all.
        newest = select(func.max(runs.c.id + 0)).where(
            runs.c.dead_letter_id.is_not(None), runs.c.dead_letter_id == dead_letters.c.id
        )
        values["retry_run_id"] = newest.correlate(dead_letters).scalar_subquery()
    await record_all(transaction, doing.engine.store.dialect, headings, effect.before, effect.after)
    changes = update(dead_letters).where(scope)
    await connection.execute(
        changes.values(status=effect.after, updated_at=transaction.now, version=dead_letters.c.version + 1, **values)
    )
    await _exceptions_too(effect, scope, transaction, doing, part)


async def _enqueue(
    effect: LetterEffect,
    scope: ColumnElement[bool],
    headings: dict[Heading, int],
    transaction: Transaction,
    doing: Doing,
    part: Part,
) -> None:
    """A run for each, in the queue it came from, with the payload as it is now."""
    connection, engine, columns = transaction.connection, doing.engine, dead_letters.c
    known = await known_queues(connection)
    # With a rate every run has its own moment; what is due is staged at once.
    status = RunStatus.WAITING if effect.rate is None else RunStatus.SCHEDULED
    settings = {queue: known[queue].settings for _, queue, _, _ in headings}
    run_at: ColumnElement[Any] = literal(transaction.now, BigInteger)
    if effect.rate is not None:
        before = func.row_number().over(order_by=columns.id) + (part.already - 1)
        since = transaction.now if part.since is None else part.since
        run_at = literal(since, BigInteger) + (before * (SECOND / effect.rate)).cast(BigInteger)
    priorities = {queue: each.priority.rank for queue, each in settings.items()}
    attempts = {queue: each.max_attempts for queue, each in settings.items()}
    values = {
        "queue": columns.queue,
        "kind": columns.event_type,
        "tenant_id": columns.tenant_id,
        "status": literal(str(status), Text),
        "priority": _by_queue(priorities, SmallInteger(), Priority.NORMAL.rank),
        "run_at": run_at,
        "max_attempts": _by_queue(attempts, Integer(), 5),
        "dead_letter_id": columns.id,
        "created_at": literal(transaction.now, BigInteger),
        "payload": type_coerce(columns.payload, Text),
    }
    source: Select[Any] = select(*values.values()).where(scope).order_by(columns.id)
    await connection.execute(insert(runs).from_select(list(values), source))
    moves = Moves()
    for (tenant, queue, kind, _), number in headings.items():
        moves.enqueued(queue, kind, tenant, str(status), number)
    await record(transaction, engine.store.dialect, moves)
    later = None if effect.rate is None else transaction.now
    _say(engine, transaction, set(settings), {tenant for tenant, *_ in headings}, later)


def _by_queue(values: dict[str, int], kind: Any, otherwise: int) -> ColumnElement[Any]:
    rules = [(dead_letters.c.queue == queue, literal(value, kind)) for queue, value in sorted(values.items())]
    return case(*rules, else_=literal(otherwise, kind)) if rules else literal(otherwise, kind)


def _say(engine: Engine, transaction: Transaction, names: set[str], tenants: set[str], later: int | None) -> None:
    announce(engine, transaction, MachineResource.RUNS, None, frozenset(tenants), Change.CREATED)

    def tell() -> None:
        engine.hub.publish_figures(Message.QUEUES_CHANGED)
        engine.arrivals.say(names if later is None else (), later)

    transaction.after_commit(tell)


async def _exceptions_too(
    effect: LetterEffect, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
) -> None:
    behind = await exceptions.behind(transaction, doing.engine.store.dialect, scope)
    if behind is None:
        return
    to, event, since = {
        _RETRYING: (ItemStatus.RETRYING, "retrying", None),
        _DISCARDED: (ItemStatus.CANCELLED, "cancelled", None),
        # No other way leads back from there.
        _PENDING: (ItemStatus.OPEN, "reopened", frozenset({str(ItemStatus.CANCELLED)})),
    }[effect.after]
    await exceptions.follow(
        doing.engine,
        transaction,
        behind,
        to,
        event,
        body=effect.body,
        actor=doing.principal.actor,
        operation_id=part.operation_id,
        since=since,
    )
    exceptions.look_again(doing.engine, transaction)
