"""Binds the audit operations."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models.audit import AuditPage, AuditVerdict
from quarterdeck.contract.operations import audit
from quarterdeck.engine.audit import service
from quarterdeck.engine.audit.verify import verify
from quarterdeck.engine.http.binding import Call, bind

router = APIRouter()


async def _list(call: Call) -> AuditPage:
    return await service.list_entries(call.engine.store, call.principal, call.query)


async def _verify(call: Call) -> AuditVerdict:
    return await verify(call.engine.store, call.engine.home)


bind(router, audit.LIST, _list)
bind(router, audit.VERIFY, _verify)
