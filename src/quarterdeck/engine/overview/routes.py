"""Binds the operations of the overview."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models.overview import CriticalAlerts, Overview
from quarterdeck.contract.operations import overview as operations
from quarterdeck.engine.alerts.firing import critical
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.overview import service

router = APIRouter()


async def _show(call: Call) -> Overview:
    return await service.show(call.engine, call.principal)


async def _critical(call: Call) -> CriticalAlerts:
    return await critical(call.engine, call.principal)


bind(router, operations.SHOW, _show)
bind(router, operations.CRITICAL, _critical)
