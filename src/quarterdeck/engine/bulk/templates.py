"""Saved bulk operations: a filter, an action and its parameters under a name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import read_resource
from quarterdeck.contract.models.bulk import NewTemplate, PageQuery, Template, TemplatePage
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine import cursors
from quarterdeck.engine.acting import may_reach, read_params, the_action
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.bulk.tables import bulk_templates
from quarterdeck.engine.core import Engine
from quarterdeck.engine.listing.matching import read_filter


async def list_templates(engine: Engine, principal: Principal, query: PageQuery) -> TemplatePage:
    wanted = select(bulk_templates).order_by(bulk_templates.c.id).limit(query.limit + 1)
    if query.cursor is not None:
        wanted = wanted.where(bulk_templates.c.id > cursors.decode_ids(query.cursor, 1)[0])
    if principal.tenants is not None:
        wanted = wanted.where(bulk_templates.c.created_by == principal.actor)
    async with engine.store.read() as connection:
        found = list((await connection.execute(wanted)).all())
    more = len(found) > query.limit
    found = found[: query.limit]
    return TemplatePage(items=[_template(row) for row in found], next=cursors.encode(found[-1].id) if more else None)


async def save_template(engine: Engine, principal: Principal, new: NewTemplate) -> Template:
    """The same name is replaced. The filter keeps its relative times: it is frozen at each use."""
    action = the_action(new.resource, new.action, principal)
    params = read_params(action, new.params).model_dump(mode="json")
    may_reach(new.resource, [params.get("status")], principal)
    read_filter(new.filter, new.resource, principal)
    async with engine.store.write() as transaction:
        values = {
            "name": new.name,
            "resource": str(new.resource),
            "action": new.action,
            "filter": new.filter,
            "params": params,
            "reason": new.reason,
            "created_by": principal.actor,
            "created_at": transaction.now,
        }
        known = select(bulk_templates).where(bulk_templates.c.name == new.name)
        old = (await transaction.connection.execute(known)).one_or_none()
        if old is not None and principal.tenants is not None and old.created_by != principal.actor:
            raise Problem(Code.FORBIDDEN, f"Another person has a template called {new.name}; choose another name.")
        if old is None:
            await transaction.connection.execute(bulk_templates.insert(), values)
        else:
            await transaction.connection.execute(
                bulk_templates.update().where(bulk_templates.c.id == old.id).values(values)
            )
        row = (await transaction.connection.execute(known)).one()
        await _note(engine, transaction, principal, "bulk.template_saved", row)
    return _template(row)


async def delete_template(engine: Engine, principal: Principal, template_id: int) -> Template:
    async with engine.store.write() as transaction:
        wanted = select(bulk_templates).where(bulk_templates.c.id == template_id)
        if principal.tenants is not None:
            wanted = wanted.where(bulk_templates.c.created_by == principal.actor)
        row = (await transaction.connection.execute(wanted)).one_or_none()
        if row is None:
            raise Problem(Code.NOT_FOUND, f"There is no template {template_id}.")
        await transaction.connection.execute(delete(bulk_templates).where(bulk_templates.c.id == template_id))
        await _note(engine, transaction, principal, "bulk.template_deleted", row)
    return _template(row)


async def _note(engine: Engine, transaction: Any, principal: Principal, action: str, row: Row[Any]) -> None:
    await audit.append(
        transaction,
        engine.store,
        principal,
        action,
        resource=row.resource,
        target=f"template:{row.id}",
        details={"name": row.name, "action": row.action, "filter": row.filter},
    )


def _template(row: Row[Any]) -> Template:
    return Template(
        id=row.id,
        name=row.name,
        resource=read_resource(row.resource),
        action=row.action,
        filter=row.filter,
        params=row.params,
        reason=row.reason,
        created_by=row.created_by,
        created_at=to_datetime(row.created_at),
    )
