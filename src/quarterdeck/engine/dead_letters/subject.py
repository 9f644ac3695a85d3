"""Dead letters as the subject of actions."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Row, insert, select, update

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.models.machine_params import EditedRetry, RetryDeadLetter
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.dead_letters import effects, exception_subject, rows
from quarterdeck.engine.dead_letters.effects import INVERSE, LetterEffect
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.tables import dead_letter_edits, dead_letters
from quarterdeck.engine.machine_subject import MachineSubject
from quarterdeck.engine.masking import unmasked
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.subjects import SUBJECTS, Doing, Part


class DeadLetterSubject(MachineSubject):
    noun = "dead letter"
    title = dead_letters.c.error_message
    external = dead_letters.c.source_id
    version = dead_letters.c.version
    listing = DEAD_LETTERS

    def effect(self, doing: Doing, params: BaseModel) -> LetterEffect:
        rate = params.rate if isinstance(params, RetryDeadLetter) else None
        return LetterEffect(doing.action.verb, getattr(params, "reason", None), rate)

    def undo(self, doing: Doing, undone_id: int, kept: dict[str, Any]) -> LetterEffect:
        return LetterEffect(kept["verb"], f"Undo of operation {undone_id}")

    def keep_for_undo(self, undone: Row[Any], effect: Any) -> dict[str, Any]:
        return {"verb": INVERSE[effect.verb]}

    def verdict(self, effect: Any, principal: Principal) -> ColumnElement[Any]:
        return effects.verdict(effect, principal)

    async def carry_out(
        self, effect: Any, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
    ) -> None:
        await effects.carry_out(effect, scope, transaction, doing, part)

    def answer(self, row: Row[Any]) -> dict[str, Any]:
        return {"dead_letter": rows.dead_letter(row)}

    async def prepare(self, transaction: Transaction, doing: Doing, row_id: int, params: BaseModel) -> dict[str, Any]:
        """An edited retry changes the payload first and keeps the difference."""
        if not isinstance(params, EditedRetry):
            return {}
        connection = transaction.connection
        this = dead_letters.c.id == row_id
        before = (await connection.execute(select(dead_letters.c.payload).where(this))).scalar_one()
        after = unmasked(params.payload, before, doing.engine.settings.console.secret_keys)
        values = {
            "dead_letter_id": row_id,
            "at": transaction.now,
            "actor": doing.principal.actor,
            "patch": difference(before, after),
            "payload": after,
        }
        edit = await connection.execute(insert(dead_letter_edits).values(**values).returning(dead_letter_edits.c.id))
        await connection.execute(update(dead_letters).where(this).values(payload=after))
        return {"edit": edit.scalar_one()}


def difference(before: Any, after: Any) -> list[dict[str, Any]]:
    """A JSON Patch (RFC 6902)."""
    import jsonpatch  # only when somebody edits: every start would wait for it

    try:
        found: list[dict[str, Any]] = jsonpatch.make_patch(before, after).patch
    except (RecursionError, TypeError):  # nested too deep, or not made of objects
        found = [] if before == after else [{"op": "replace", "path": "", "value": after}]
    return found


assert exception_subject  # says what exceptions are

DEAD_LETTER_SUBJECT = SUBJECTS[MachineResource.DEAD_LETTERS] = DeadLetterSubject()
