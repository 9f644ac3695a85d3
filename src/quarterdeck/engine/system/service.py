"""What the engine says about itself."""

from __future__ import annotations

import os

from sqlalchemy import ColumnElement, Subquery, func, literal, select, union

from quarterdeck import __version__
from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.system import EngineInfo, Health
from quarterdeck.contract.models.system import Principal as PrincipalModel
from quarterdeck.contract.operations.base import API_NUMBER
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.tables import items

MOST_TENANTS = 1_000


async def info(engine: Engine, principal: Principal) -> EngineInfo:
    seen = await tenants(engine)
    return EngineInfo(
        version=__version__,
        api=API_NUMBER,
        pid=os.getpid(),
        home=str(engine.home.path),
        store=engine.store.address,
        started_at=to_datetime(engine.started_at),
        principal=PrincipalModel(
            actor=principal.actor,
            role=principal.role,
            tenants=None if principal.tenants is None else sorted(principal.tenants),
        ),
        claim_minutes=engine.settings.engine.claim_minutes,
        tenants=[tenant for tenant in seen if principal.sees(tenant)],
    )


async def tenants(engine: Engine) -> list[str]:
    """Tenants that have items, sorted, at most MOST_TENANTS.

    Walks the index from one tenant of a resource to the next: DISTINCT would read every row.
    """
    walks = [select(_walk(resource).c.tenant_id) for resource in Resource]
    query = select(union(*walks).subquery().c.tenant_id).limit(MOST_TENANTS)
    async with engine.store.read() as connection:
        return sorted((await connection.execute(query)).scalars())


def _walk(resource: Resource) -> Subquery:
    """The tenants of one resource, one row each; the index on them begins with the resource."""

    def first(*after: ColumnElement[bool]) -> ColumnElement[str]:
        among = (items.c.resource == literal(str(resource)), items.c.deleted_at.is_(None), *after)
        return select(func.min(items.c.tenant_id)).where(*among).scalar_subquery()

    steps = select(first().label("tenant_id")).cte(f"tenants_of_{resource}", recursive=True)
    known = steps.alias(f"known_of_{resource}")
    steps = steps.union_all(select(first(items.c.tenant_id > known.c.tenant_id)).where(known.c.tenant_id.is_not(None)))
    return select(steps.c.tenant_id).where(steps.c.tenant_id.is_not(None)).subquery()


def alive() -> Health:
    return Health(status="ok", checks={"process": "ok"})


async def ready(engine: Engine) -> Health:
    """Raises Problem where something that is needed does not work."""
    if engine.stopping.is_set():
        raise Problem(Code.STOPPING, "The engine is stopping.", retry_after=1)
    await engine.store.ping()
    if not engine.clock.running:
        raise Problem(Code.STOPPING, "The clock does not run; the engine is starting or stopping.", retry_after=1)
    return Health(status="ok", checks={"store": "ok", "clock": "ok"})
