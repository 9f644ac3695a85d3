"""What runs and dead letters have in common as subjects of actions."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Row, Text, case, literal, null, select

from quarterdeck.contract.actions import Action
from quarterdeck.contract.live import Change
from quarterdeck.contract.models.items import ActionRequest, ActionResult
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.acting import announce, read_params, the_action
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.listing.matching import visible
from quarterdeck.engine.sentences import sentence
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import Doing, Effect, Part, Subject

_UNTOLD = {"reason", "payload"}  # a payload may hold secrets


def verdict_of(rules: list[tuple[ColumnElement[bool], Code]]) -> ColumnElement[Any]:
    """The code of the first rule that holds, NULL where none does."""
    return case(*((condition, literal(str(code), Text)) for condition, code in rules), else_=null())


class MachineSubject(Subject):
    """An action on one row is the bulk operation of one."""

    @abstractmethod
    def answer(self, row: Row[Any]) -> dict[str, Any]:
        """The member of ActionResult that says how the row is now."""

    async def act(
        self, engine: Engine, principal: Principal, row_id: int, verb: str, request: ActionRequest
    ) -> ActionResult:
        action = the_action(self.listing.acted_on, verb, principal)
        params = read_params(action, request.params)
        async with engine.store.write() as transaction:
            doing = Doing(action, principal, engine, transaction.now)
            row = await self.act_in(transaction, doing, row_id, params, request.version)
            return ActionResult(**self.answer(row), undoable=False)

    async def act_in(
        self, transaction: Transaction, doing: Doing, row_id: int, params: BaseModel, version: int | None = None
    ) -> Row[Any]:
        """The row afterwards. Raises Problem."""
        connection, dialect = transaction.connection, doing.engine.store.dialect
        effect = self.effect(doing, params)
        this = self.listing.table.c.id == row_id
        query = select(*self.listing.shown, self.verdict(effect, doing.principal).label("code"))
        query = query.where(this, *visible(self.listing, doing.principal))
        row = (await connection.execute(dialect.lock(query))).one_or_none()
        if row is None:
            raise self.missing(row_id)
        if version is not None and self.version is not None and row.version != version:
            raise Problem(
                Code.CHANGED_SINCE,
                f"{self.noun.capitalize()} {row_id} has changed since you looked; look again, then decide.",
            )
        if row.code is not None:
            raise self._refusal(row, doing.action)
        noted = await self.prepare(transaction, doing, row_id, params)
        await self.carry_out(effect, this, transaction, doing, Part())
        kept = {name: value for name, value in params.model_dump(mode="json").items() if name not in _UNTOLD}
        await audit.append(
            transaction,
            doing.engine.store,
            doing.principal,
            f"{self.listing.resource}.{doing.action.verb}",
            tenant_id=row.tenant_id,
            resource=str(self.listing.resource),
            target=str(row_id),
            reason=getattr(params, "reason", None),
            details={**({"params": kept} if any(kept.values()) else {}), **noted},
        )
        announce(doing.engine, transaction, self.listing.resource, [row_id], row.tenant_id, Change.UPDATED)
        after: Row[Any] = (await connection.execute(select(*self.listing.shown).where(this))).one()
        return after

    async def prepare(self, transaction: Transaction, doing: Doing, row_id: int, params: BaseModel) -> dict[str, Any]:
        """What comes before the effect where it is done to one row; what the audit log keeps of it."""
        return {}

    def missing(self, row_id: int) -> Problem:
        return Problem(Code.NOT_FOUND, f"There is no {self.noun} {row_id}.")

    def _refusal(self, row: Row[Any], action: Action) -> Problem:
        states = ", ".join(sorted(action.from_states))
        said = sentence(Code(row.code), action.label, row.status, states, to=action.to, noun=self.noun)
        return Problem(
            Code(row.code),
            f"{self.noun.capitalize()} {row.id}: {said}",
            extra={"status": row.status, "applies_to": sorted(action.from_states)},
        )


__all__ = ["Effect", "MachineSubject", "verdict_of"]
