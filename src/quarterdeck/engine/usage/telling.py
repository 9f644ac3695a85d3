"""Usage as it is told: totals, rows over time in pages, and the same as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Text, and_, case, cast, func, literal, or_, select

from quarterdeck.contract.clock import DAY, now_ms, to_datetime
from quarterdeck.contract.enums import UsageStep
from quarterdeck.contract.models.usage import (
    UsageDetailsQuery,
    UsageExportQuery,
    UsagePage,
    UsageRow,
    UsageSpan,
    UsageSummary,
    UsageTotal,
)
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.cursors import decode, encode, invalid
from quarterdeck.engine.items.export import csv_line
from quarterdeck.engine.store.store import Store
from quarterdeck.engine.usage.against import against_limits
from quarterdeck.engine.usage.spans import floor, narrowed, span, start_of, table_of, windows
from quarterdeck.engine.usage.tables import usage_days

COLUMNS = ("start", "tenant_id", "resource_type", "quantity")


async def summary(engine: Engine, principal: Principal, query: UsageSpan) -> UsageSummary:
    since, until = span(query, UsageStep.DAY)
    columns = usage_days.c
    now, before = (
        cast(func.coalesce(func.sum(case((condition, columns.quantity))), 0), BigInteger)
        for condition in (columns.at >= since, columns.at < since)
    )
    wanted = (
        select(columns.resource_type, now.label("now"), before.label("before"))
        .where(*narrowed(usage_days, principal, query), columns.at >= since - (until - since), columns.at < until)
        .group_by(columns.resource_type)
        .order_by(columns.resource_type)
    )
    async with engine.store.read() as connection:
        totals = [
            UsageTotal(resource_type=row.resource_type, quantity=row.now, previous=row.before)
            for row in await connection.execute(wanted)
        ]
        limits = await against_limits(connection, principal, query)
    return UsageSummary(since=to_datetime(since), until=to_datetime(until), totals=totals, limits=limits)


async def details(engine: Engine, principal: Principal, query: UsageDetailsQuery) -> UsagePage:
    after = None if query.cursor is None else _read_cursor(query.cursor)
    found: list[Row[Any]] = []
    async for rows in _rows(engine.store, principal, query, query.step, query.by_tenant, after, query.limit + 1):
        found += rows
        if len(found) > query.limit:
            break
    page = found[: query.limit]
    more = len(found) > query.limit
    following = encode(page[-1].start, page[-1].tenant_id, page[-1].resource_type) if more else None
    return UsagePage(items=[_row(row, query.by_tenant) for row in page], next=following)


def export(engine: Engine, principal: Principal, query: UsageExportQuery) -> AsyncIterator[bytes]:
    """Raises Problem(INVALID_INPUT) before the first byte; also where a part of the time would be missing, since bills
    are made from this."""
    since, _ = span(query, query.step)
    days = engine.settings.usage.minute_days
    kept = floor(now_ms() - days * DAY, query.step)
    if table_of(query.step) is not usage_days and since < kept:
        why = f"is more than {days} days ago, and {query.step}s are kept no longer; days are, for ever"
        raise Problem(Code.INVALID_INPUT, f"since {why}.", errors=(("/query/since", why),))
    rows = _rows(engine.store, principal, query, query.step, query.by_tenant)
    return _csv(rows, query.by_tenant) if query.format == "csv" else _json(rows, query.by_tenant)


async def _rows(
    store: Store,
    principal: Principal,
    query: UsageSpan,
    step: UsageStep,
    by_tenant: bool,
    after: tuple[int, str, str] | None = None,
    limit: int | None = None,
) -> AsyncIterator[list[Row[Any]]]:
    """In parts: the newest step first, in it by tenant and resource type."""
    table = table_of(step)
    since, until = span(query, step)
    async with store.read() as connection:  # nothing is looked for before there was anything
        first = (await connection.execute(select(func.min(table.c.at)))).scalar()
    if first is None:
        return
    for start, end in windows(max(since, floor(first, step)), until, step):
        if after is not None and start > after[0]:
            continue
        tenant: ColumnElement[str] = table.c.tenant_id if by_tenant else literal("", Text)
        each = (
            select(
                start_of(table.c.at, step, start, end).label("start"),
                tenant.label("tenant_id"),
                table.c.resource_type,
                table.c.quantity,
            )
            .where(*narrowed(table, principal, query), table.c.at >= start, table.c.at < end)
            .subquery()
        )
        key = (each.c.start, each.c.tenant_id, each.c.resource_type)
        wanted = (
            select(*key, cast(func.sum(each.c.quantity), BigInteger).label("quantity"))
            .group_by(*key)
            .order_by(each.c.start.desc(), each.c.tenant_id, each.c.resource_type)
            .limit(limit)
        )
        if after is not None:
            wanted = wanted.where(_beyond(key, after))
        async with store.read() as connection:
            rows = list((await connection.execute(wanted)).all())
        if rows:
            yield rows


def _beyond(key: tuple[ColumnElement[Any], ...], after: tuple[int, str, str]) -> ColumnElement[bool]:
    start, tenant, kind = key
    return or_(
        start < after[0],
        and_(start == after[0], or_(tenant > after[1], and_(tenant == after[1], kind > after[2]))),
    )


def _read_cursor(cursor: str) -> tuple[int, str, str]:
    match decode(cursor):
        case [int(start), str(tenant), str(kind)] if 0 <= start < 2**53 and "\0" not in tenant + kind:
            return start, tenant, kind
    raise invalid()


def _row(row: Row[Any], by_tenant: bool) -> UsageRow:
    return UsageRow(
        start=to_datetime(row.start),
        tenant_id=row.tenant_id if by_tenant else None,
        resource_type=row.resource_type,
        quantity=row.quantity,
    )


async def _csv(parts: AsyncIterator[list[Row[Any]]], by_tenant: bool) -> AsyncIterator[bytes]:
    columns = [name for name in COLUMNS if by_tenant or name != "tenant_id"]
    yield csv_line(columns)
    async for rows in parts:
        told = (_row(row, by_tenant).model_dump(mode="json") for row in rows)
        yield b"".join(csv_line([each[name] for name in columns]) for each in told)


async def _json(parts: AsyncIterator[list[Row[Any]]], by_tenant: bool) -> AsyncIterator[bytes]:
    opening = b"[\n"
    async for rows in parts:
        yield opening + b",\n".join(_row(row, by_tenant).model_dump_json().encode() for row in rows)
        opening = b",\n"
    yield b"\n]\n" if opening == b",\n" else b"[]\n"
