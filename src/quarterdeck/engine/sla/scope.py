"""Which clocks somebody may see, and asked for."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from quarterdeck.contract.models.sla import ClockQuery, FigureQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.sla.tables import sla_clocks

_C = sla_clocks.c


def narrowed(principal: Principal, query: ClockQuery | FigureQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if principal.tenants is not None:
        found.append(_C.tenant_id.in_(sorted(principal.tenants)))
    if query.tenant is not None:
        found.append(_C.tenant_id == query.tenant)
    if query.resource is not None:
        found.append(_C.resource == str(query.resource))
    if query.priority is not None:
        found.append(_C.priority == query.priority.rank)
    if query.target is not None:
        found.append(_C.target == str(query.target))
    return found
