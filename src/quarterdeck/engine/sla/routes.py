"""Binds the operations on service levels."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.operations import sla as operations
from quarterdeck.engine.http.binding import serve
from quarterdeck.engine.sla import figures, lists, policies, proving

router = APIRouter()

serve(router, operations.POLICIES, policies.list_policies)
serve(router, operations.POLICY, policies.show_policy)
serve(router, operations.CREATE, policies.create_policy)
serve(router, operations.CHANGE, policies.change_policy)
serve(router, operations.DELETE, policies.delete_policy)
serve(router, operations.CLOCKS, lists.item_clocks)
serve(router, operations.COMPLIANCE, figures.compliance)
serve(router, operations.RESOLUTION_TIME, figures.resolution_time)
serve(router, operations.AT_RISK, lists.at_risk)
serve(router, operations.BREACHES, lists.breaches)
serve(router, operations.REPLAY, proving.replay)
