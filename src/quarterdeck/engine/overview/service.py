"""The parts of the overview. Each is read by the capability it is of; one that fails leaves the others as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from quarterdeck.contract.clock import now_ms, to_datetime
from quarterdeck.contract.enums import Condition, Resource
from quarterdeck.contract.models.bulk import BulkListQuery
from quarterdeck.contract.models.overview import (
    BulkNow,
    ConditionsNow,
    KeptPromises,
    OpenItems,
    Overview,
    PartFailed,
    Unwell,
)
from quarterdeck.contract.models.queues import Queue
from quarterdeck.contract.models.workers import WorkerInstance
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.transitions import open_filter
from quarterdeck.engine.alerts.firing import firing
from quarterdeck.engine.bulk.service import list_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters.figures import lately
from quarterdeck.engine.http.failures import explain
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.listing.counting import count
from quarterdeck.engine.overview.keeping import figures_of
from quarterdeck.engine.queues.figures import list_queues
from quarterdeck.engine.sla.figures import days_kept, judged
from quarterdeck.engine.sla.lists import pressing
from quarterdeck.engine.workers.overview import health

Value = TypeVar("Value")
_MOST = 10
_DAYS = 7


async def show(engine: Engine, principal: Principal) -> Overview:
    ages = [0.0]
    parts: dict[str, Awaitable[Any]] = {
        "items": _items(engine, principal, ages),
        "promises": _promises(engine, principal, ages),
        "dead_letters": lately(engine, principal),
        "alerts": firing(engine, principal),
        "workers": _workers(engine),
        "queues": _queues(engine, principal),
        "bulk": _bulk(engine, principal),
    }
    answers = await asyncio.gather(*parts.values(), return_exceptions=True)
    found: dict[str, Any] = {}
    failed = []
    for part, answer in zip(parts, answers, strict=True):
        if isinstance(answer, Exception):
            why = explain(answer, f"Reading the {part.replace('_', ' ')} of the overview").detail
            failed.append(PartFailed(part=part, why=why))
        elif isinstance(answer, BaseException):
            raise answer
        found[part] = None if isinstance(answer, Exception) else answer
    return Overview(at=to_datetime(now_ms()), age_seconds=round(max(ages), 3), failed=failed, **found)


async def _items(engine: Engine, principal: Principal, ages: list[float]) -> list[OpenItems]:
    """What is open is counted as the queues themselves count what a filter shows."""

    async def kept(key: str, work: Callable[[], Awaitable[Value]]) -> Value | None:
        found, age = await figures_of(engine).get((key, principal.tenants), work)
        ages.append(age)
        return found

    async def open_(resource: Resource) -> int:
        return (await count(engine.store, principal, ITEMS[resource], open_filter(resource))).count

    numbers = asyncio.gather(*(kept(f"open {each}", partial(open_, each)) for each in Resource))
    pressed = await kept("pressing", lambda: pressing(engine, principal))
    found = []
    for each, number in zip(Resource, await numbers, strict=True):
        soon, late = (None, None) if pressed is None else pressed[each]
        found.append(OpenItems(resource=each, open=number, due_soon=soon, breached=late))
    return found


async def _promises(engine: Engine, principal: Principal, ages: list[float]) -> KeptPromises:
    found, age = await figures_of(engine).get(
        ("promises", principal.tenants), lambda: days_kept(engine, principal, _DAYS)
    )
    ages.append(age)
    if found is None:
        return KeptPromises(day=None, week=None, days=None)
    day, days = found
    week = judged(sum(each.met for each in days), sum(each.breached for each in days))
    return KeptPromises(day=day, week=week, days=days)


async def _workers(engine: Engine) -> ConditionsNow:
    return _conditions((each, each.why) for each in (await health(engine)).instances)


async def _queues(engine: Engine, principal: Principal) -> ConditionsNow:
    return _conditions((each, next(iter(each.why), None)) for each in (await list_queues(engine, principal)).items)


def _conditions(found: Iterable[tuple[Queue | WorkerInstance, str | None]]) -> ConditionsNow:
    order = list(Condition)
    unwell = []
    counts = dict.fromkeys(order, 0)
    for each, why in found:
        counts[each.condition] += 1
        if each.condition is not Condition.HEALTHY:
            unwell.append(Unwell(name=each.name, condition=each.condition, why=why))
    unwell.sort(key=lambda each: order.index(each.condition), reverse=True)
    return ConditionsNow(
        healthy=counts[Condition.HEALTHY],
        degraded=counts[Condition.DEGRADED],
        unhealthy=counts[Condition.UNHEALTHY],
        unwell=unwell[:_MOST],
    )


async def _bulk(engine: Engine, principal: Principal) -> BulkNow:
    page = await list_operations(engine, principal, BulkListQuery(running=True, limit=_MOST))
    return BulkNow(operations=page.items, more=page.next is not None)
