"""Selection tokens: all that match a filter as of now, minus exceptions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select

from quarterdeck.contract.clock import HOUR, to_datetime
from quarterdeck.contract.filters import parse
from quarterdeck.contract.models.items import NewSelection, Selection
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.listing.access import for_all, for_count
from quarterdeck.engine.listing.counting import count_all
from quarterdeck.engine.listing.declaration import Listing
from quarterdeck.engine.listing.matching import clauses, read_filter
from quarterdeck.engine.listing.tables import selections
from quarterdeck.engine.store.dialect import Dialect, plain
from quarterdeck.engine.store.store import Transaction


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection read back: what to act on, in SQL."""

    filter: str
    where: list[ColumnElement[bool]]


async def make_selection(engine: Engine, principal: Principal, listing: Listing, wanted: NewSelection) -> Selection:
    filter_ = read_filter(wanted.filter, listing.resource, principal)
    except_ids = sorted(set(wanted.except_ids))
    dialect, key = engine.store.dialect, listing.table.c.id
    async with engine.store.write() as transaction:
        connection = transaction.connection
        newest = (await connection.execute(select(func.max(key)))).scalar() or 0
        boundary = newest if wanted.boundary is None else min(newest, wanted.boundary)
        count = await count_all(connection, dialect, listing, filter_, principal)
        if boundary < newest:  # few have come since, and their ids lead straight to them
            every = [clause.sql(plain) for clause in clauses(listing, filter_, principal, dialect)]
            late = select(func.count()).select_from(listing.table).where(*every, key > boundary)
            count -= (await connection.execute(late)).scalar_one()
        if except_ids:
            where = await for_count(connection, dialect, listing, filter_, principal)
            where += [key.in_(dialect.id_list(except_ids)), plain(key) <= boundary]
            excluded = select(func.count()).select_from(listing.table).where(*where)
            count -= (await connection.execute(excluded)).scalar_one()
        token = secrets.token_urlsafe(18)
        expires = transaction.now + engine.settings.engine.selection_hours * HOUR
        await connection.execute(
            selections.insert(),
            {
                "token": token,
                "resource": str(listing.resource),
                "actor": principal.actor,
                "tenants": None if principal.tenants is None else sorted(principal.tenants),
                "filter": filter_.text,
                "except_ids": except_ids,
                "boundary": boundary,
                "count": count,
                "created_at": transaction.now,
                "expires_at": expires,
            },
        )
    return Selection(
        token=token,
        resource=listing.acted_on,
        filter=filter_.text,
        except_ids=len(except_ids),
        count=count,
        boundary=boundary,
        expires_at=to_datetime(expires),
    )


async def chosen(
    transaction: Transaction, dialect: Dialect, principal: Principal, listing: Listing, token: str
) -> Chosen:
    """Raises Problem(SELECTION_EXPIRED) for a token that is unknown, over, or somebody else's."""
    row = (await transaction.connection.execute(select(selections).where(selections.c.token == token))).one_or_none()
    if row is None or row.expires_at <= transaction.now or row.actor != principal.actor:
        raise Problem(Code.SELECTION_EXPIRED, "This selection has expired; mark the items again.")
    if row.resource != str(listing.resource):
        raise Problem(Code.SELECTION_EXPIRED, f"This selection is of {row.resource}, not of {listing.resource}.")
    where = await for_all(transaction.connection, dialect, listing, parse(row.filter, listing.resource), principal)
    key = listing.table.c.id
    where.append(plain(key) <= row.boundary)
    if row.except_ids:
        where.append(key.not_in(dialect.id_list(row.except_ids)))
    if row.tenants is not None:  # no wider than whoever made it saw
        where.append(plain(listing.table.c.tenant_id).in_(row.tenants))
    return Chosen(row.filter, where)


async def forget_expired(engine: Engine) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(delete(selections).where(selections.c.expires_at <= transaction.now))
