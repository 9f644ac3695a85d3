"""Binds what the engine says about itself."""

from __future__ import annotations

import os

from fastapi import APIRouter

from quarterdeck.contract.models.system import EngineInfo, Health, Stopped
from quarterdeck.contract.operations import system
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.metrics import exposition
from quarterdeck.engine.system import service

router = APIRouter()


async def _engine(call: Call) -> EngineInfo:
    return await service.info(call.engine, call.principal)


async def _stop(call: Call) -> Stopped:
    call.engine.stopping.set()
    return Stopped(pid=os.getpid())


async def _healthz(call: Call) -> Health:
    return service.alive()


async def _readyz(call: Call) -> Health:
    return await service.ready(call.engine)


async def _metrics(call: Call) -> str:
    return await exposition.text(call.engine)


bind(router, system.ENGINE, _engine)
bind(router, system.STOP, _stop)
bind(router, system.HEALTHZ, _healthz)
bind(router, system.READYZ, _readyz)
bind(router, system.METRICS, _metrics)
