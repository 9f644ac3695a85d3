"""Binds the operations on usage."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import usage as models
from quarterdeck.contract.operations import usage as operations
from quarterdeck.engine.http.binding import Call, StreamBody, bind
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


async def _summary(call: Call) -> models.UsageSummary:
    return await telling.summary(call.engine, call.principal, call.query)


async def _details(call: Call) -> models.UsagePage:
    return await telling.details(call.engine, call.principal, call.query)


async def _export(call: Call) -> StreamBody:
    kind = "text/csv; charset=utf-8" if call.query.format == "csv" else "application/json"
    chunks = telling.export(call.engine, call.principal, call.query)
    return StreamBody(chunks, kind, f"usage.{call.query.format}")


async def _limits(call: Call) -> models.UsageLimitList:
    return await limits.list_limits(call.engine, call.principal)


async def _set_limit(call: Call) -> models.UsageLimit:
    return await limits.set_limit(call.engine, call.principal, call.body)


async def _delete_limit(call: Call) -> models.UsageLimit:
    return await limits.delete_limit(call.engine, call.principal, call.path["id"], call.query.version)


bind(router, operations.RECORD, _record)
bind(router, operations.SUMMARY, _summary)
bind(router, operations.DETAILS, _details)
bind(router, operations.EXPORT, _export)
bind(router, operations.LIMITS, _limits)
bind(router, operations.SET_LIMIT, _set_limit)
bind(router, operations.DELETE_LIMIT, _delete_limit)
