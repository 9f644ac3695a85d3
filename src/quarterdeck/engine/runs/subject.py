"""Runs as the subject of actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Integer, Row, case, false, func, literal, null, select, update

from quarterdeck.contract.enums import MachineResource, RunStatus
from quarterdeck.contract.live import Message
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.core import Engine
from quarterdeck.engine.machine_subject import MachineSubject, verdict_of
from quarterdeck.engine.queues.service import is_unknown, known_queues
from quarterdeck.engine.runs import rows
from quarterdeck.engine.runs.cancelling import cancel
from quarterdeck.engine.runs.endings import RETRIES
from quarterdeck.engine.runs.listing import RUNS
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import SUBJECTS, Doing, Part

_WAITING = str(RunStatus.WAITING)


@dataclass(frozen=True, slots=True)
class RunEffect:
    verb: str
    states: frozenset[str]
    body: str | None = None
    counts_as_change: bool = False  # runs have no version: they move by themselves


class RunSubject(MachineSubject):
    noun = "run"
    title = runs.c.kind
    external = runs.c.unique_key
    version = None
    listing = RUNS

    def effect(self, doing: Doing, params: BaseModel) -> RunEffect:
        return RunEffect(doing.action.verb, doing.action.from_states, getattr(params, "reason", None))

    def undo(self, doing: Doing, undone_id: int, kept: dict[str, Any]) -> RunEffect:
        raise NotImplementedError(f"{doing.action.name} cannot be undone")

    def keep_for_undo(self, undone: Row[Any], effect: Any) -> dict[str, Any]:
        raise NotImplementedError(f"{undone.action} cannot be undone")

    def verdict(self, effect: Any, principal: Principal) -> ColumnElement[Any]:
        rules: list[tuple[ColumnElement[bool], Code]] = []
        if principal.tenants is not None:
            rules.append((runs.c.tenant_id.not_in(sorted(principal.tenants)), Code.NOT_FOUND))
        rules.append((runs.c.operation_id.is_not(None), Code.ENGINES_OWN))
        rules.append((runs.c.status.not_in(sorted(effect.states)), Code.WRONG_STATE))
        if effect.verb == "cancel":
            rules.append((runs.c.cancel_requested, Code.UNCHANGED))
        else:
            rules.append((is_unknown(runs.c.queue), Code.NO_QUEUE))
        return verdict_of(rules)

    async def carry_out(
        self, effect: Any, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
    ) -> None:
        if effect.verb == "cancel":
            await cancel(doing.engine, transaction, scope)
            return
        connection, engine = transaction.connection, doing.engine
        headings = (runs.c.queue, runs.c.tenant_id, runs.c.status)
        found = (
            await connection.execute(select(*headings, func.count().label("number")).where(scope).group_by(*headings))
        ).all()
        values: dict[str, Any] = {"status": _WAITING, "run_at": transaction.now}
        if effect.verb == "retry":
            known = await known_queues(connection)
            again = {row.queue: known[row.queue].settings.max_attempts for row in found}
            # Whoever hangs on these runs moves along, while it still can be seen that they are dead.
            for follow in RETRIES:
                await follow(engine, transaction, scope, doing.principal.actor, effect.body, part.operation_id)
            values |= {
                "max_attempts": runs.c.attempt + _by_queue(again),
                "retry_count": 0,
                "lost": 0,
                "finished_at": null(),
                "cancel_requested": false(),
            }
        await connection.execute(update(runs).where(scope).values(**values))
        moves = Moves()
        for row in found:
            moves.moved(row.queue, row.tenant_id, row.status, _WAITING, row.number)
        await record(transaction, engine.store.dialect, moves)
        _say(engine, transaction, {row.queue for row in found})

    def answer(self, row: Row[Any]) -> dict[str, Any]:
        return {"run": rows.run(row)}


def _by_queue(values: dict[str, int]) -> ColumnElement[Any]:
    rules = [(runs.c.queue == queue, literal(number, Integer)) for queue, number in sorted(values.items())]
    return case(*rules, else_=literal(5, Integer)) if rules else literal(5, Integer)


def _say(engine: Engine, transaction: Transaction, names: set[str]) -> None:
    def tell() -> None:
        engine.hub.publish_figures(Message.QUEUES_CHANGED)
        engine.arrivals.say(names)

    transaction.after_commit(tell)


SUBJECTS[MachineResource.RUNS] = RunSubject()
