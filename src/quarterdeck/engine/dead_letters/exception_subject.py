"""Exceptions as the subject of actions: items, and one action that goes through to the dead letter behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Text, literal, select

from quarterdeck.contract.enums import DeadLetterStatus, ItemStatus, MachineResource, Resource
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.items import ActionRequest, ActionResult
from quarterdeck.contract.models.machine_params import RetryDeadLetter
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.acting import announce, read_params, the_action
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import effects
from quarterdeck.engine.dead_letters.effects import LetterEffect
from quarterdeck.engine.dead_letters.tables import dead_letters
from quarterdeck.engine.items import rows
from quarterdeck.engine.items.acts import changed_since, refusal
from quarterdeck.engine.items.effects import Effect
from quarterdeck.engine.items.queries import no_such_item
from quarterdeck.engine.items.subject import ItemSubject
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.queues.service import is_unknown
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import SUBJECTS, Doing, Part

_PENDING = dead_letters.c.status == str(DeadLetterStatus.PENDING)


@dataclass(frozen=True, slots=True)
class RetryEffect(Effect):
    """`rate`: retries a second, None for all at once."""

    rate: float | None = None


class ExceptionSubject(ItemSubject):
    def effect(self, doing: Doing, params: BaseModel) -> Effect:
        if not isinstance(params, RetryDeadLetter):
            return super().effect(doing, params)
        behind = select(dead_letters.c.id).where(
            dead_letters.c.exception_id.is_not(None), dead_letters.c.exception_id == items.c.id, _PENDING
        )
        known = behind.where(~is_unknown(dead_letters.c.queue))
        refusals = ((~behind.exists(), Code.NOTHING_TO_RETRY), (~known.exists(), Code.NO_QUEUE))
        to = str(ItemStatus.RETRYING)
        return RetryEffect(
            "retrying",
            {"status": literal(to, Text)},
            doing.action.from_states,
            refusals,
            body=params.reason,
            to=to,
            rate=params.rate,
        )

    async def carry_out(
        self, effect: Any, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
    ) -> None:
        """A retry is done to the dead letters, which take their exceptions along; whoever moves an exception to
        `retrying` by hand retries what is behind it as well."""
        if not isinstance(effect, RetryEffect):
            await super().carry_out(effect, scope, transaction, doing, part)
            if effect.to != ItemStatus.RETRYING:
                return
        # Named once: what is retried is no longer among what can be.
        behind = select(dead_letters.c.id).where(
            dead_letters.c.exception_id.is_not(None),
            dead_letters.c.exception_id.in_(select(items.c.id).where(scope)),
            ~is_unknown(dead_letters.c.queue),
            _PENDING,
        )
        ids = list((await transaction.connection.execute(behind)).scalars())
        if not ids:
            return
        letters = dead_letters.c.id.in_(doing.engine.store.dialect.id_list(ids))
        retry = LetterEffect("retry", effect.body, effect.rate if isinstance(effect, RetryEffect) else None)
        await effects.carry_out(retry, letters, transaction, doing, part)
        announce(doing.engine, transaction, MachineResource.DEAD_LETTERS, None, None, Change.UPDATED)

    async def act(
        self, engine: Engine, principal: Principal, row_id: int, verb: str, request: ActionRequest
    ) -> ActionResult:
        action = the_action(Resource.EXCEPTIONS, verb, principal)
        params = read_params(action, request.params)
        if verb != "retry" and getattr(params, "status", None) is not ItemStatus.RETRYING:
            return await super().act(engine, principal, row_id, verb, request)
        async with engine.store.write() as transaction:
            connection, dialect = transaction.connection, engine.store.dialect
            doing = Doing(action, principal, engine, transaction.now)
            effect = self.effect(doing, params)
            this = items.c.id == row_id
            judged = select(items, self.verdict(effect, principal).label("code")).where(this)
            row = (await connection.execute(dialect.lock(judged))).one_or_none()
            if row is None or row.resource != Resource.EXCEPTIONS or not principal.sees(row.tenant_id):
                raise no_such_item(Resource.EXCEPTIONS, row_id)
            if request.version is not None and row.version != request.version:
                raise changed_since(row_id)
            if row.code is not None:
                raise refusal(row, effect, action.label)
            await self.carry_out(effect, this, transaction, doing, Part())
            await audit.append(
                transaction,
                engine.store,
                principal,
                f"items.{verb}",
                tenant_id=row.tenant_id,
                resource=row.resource,
                target=str(row_id),
                reason=effect.body,
            )
            after = (await connection.execute(select(items).where(this))).one()
            newest = select(item_events.c.id).where(item_events.c.item_id == row_id).order_by(item_events.c.id.desc())
            event_id = (await connection.execute(newest.limit(1))).scalar_one()
        return ActionResult(item=rows.item(after), event_id=event_id, undoable=False)


SUBJECTS[Resource.EXCEPTIONS] = ExceptionSubject(Resource.EXCEPTIONS)
