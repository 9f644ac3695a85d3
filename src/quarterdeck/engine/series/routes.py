"""Binds the operations on figures over time; the health of workers is bound by `workers`."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models.workers import Errors, Latency, Throughput
from quarterdeck.contract.operations import workers as operations
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.series import charts

router = APIRouter()


async def _throughput(call: Call) -> Throughput:
    return await charts.throughput(call.engine, call.principal, call.query)


async def _latency(call: Call) -> Latency:
    return await charts.latency(call.engine, call.principal, call.query)


async def _errors(call: Call) -> Errors:
    return await charts.errors(call.engine, call.principal, call.query)


bind(router, operations.THROUGHPUT, _throughput)
bind(router, operations.LATENCY, _latency)
bind(router, operations.ERRORS, _errors)
