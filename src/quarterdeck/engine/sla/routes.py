"""Binds the operations on service levels."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import sla as models
from quarterdeck.contract.operations import sla as operations
from quarterdeck.engine.http.binding import Call, bind
from quarterdeck.engine.sla import figures, lists, policies, proving

router = APIRouter()


async def _policies(call: Call) -> models.PolicyList:
    return await policies.list_policies(call.engine, call.principal)


async def _policy(call: Call) -> models.Policy:
    return await policies.show_policy(call.engine, call.principal, call.path["id"])


async def _create(call: Call) -> models.Policy:
    return await policies.create_policy(call.engine, call.principal, call.body)


async def _change(call: Call) -> models.Policy:
    return await policies.change_policy(call.engine, call.principal, call.path["id"], call.body)


async def _delete(call: Call) -> models.Policy:
    return await policies.delete_policy(call.engine, call.principal, call.path["id"], call.query.version)


async def _clocks(call: Call) -> models.ItemClocks:
    return await lists.item_clocks(call.engine, call.principal, call.path["resource"], call.path["id"])


async def _compliance(call: Call) -> models.Compliance:
    return await figures.compliance(call.engine, call.principal, call.query)


async def _resolution_time(call: Call) -> models.ResolutionTime:
    return await figures.resolution_time(call.engine, call.principal, call.query)


async def _at_risk(call: Call) -> models.ClockPage:
    return await lists.at_risk(call.engine, call.principal, call.query)


async def _breaches(call: Call) -> models.ClockPage:
    return await lists.breaches(call.engine, call.principal, call.query)


async def _replay(call: Call) -> models.ReplayResult:
    return await proving.replay(call.engine, call.principal, call.body)


bind(router, operations.POLICIES, _policies)
bind(router, operations.POLICY, _policy)
bind(router, operations.CREATE, _create)
bind(router, operations.CHANGE, _change)
bind(router, operations.DELETE, _delete)
bind(router, operations.CLOCKS, _clocks)
bind(router, operations.COMPLIANCE, _compliance)
bind(router, operations.RESOLUTION_TIME, _resolution_time)
bind(router, operations.AT_RISK, _at_risk)
bind(router, operations.BREACHES, _breaches)
bind(router, operations.REPLAY, _replay)
