"""Binds the bulk operations."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import bulk as models
from quarterdeck.contract.operations import bulk as operations
from quarterdeck.engine.bulk import drafts, lifecycle, service, templates
from quarterdeck.engine.http.binding import Call, StreamBody, bind

router = APIRouter()


async def _draft(call: Call) -> models.BulkPreview:
    path = call.path
    return await drafts.draft(call.engine, call.principal, path["resource"], path["action"], call.body)


async def _confirm(call: Call) -> models.BulkOperation:
    return await lifecycle.confirm(call.engine, call.principal, call.path["id"], call.body)


async def _list(call: Call) -> models.BulkPage:
    return await service.list_operations(call.engine, call.principal, call.query)


async def _show(call: Call) -> models.BulkDetail:
    return await service.show(call.engine, call.principal, call.path["id"])


async def _items(call: Call) -> models.BulkItemPage:
    return await service.list_results(call.engine, call.principal, call.path["id"], call.query)


async def _export(call: Call) -> StreamBody:
    number, kind = call.path["id"], call.query.format
    chunks = await service.export_results(call.engine, call.principal, number, call.query)
    media = "text/csv" if kind == "csv" else "application/json"
    return StreamBody(chunks, media, f"bulk-{number}.{kind}")


async def _cancel(call: Call) -> models.BulkOperation:
    return await lifecycle.cancel(call.engine, call.principal, call.path["id"])


async def _resume(call: Call) -> models.BulkOperation:
    return await lifecycle.resume(call.engine, call.principal, call.path["id"])


async def _retry_failed(call: Call) -> models.BulkPreview:
    return await drafts.draft_retry(call.engine, call.principal, call.path["id"])


async def _undo(call: Call) -> models.BulkPreview:
    return await drafts.draft_undo(call.engine, call.principal, call.path["id"])


async def _templates(call: Call) -> models.TemplatePage:
    return await templates.list_templates(call.engine, call.principal, call.query)


async def _save_template(call: Call) -> models.Template:
    return await templates.save_template(call.engine, call.principal, call.body)


async def _delete_template(call: Call) -> models.Template:
    return await templates.delete_template(call.engine, call.principal, call.path["id"])


bind(router, operations.DRAFT, _draft)
bind(router, operations.CONFIRM, _confirm)
bind(router, operations.LIST, _list)
bind(router, operations.SHOW, _show)
bind(router, operations.ITEMS, _items)
bind(router, operations.EXPORT, _export)
bind(router, operations.CANCEL, _cancel)
bind(router, operations.RESUME, _resume)
bind(router, operations.RETRY_FAILED, _retry_failed)
bind(router, operations.UNDO, _undo)
bind(router, operations.TEMPLATES, _templates)
bind(router, operations.SAVE_TEMPLATE, _save_template)
bind(router, operations.DELETE_TEMPLATE, _delete_template)
