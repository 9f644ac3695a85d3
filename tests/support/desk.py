"""An engine without its process: services over a store, and short words for what people do with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from sqlalchemy import Row, select, update

from quarterdeck.config.home import Home
from quarterdeck.config.settings import EngineSettings, Settings
from quarterdeck.contract.enums import Outcome, Resource, Role
from quarterdeck.contract.models import bulk as bulk_models
from quarterdeck.contract.models import items as item_models
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk import drafts, lifecycle, service
from quarterdeck.engine.bulk import ticks as bulk_ticks
from quarterdeck.engine.bulk.batches import QUEUE
from quarterdeck.engine.bulk.tables import bulk_operations
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import subject as letter_subject
from quarterdeck.engine.items import acts, ingest, queries
from quarterdeck.engine.items.listing import ITEMS
from quarterdeck.engine.items.tables import item_events, items
from quarterdeck.engine.listing import counting, selections
from quarterdeck.engine.live.hub import Hub
from quarterdeck.engine.metrics.meter import Meter
from quarterdeck.engine.runs import service as runs
from quarterdeck.engine.runs import subject as run_subject
from quarterdeck.engine.runs.handlers import HANDLERS
from quarterdeck.engine.store.metadata import metadata
from quarterdeck.engine.store.store import Store
from quarterdeck.engine.subjects import subject_of

assert bulk_ticks  # says who carries out batches
assert letter_subject  # say what actions are done to
assert run_subject

SUPPORT, RETURNS, EXCEPTIONS = Resource

ROOT = Principal("root", Role.SUPER_ADMIN)
ANA = Principal("ana", Role.OPERATOR)
BEN = Principal("ben", Role.OPERATOR)
# Sees one tenant only.
ACME = Principal("acme-lead", Role.ADMIN, frozenset({"acme"}))


class Ticks:
    """A clock that never ticks by itself; keeps what it was given."""

    running = True

    def __init__(self) -> None:
        self.ticks: dict[str, Callable[[], Awaitable[None]]] = {}

    def every(self, seconds: float, name: str, tick: Callable[[], Awaitable[None]]) -> None:
        self.ticks[name] = tick

    def at(self, when_ms: int, name: str, tick: Callable[[], Awaitable[None]]) -> None:
        self.ticks[name] = tick

    def start(self) -> None: ...

    async def stop(self) -> None: ...


def make_engine(store: Store, home: Home, **settings: Any) -> Engine:
    """An engine at a desk: nothing happens unless a test does it."""
    chosen = replace(Settings(), engine=EngineSettings(**settings))
    return Engine(chosen, home, store, Hub(), cast(Any, Ticks()), Meter(), ROOT)


@contextmanager
def refused(code: Code, words: str = "") -> Iterator[pytest.ExceptionInfo[Problem]]:
    """The block is refused with `code`, in a sentence that matches `words`."""
    with pytest.raises(Problem, match=words or None) as caught:
        yield caught
    assert caught.value.code is code, caught.value.detail


@dataclass
class Desk:
    """One person, one queue, one engine."""

    engine: Engine
    who: Principal = ROOT
    resource: Resource = SUPPORT

    def by(self, who: Principal) -> Desk:
        return replace(self, who=who)

    def at(self, resource: Resource) -> Desk:
        return replace(self, resource=resource)

    # ----- items

    async def new(self, count: int = 1, **values: Any) -> list[int]:
        """Ids of items made alike, tenant acme where not said otherwise."""
        made = {"tenant_id": "acme", "title": "an item", **values}
        wanted = item_models.NewItems(items=[item_models.NewItem(**made) for _ in range(count)])
        return (await ingest.create_items(self.engine, ROOT, self.resource, wanted)).ids

    async def force(self, ids: Sequence[int] | int, **values: Any) -> None:
        """What no action would do: columns set as they are, unseen by anybody."""
        which = [ids] if isinstance(ids, int) else list(ids)
        async with self.engine.store.write() as transaction:
            await transaction.connection.execute(update(items).where(items.c.id.in_(which)).values(**values))

    async def act(self, item_id: int, verb: str, *, version: int | None = None, **params: Any) -> Any:
        request = item_models.ActionRequest(params=params, version=version)
        return await subject_of(self.resource).act(self.engine, self.who, item_id, verb, request)

    async def undo(self, item_id: int, event_id: int) -> Any:
        return await acts.undo(self.engine, self.who, self.resource, item_id, event_id)

    async def show(self, item_id: int) -> item_models.Item:
        return await queries.show_item(self.engine.store, self.who, self.resource, item_id)

    async def list(self, filter_: str = "", **query: Any) -> item_models.ItemPage:
        asked = item_models.ListQuery(filter=filter_, **query)
        return await queries.list_items(self.engine.store, self.who, self.resource, asked)

    async def ids(self, filter_: str = "", **query: Any) -> list[int]:
        return [item.id for item in (await self.list(filter_, **{"limit": 500, **query})).items]

    async def count(self, filter_: str = "") -> int:
        return (await counting.count(self.engine.store, self.who, ITEMS[self.resource], filter_)).count

    async def row(self, item_id: int) -> dict[str, Any]:
        """Every column."""
        return (await self.rows([item_id]))[item_id]

    async def rows(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        async with self.engine.store.read() as connection:
            found = await connection.execute(select(items).where(items.c.id.in_(list(ids))).order_by(items.c.id))
            return {row.id: dict(row._mapping) for row in found}

    async def events(self, item_id: int) -> Sequence[Row[Any]]:
        """The timeline, oldest first, with every column."""
        async with self.engine.store.read() as connection:
            wanted = select(item_events).where(item_events.c.item_id == item_id).order_by(item_events.c.id)
            return (await connection.execute(wanted)).all()

    async def events_page(self, item_id: int, **query: Any) -> item_models.EventPage:
        """The timeline as the API says it, newest first."""
        asked = item_models.EventsQuery(**query)
        return await queries.timeline(self.engine.store, self.who, self.resource, item_id, asked)

    # ----- bulk

    async def select(
        self, filter_: str = "", except_ids: Sequence[int] = (), boundary: int | None = None
    ) -> item_models.Selection:
        wanted = item_models.NewSelection(filter=filter_, except_ids=list(except_ids), boundary=boundary)
        return await selections.make_selection(self.engine, self.who, ITEMS[self.resource], wanted)

    async def draft(self, verb: str, ids: Sequence[int] | str, *, batch: int | None = None, **new: Any) -> Any:
        """`ids`, or the token of a selection. What is left are members of the request and parameters."""
        members = {name: new.pop(name) for name in ("reason", "run_at") if name in new and verb != "reject"}
        chosen: dict[str, Any] = {"selection": ids} if isinstance(ids, str) else {"ids": list(ids)}
        wanted = bulk_models.NewBulk(**chosen, batch_size=batch, params=new, **members)
        return await drafts.draft(self.engine, self.who, self.resource, verb, wanted)

    async def confirm(self, operation_id: int, count: int | None = None) -> bulk_models.BulkOperation:
        """With the count that a person would have read."""
        if count is None:
            count = (await self.operation(operation_id)).eligible
        return await lifecycle.confirm(self.engine, self.who, operation_id, bulk_models.Confirm(count=count))

    async def bulk(self, verb: str, ids: Sequence[int] | str, **new: Any) -> bulk_models.BulkOperation:
        """Draft, confirm, carried out."""
        preview = await self.draft(verb, ids, **new)
        return await self.finish(preview.operation.id)

    async def finish(self, operation_id: int) -> bulk_models.BulkOperation:
        """Confirm a draft and carry it out."""
        await self.confirm(operation_id)
        await work_off(self.engine)
        return await self.operation(operation_id)

    async def undo_bulk(self, operation_id: int) -> bulk_models.BulkPreview:
        return await drafts.draft_undo(self.engine, self.who, operation_id)

    async def retry_failed(self, operation_id: int) -> bulk_models.BulkPreview:
        return await drafts.draft_retry(self.engine, self.who, operation_id)

    async def operation(self, operation_id: int) -> bulk_models.BulkOperation:
        return (await service.show(self.engine, self.who, operation_id)).operation

    async def results(self, operation_id: int, outcome: Outcome | None = None) -> dict[int, bulk_models.BulkItem]:
        """Per-item results, all pages of them."""
        found: dict[int, bulk_models.BulkItem] = {}
        cursor = None
        while True:
            query = bulk_models.BulkItemsQuery(outcome=outcome, cursor=cursor, limit=100)
            page = await service.list_results(self.engine, self.who, operation_id, query)
            found |= {each.item_id: each for each in page.items}
            cursor = page.next
            if cursor is None:
                return found

    async def operation_row(self, operation_id: int) -> Row[Any]:
        async with self.engine.store.read() as connection:
            wanted = select(bulk_operations).where(bulk_operations.c.id == operation_id)
            return (await connection.execute(wanted)).one()


async def claim_run(engine: Engine) -> runs.Claimed | None:
    """The next run that is due, claimed."""
    async with engine.store.write() as transaction:
        claimed = await runs.claim(engine, transaction, QUEUE, "desk", 1, seconds=30)
    return claimed[0] if claimed else None


async def work_off(engine: Engine, batches: int | None = None) -> int:
    """Carry out what waits, one batch after the other; returns how many that were."""
    done = 0
    while batches is None or done < batches:
        run = await claim_run(engine)
        if run is None:
            return done
        await HANDLERS[run.kind].work(engine, run)
        done += 1
    return done


async def wipe(store: Store) -> None:
    """Every row of every table gone; ids go on."""
    async with store.write() as transaction:
        for table in metadata.sorted_tables:
            await transaction.connection.execute(table.delete())
