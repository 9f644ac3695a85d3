"""Binds the operations on dead letters."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import bulk as bulk_models
from quarterdeck.contract.models import dead_letters as models
from quarterdeck.contract.operations import dead_letters as operations
from quarterdeck.engine.dead_letters import export, figures, posting, queries, service
from quarterdeck.engine.http.binding import Call, StreamBody, bind

router = APIRouter()


async def _list(call: Call) -> models.DeadLetterPage:
    return await queries.list_dead_letters(call.engine, call.principal, call.query)


async def _add(call: Call) -> models.AddedDeadLetters:
    return await posting.add(call.engine, call.principal, call.body)


async def _show(call: Call) -> models.DeadLetterDetail:
    return await queries.show_dead_letter(call.engine, call.principal, call.path["id"])


async def _retry(call: Call) -> models.DeadLetterDetail:
    return await service.retry(call.engine, call.principal, call.path["id"], call.body)


async def _discard(call: Call) -> models.DeadLetterDetail:
    return await service.discard(call.engine, call.principal, call.path["id"], call.body)


async def _retry_batch(call: Call) -> bulk_models.BulkPreview:
    return await service.retry_batch(call.engine, call.principal, call.body)


async def _stats(call: Call) -> models.DeadLetterStats:
    return await figures.stats(call.engine, call.principal, call.query)


async def _groups(call: Call) -> models.ErrorGroups:
    return await figures.groups(call.engine, call.principal, call.query.filter)


async def _export(call: Call) -> StreamBody:
    chunks = export.export_dead_letters(call.engine, call.principal, call.query.filter)
    return StreamBody(chunks, "application/x-ndjson", "dead-letters.jsonl")


bind(router, operations.LIST, _list)
bind(router, operations.ADD, _add)
bind(router, operations.SHOW, _show)
bind(router, operations.RETRY, _retry)
bind(router, operations.DISCARD, _discard)
bind(router, operations.RETRY_BATCH, _retry_batch)
bind(router, operations.STATS, _stats)
bind(router, operations.GROUPS, _groups)
bind(router, operations.EXPORT, _export)
