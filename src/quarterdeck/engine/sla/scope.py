"""Which clocks somebody may see, and asked for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table

from quarterdeck.contract.models.sla import ClockQuery, FigureQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.sla.tables import sla_clocks


def narrowed(
    principal: Principal, query: ClockQuery | FigureQuery, table: Table = sla_clocks
) -> list[ColumnElement[bool]]:
    """`table`: clocks, or breaches."""
    found: list[ColumnElement[bool]] = []
    if principal.tenants is not None:
        found.append(table.c.tenant_id.in_(sorted(principal.tenants)))
    if query.tenant is not None:
        found.append(table.c.tenant_id == query.tenant)
    if query.resource is not None:
        found.append(table.c.resource == str(query.resource))
    if query.priority is not None:
        found.append(table.c.priority == query.priority.rank)
    if query.target is not None:
        found.append(table.c.target == str(query.target))
    return found
