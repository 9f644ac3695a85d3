"""Binds what workers outside call, and how they do."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models.runs import HeartbeatAnswer, LeasedRuns, LogTaken, Run
from quarterdeck.contract.models.workers import WorkersHealth
from quarterdeck.contract.operations import queues, runs, workers
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.workers import leasing, overview, reporting

router = APIRouter()


async def _lease(call: Call) -> LeasedRuns:
    return await leasing.lease(call.engine, call.principal, call.path["queue"], call.body, call.gone)


async def _heartbeat(call: Call) -> HeartbeatAnswer:
    return await reporting.heartbeat(call.engine, call.principal, call.path["id"], call.body)


async def _log(call: Call) -> LogTaken:
    return await reporting.log(call.engine, call.principal, call.path["id"], call.body)


async def _complete(call: Call) -> Run:
    return await reporting.complete(call.engine, call.principal, call.path["id"], call.body)


async def _fail(call: Call) -> Run:
    return await reporting.fail(call.engine, call.principal, call.path["id"], call.body)


async def _give_back(call: Call) -> Run:
    return await reporting.give_back(call.engine, call.principal, call.path["id"], call.body)


async def _health(call: Call) -> WorkersHealth:
    return await overview.health(call.engine)


bind(router, queues.LEASE, _lease)
bind(router, workers.HEALTH, _health)
bind(router, runs.HEARTBEAT, _heartbeat)
bind(router, runs.LOG, _log)
bind(router, runs.COMPLETE, _complete)
bind(router, runs.FAIL, _fail)
bind(router, runs.GIVE_BACK, _give_back)
