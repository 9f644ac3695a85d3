"""Reading dead letters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.models.dead_letters import (
    DeadLetterDetail,
    DeadLetterListQuery,
    DeadLetterPage,
    PayloadEdit,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import rows
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.subject import DEAD_LETTER_SUBJECT
from quarterdeck.engine.dead_letters.tables import dead_letter_edits, dead_letters
from quarterdeck.engine.listing.matching import visible
from quarterdeck.engine.listing.pages import read_page
from quarterdeck.engine.masking import shown
from quarterdeck.engine.runs.rows import attempt
from quarterdeck.engine.runs.tables import run_attempts, runs

_MOST_ATTEMPTS = 500


async def list_dead_letters(engine: Engine, principal: Principal, query: DeadLetterListQuery) -> DeadLetterPage:
    found = await read_page(engine.store, principal, DEAD_LETTERS, query)
    return DeadLetterPage(
        items=[rows.dead_letter(row) for row in found.rows],
        next=found.next,
        previous=found.previous,
        searched=found.searched,
    )


async def show_dead_letter(engine: Engine, principal: Principal, letter_id: int) -> DeadLetterDetail:
    """Raises Problem(NOT_FOUND); one of another tenant does not exist for the caller."""
    async with engine.store.read() as connection:
        return await detail(connection, engine, principal, letter_id)


async def detail(connection: AsyncConnection, engine: Engine, principal: Principal, letter_id: int) -> DeadLetterDetail:
    wanted = select(dead_letters).where(dead_letters.c.id == letter_id, *visible(DEAD_LETTERS, principal))
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        raise DEAD_LETTER_SUBJECT.missing(letter_id)
    retries = select(runs.c.id).where(runs.c.dead_letter_id.is_not(None), runs.c.dead_letter_id == letter_id)
    attempts = (
        select(run_attempts)
        .where(or_(run_attempts.c.run_id == (row.run_id or 0), run_attempts.c.run_id.in_(retries)))
        .order_by(run_attempts.c.started_at.desc(), run_attempts.c.run_id.desc(), run_attempts.c.number.desc())
        .limit(_MOST_ATTEMPTS)
    )
    edits = select(dead_letter_edits).where(dead_letter_edits.c.dead_letter_id == letter_id)
    made = [attempt(each) for each in (await connection.execute(attempts)).all()][::-1]
    changed = (await connection.execute(edits.order_by(dead_letter_edits.c.id))).all()
    return DeadLetterDetail(
        dead_letter=rows.dead_letter(row),
        payload=shown(row.payload, principal, engine.settings),
        metadata=shown(row.metadata, principal, engine.settings),
        detail=row.detail,
        attempts=made,
        edits=[
            PayloadEdit(at=to_datetime(each.at), actor=each.actor, patch=_patch(each.patch, principal, engine))
            for each in changed
        ],
    )


def _patch(patch: list[dict[str, Any]], principal: Principal, engine: Engine) -> list[dict[str, Any]]:
    """A value is named by its path: what lies inside a hidden one is hidden."""
    found = []
    for step in patch:
        if "value" in step:
            value = step["value"]
            for name in reversed(str(step.get("path", "")).split("/")[1:]):
                value = shown({name: value}, principal, engine.settings)[name]
            step = {**step, "value": value}
        found.append(step)
    return found
