"""Binds the operations on usage."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import usage as models
from quarterdeck.contract.operations import usage as operations
from quarterdeck.engine.http.binding import Call, StreamBody, bind, serve
from quarterdeck.engine.usage import limits, posting, telling

router = APIRouter()


async def _record(call: Call) -> models.RecordedUsage:
    return await posting.record(call.engine, call.principal, _events(call.body))


def _events(
    body: models.NewUsageEvents | models.CloudEvent | models.CloudEventBatch,
) -> list[models.UsageEvent]:
    match body:
        case models.CloudEvent():
            return [models.plain_event(body)]
        case models.CloudEventBatch():
            return [models.plain_event(each) for each in body.root]
    return body.events


async def _export(call: Call) -> StreamBody:
    kind = "text/csv; charset=utf-8" if call.query.format == "csv" else "application/json"
    chunks = telling.export(call.engine, call.principal, call.query)
    return StreamBody(chunks, kind, f"usage.{call.query.format}")


bind(router, operations.RECORD, _record)
serve(router, operations.SUMMARY, telling.summary)
serve(router, operations.DETAILS, telling.details)
bind(router, operations.EXPORT, _export)
serve(router, operations.LIMITS, limits.list_limits)
serve(router, operations.SET_LIMIT, limits.set_limit)
serve(router, operations.DELETE_LIMIT, limits.delete_limit)
