"""What the operations on dead letters come to: the same actions as everywhere, under names of their own."""

from __future__ import annotations

from typing import Any

from quarterdeck.contract.actions import Action
from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.models.bulk import BulkPreview, NewBulk
from quarterdeck.contract.models.dead_letters import (
    DeadLetterDetail,
    DeadLetterDiscard,
    DeadLetterRetry,
    RetryBatch,
)
from quarterdeck.contract.models.items import NewSelection
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.acting import read_params, the_action
from quarterdeck.engine.bulk import drafts
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.queries import detail
from quarterdeck.engine.dead_letters.subject import DEAD_LETTER_SUBJECT
from quarterdeck.engine.listing.selections import make_selection
from quarterdeck.engine.subjects import Doing

_RESOURCE = MachineResource.DEAD_LETTERS


async def retry(engine: Engine, principal: Principal, letter_id: int, said: DeadLetterRetry) -> DeadLetterDetail:
    """With a payload, even a null one, an edited retry."""
    if "payload" in said.model_fields_set:
        action = the_action(_RESOURCE, "edit-retry", principal)
        values: dict[str, Any] = {"payload": said.payload, "reason": said.reason}
    else:
        action = the_action(_RESOURCE, "retry", principal)
        values = {"rate": said.rate, "reason": said.reason}
    return await _act(engine, principal, letter_id, action, values, said.version)


async def discard(engine: Engine, principal: Principal, letter_id: int, said: DeadLetterDiscard) -> DeadLetterDetail:
    action = the_action(_RESOURCE, "discard", principal)
    return await _act(engine, principal, letter_id, action, {"reason": said.reason}, said.version)


async def _act(
    engine: Engine, principal: Principal, letter_id: int, action: Action, values: dict[str, Any], version: int | None
) -> DeadLetterDetail:
    params = read_params(action, values)
    async with engine.store.write() as transaction:
        doing = Doing(action, principal, engine, transaction.now)
        await DEAD_LETTER_SUBJECT.act_in(transaction, doing, letter_id, params, version)
        return await detail(transaction.connection, engine, principal, letter_id)


async def retry_batch(engine: Engine, principal: Principal, wanted: RetryBatch) -> BulkPreview:
    """A draft, as any bulk operation begins."""
    token = wanted.selection
    if wanted.filter is not None:
        selection = NewSelection(filter=wanted.filter)
        token = (await make_selection(engine, principal, DEAD_LETTERS, selection)).token
    params = {"rate": wanted.rate} if wanted.rate is not None else {}
    chosen: dict[str, Any] = {"ids": wanted.ids} if token is None else {"selection": token}
    new = NewBulk(**chosen, params=params, reason=wanted.reason)
    return await drafts.draft(engine, principal, _RESOURCE, "retry", new)
