"""Policies, items that enter, and what their clocks say, in short words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.contract.clock import from_iso, to_datetime
from quarterdeck.contract.enums import SlaTarget
from quarterdeck.contract.models.items import NewItem, NewItems
from quarterdeck.contract.models.sla import NewPolicy, PolicySettings, ReplayRequest
from quarterdeck.engine.items import ingest
from quarterdeck.engine.items.tables import item_events
from quarterdeck.engine.sla import lists, policies, proving
from tests.support.desk import Desk

MONDAY = from_iso("2026-11-23T09:00:00Z")
FIRST, DONE = SlaTarget.FIRST_RESPONSE, SlaTarget.RESOLUTION
TARGETS = [
    {"priority": "urgent", "first_response_minutes": 15, "resolution_minutes": 120},
    {"priority": "normal", "first_response_minutes": 60, "resolution_minutes": 480},
]
OFFICE = {
    "timezone": "UTC",
    "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "end": "17:00"}],
}


class Time:
    """The engine's own, which stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> int:
        return self.now

    def pass_(self, milliseconds: int) -> None:
        self.now += milliseconds


async def promise(desk: Desk, **settings: Any) -> int:
    """A policy for every item of the queue; its id."""
    named = {key: settings.pop(key) for key in ("tenant_id", "kind", "effective_from") if key in settings}
    made = PolicySettings(**{"targets": TARGETS, **settings})
    new = NewPolicy(name="Standard", resource=desk.resource, settings=made, **named)
    return (await policies.create_policy(desk.engine, desk.who, new)).id


async def enter(desk: Desk, count: int = 1, **values: Any) -> list[int]:
    made = {"tenant_id": "acme", "kind": "question", "title": "Where is it?", **values}
    wanted = NewItems(items=[NewItem(**made) for _ in range(count)])
    return (await ingest.create_items(desk.engine, desk.who, desk.resource, wanted)).ids


async def clocks(desk: Desk, item_id: int) -> dict[SlaTarget, Any]:
    found = await lists.item_clocks(desk.engine, desk.who, desk.resource, item_id)
    return {each.target: each for each in found.clocks}


async def due(desk: Desk, item_id: int) -> str | None:
    found = (await desk.show(item_id)).sla_due_at
    return None if found is None else found.strftime("%a %H:%M")


async def lines(desk: Desk, item_id: int) -> list[tuple[str, str]]:
    """What clocks have written, with the time of each line."""
    query = select(item_events).where(item_events.c.item_id == item_id, item_events.c.type.like("sla%"))
    async with desk.engine.store.read() as connection:
        rows = await connection.execute(query.order_by(item_events.c.at, item_events.c.id))
        return [(to_datetime(row.at).strftime("%a %H:%M"), row.type.removeprefix("sla_")) for row in rows]


async def differing(desk: Desk, *, write: bool = False) -> int:
    asked = ReplayRequest(resource=desk.resource, write=write)
    return (await proving.replay(desk.engine, desk.who, asked)).differing
