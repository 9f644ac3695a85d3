"""Clocks beside their items: what is due soon, what was broken, and the clocks of one item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, TextClause, and_, func, or_, select, text

from quarterdeck.contract.clock import MINUTE, now_ms, to_datetime, to_ms
from quarterdeck.contract.enums import EscalationAct, EscalationDoes, Priority, Resource, SlaTarget
from quarterdeck.contract.models.sla import (
    BreachQuery,
    ClockPage,
    ClockQuery,
    ClockRow,
    EscalationStep,
    ItemClocks,
    Suggestion,
)
from quarterdeck.contract.models.sla import Clock as Shown
from quarterdeck.contract.principal import Principal
from quarterdeck.engine import cursors
from quarterdeck.engine.core import Engine
from quarterdeck.engine.items.queries import find_item
from quarterdeck.engine.items.tables import items
from quarterdeck.engine.sla.clockwork import Clock, advance, moment_of, used
from quarterdeck.engine.sla.escalation import why
from quarterdeck.engine.sla.figures import first_of
from quarterdeck.engine.sla.following import watched
from quarterdeck.engine.sla.policies import Version
from quarterdeck.engine.sla.scope import narrowed
from quarterdeck.engine.sla.tables import BROKEN, RUNNING, sla_breaches, sla_clocks

_C = sla_clocks.c


async def at_risk(engine: Engine, principal: Principal, query: ClockQuery) -> ClockPage:
    """Clocks that run and are due soon by their policies, the nearest first."""
    now = now_ms()
    soon = (text(RUNNING), _C.due_at >= now, _C.soon_at <= now)
    return await _page(engine, principal, query, sla_clocks, _C.due_at, soon, latest_first=False)


async def breaches(engine: Engine, principal: Principal, query: BreachQuery) -> ClockPage:
    """Promises that were broken, the latest first, whether their items are done by now or not."""
    at = sla_breaches.c.breached_at
    end = now_ms() if query.end is None else to_ms(query.end)
    of_a_time = [at < end] if query.end is not None else []
    of_a_time += [at >= first_of(query.days, end)] if query.days is not None else []
    return await _page(engine, principal, query, sla_breaches, at, of_a_time, latest_first=True)


async def pressing(engine: Engine, principal: Principal) -> dict[Resource, tuple[int, int]]:
    """How many items of each queue are due soon, and how many are late and not done. An item that is done or in the
    bin has no clock that runs, so the items themselves are not read."""

    async def counted(table: Table, *which: ColumnElement[bool] | TextClause) -> dict[str, int]:
        found = select(table.c.resource, func.count(table.c.item_id.distinct()).label("number"))
        found = found.where(*which, *narrowed(principal, ClockQuery(), table)).group_by(table.c.resource)
        return {row.resource: row.number for row in await connection.execute(found)}

    now = now_ms()
    async with engine.store.read() as connection:
        soon = await counted(sla_clocks, text(RUNNING), _C.soon_at <= now, _C.due_at >= now)
        late = await counted(sla_breaches, text(BROKEN))
    return {each: (soon.get(str(each), 0), late.get(str(each), 0)) for each in Resource}


async def item_clocks(engine: Engine, principal: Principal, resource: Resource, item_id: int) -> ItemClocks:
    """Raises Problem(NOT_FOUND)."""
    now = now_ms()
    async with engine.store.read() as connection:
        item = await find_item(connection, principal, resource, item_id)
        found = await watched(connection, items.c.id == item_id)
    if not found:
        return ItemClocks(clocks=[], suggestions=[])
    (mine,) = found
    clocks = [advance(each, now)[0] for each in mine.clocks]
    return ItemClocks(
        clocks=[shown(each, mine.version, now) for each in clocks],
        suggestions=[made for each in clocks for made in _suggestions(each, mine.version, item, now)],
    )


def shown(clock: Clock, version: Version, now: int) -> Shown:
    def at(moment: int | None) -> Any:
        return None if moment is None else to_datetime(moment)

    return Shown(
        target=clock.target,
        state=clock.state,
        policy_id=version.policy_id,
        policy=version.name,
        policy_version=version.number,
        started_at=to_datetime(clock.started_at),
        target_minutes=None if clock.total is None else clock.total // MINUTE,
        used_minutes=round(used(version.rules, clock, now) / MINUTE, 3),
        due_at=at(clock.due_at),
        breached_at=at(clock.breached_at),
        ended_at=at(clock.ended_at),
    )


def _suggestions(clock: Clock, version: Version, item: Row[Any], now: int) -> list[Suggestion]:
    """What steps of the escalation suggest whose time has come, as long as it is not so already."""
    found = []
    for step in version.rules.steps[clock.target]:
        moment = moment_of(version.rules, clock, step.percent)
        if moment is None or moment >= now or step.does is EscalationDoes.DO:
            continue
        made = _suggestion(step, item)
        if made is not None and made not in found:
            found.append(made)
    return found


def _suggestion(step: EscalationStep, item: Row[Any]) -> Suggestion | None:
    if step.act is EscalationAct.RAISE_PRIORITY and item.priority > 0:
        higher = str(Priority.of_rank(item.priority - 1))
        return Suggestion(verb="set-priority", params={"priority": higher}, why=why(step))
    if step.act is EscalationAct.ASSIGN and item.assignee != step.assignee:
        return Suggestion(verb="assign", params={"assignee": str(step.assignee)}, why=why(step))
    if step.act is EscalationAct.NOTIFY:
        return Suggestion(verb="comment", params={"body": why(step)}, why=why(step))
    return None


async def _page(
    engine: Engine,
    principal: Principal,
    query: ClockQuery,
    table: Table,
    moment: ColumnElement[Any],
    which: Sequence[ColumnElement[bool] | TextClause],
    *,
    latest_first: bool,
) -> ClockPage:
    key = (moment, table.c.item_id, table.c.target)
    asked: Select[Any] = (
        select(
            table,
            items.c.kind,
            items.c.title,
            items.c.status,
            items.c.assignee,
            moment.label("moment"),
        )
        .select_from(table.join(items, items.c.id == table.c.item_id))
        .where(*which, *narrowed(principal, query, table), items.c.deleted_at.is_(None))
        .limit(query.limit + 1)
    )
    if query.cursor is not None:
        asked = asked.where(_beyond(key, query.cursor, latest_first))
    asked = asked.order_by(*(column.desc() if latest_first else column for column in key))
    async with engine.store.read() as connection:
        rows = (await connection.execute(asked)).all()
    page = rows[: query.limit]
    following = None
    if len(rows) > query.limit:
        last = page[-1]
        following = cursors.encode(last.moment, last.item_id, list(SlaTarget).index(SlaTarget(last.target)))
    return ClockPage(items=[_row(row) for row in page], next=following)


def _beyond(key: tuple[ColumnElement[Any], ...], cursor: str, latest_first: bool) -> ColumnElement[bool]:
    moment, item_id, number = cursors.decode_ids(cursor, 3)
    if not 0 <= number < len(SlaTarget):
        raise cursors.invalid()
    last = (moment, item_id, str(list(SlaTarget)[number]))

    def after(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
        beyond: ColumnElement[bool] = column < value if latest_first else column > value
        return beyond

    first, second, third = key
    return or_(
        after(first, last[0]),
        and_(first == last[0], after(second, last[1])),
        and_(first == last[0], second == last[1], after(third, last[2])),
    )


def _row(row: Row[Any]) -> ClockRow:
    return ClockRow(
        item_id=row.item_id,
        resource=Resource(row.resource),
        tenant_id=row.tenant_id,
        kind=row.kind,
        title=row.title,
        status=row.status,
        priority=Priority.of_rank(row.priority),
        assignee=row.assignee,
        target=SlaTarget(row.target),
        at=to_datetime(row.moment),
        ended_at=None if row.ended_at is None else to_datetime(row.ended_at),
    )
