"""Binds the operations on runs."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import runs as models
from quarterdeck.contract.operations import runs as operations
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.http.sockets import bind_socket
from quarterdeck.engine.runs import asking, queries
from quarterdeck.engine.runs.following import Following

router = APIRouter()


async def _enqueue(call: Call) -> models.EnqueuedRuns:
    return await asking.enqueue_runs(call.engine, call.principal, call.body)


async def _list(call: Call) -> models.RunPage:
    return await queries.list_runs(call.engine, call.principal, call.query)


async def _show(call: Call) -> models.RunDetail:
    return await queries.show_run(call.engine, call.principal, call.path["id"])


async def _logs(call: Call) -> models.LogPage:
    return await queries.read_log(call.engine, call.principal, call.path["id"], call.query)


async def _watch(call: Call) -> Following:
    following = Following(call.engine, call.principal, call.path["id"])
    try:
        await following.begin()
    except BaseException:
        following.close()
        raise
    return following


bind(router, operations.ENQUEUE, _enqueue)
bind(router, operations.LIST, _list)
bind(router, operations.SHOW, _show)
bind(router, operations.LOGS, _logs)
bind_socket(router, operations.WATCH, _watch)
