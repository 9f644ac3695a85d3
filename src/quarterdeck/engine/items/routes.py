"""Binds the operations on items."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import items as models
from quarterdeck.contract.operations import items as operations
from quarterdeck.engine.http.binding import Call, StreamBody, bind
from quarterdeck.engine.items import acts, claims, export, ingest, queries
from quarterdeck.engine.subjects import subject_of

router = APIRouter()


async def _list(call: Call) -> models.ItemPage:
    return await queries.list_items(call.engine.store, call.principal, call.path["resource"], call.query)


async def _export(call: Call) -> StreamBody:
    resource, kind = call.path["resource"], call.query.format
    chunks = export.export_items(call.engine.store, call.principal, resource, call.query)
    media = "text/csv" if kind == "csv" else "application/json"
    return StreamBody(chunks, media, f"{resource}.{kind}")


async def _show(call: Call) -> models.Item:
    return await queries.show_item(call.engine.store, call.principal, call.path["resource"], call.path["id"])


async def _events(call: Call) -> models.EventPage:
    path = call.path
    return await queries.timeline(call.engine.store, call.principal, path["resource"], path["id"], call.query)


async def _create(call: Call) -> models.CreatedItems:
    return await ingest.create_items(call.engine, call.principal, call.path["resource"], call.body)


async def _import(call: Call) -> models.ImportResult:
    return await ingest.import_batch(call.engine, call.principal, call.path["resource"], call.body)


async def _act(call: Call) -> models.ActionResult:
    path = call.path
    subject = subject_of(path["resource"])
    return await subject.act(call.engine, call.principal, path["id"], path["action"], call.body)


async def _undo(call: Call) -> models.ActionResult:
    path = call.path
    return await acts.undo(call.engine, call.principal, path["resource"], path["id"], path["event_id"])


async def _claim_next(call: Call) -> models.ActionResult:
    return await claims.claim_next(call.engine, call.principal, call.path["resource"], call.body.filter)


async def _skip(call: Call) -> models.ActionResult:
    return await acts.skip(call.engine, call.principal, call.path["resource"], call.path["id"], call.body.reason)


async def _renew(call: Call) -> models.Item:
    return await acts.renew(call.engine, call.principal, call.path["resource"], call.path["id"])


bind(router, operations.LIST, _list)
bind(router, operations.EXPORT, _export)
bind(router, operations.SHOW, _show)
bind(router, operations.EVENTS, _events)
bind(router, operations.CREATE, _create)
bind(router, operations.IMPORT, _import)
bind(router, operations.ACT, _act)
bind(router, operations.UNDO, _undo)
bind(router, operations.CLAIM_NEXT, _claim_next)
bind(router, operations.SKIP, _skip)
bind(router, operations.RENEW, _renew)
