"""Binds the operations on queues; leasing is bound by `workers`."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models.queues import Queue, QueueList
from quarterdeck.contract.operations import queues as operations
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.queues import changes, figures

router = APIRouter()


async def _list(call: Call) -> QueueList:
    return await figures.list_queues(call.engine, call.principal)


async def _show(call: Call) -> Queue:
    return await figures.show_queue(call.engine, call.principal, call.path["queue"])


async def _put(call: Call) -> Queue:
    return await changes.put_queue(call.engine, call.principal, call.path["queue"], call.body)


async def _change(call: Call) -> Queue:
    return await changes.change_queue(call.engine, call.principal, call.path["queue"], call.body)


async def _pause(call: Call) -> Queue:
    return await changes.pause_queue(call.engine, call.principal, call.path["queue"], call.body)


async def _resume(call: Call) -> Queue:
    return await changes.resume_queue(call.engine, call.principal, call.path["queue"], call.body)


async def _delete(call: Call) -> Queue:
    return await changes.delete_queue(call.engine, call.principal, call.path["queue"])


bind(router, operations.LIST, _list)
bind(router, operations.SHOW, _show)
bind(router, operations.PUT, _put)
bind(router, operations.CHANGE, _change)
bind(router, operations.PAUSE, _pause)
bind(router, operations.RESUME, _resume)
bind(router, operations.DELETE, _delete)
