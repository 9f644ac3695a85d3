"""On 20,000 items no query reads what an index was made for: SQLite says how it would go about each."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.world import TENANTS, make
from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.enums import SortKey
from quarterdeck.contract.models.bulk import BulkListQuery
from quarterdeck.engine.bulk import lifecycle, service
from quarterdeck.engine.bulk.finding import anything_unfinished
from quarterdeck.engine.idempotency import service as idempotency
from quarterdeck.engine.items.claims import claim_next, give_back_lapsed
from quarterdeck.engine.listing import access
from quarterdeck.engine.listing.selections import forget_expired
from quarterdeck.engine.runs.dispatcher import Dispatcher
from quarterdeck.engine.runs.service import anything_to_do
from quarterdeck.engine.store.store import Store
from quarterdeck.engine.system.service import tenants
from tests.support.desk import ACME, ANA, Desk, make_engine, work_off

COUNT = 20_000
READ = ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT INTO bulk_items", "INSERT INTO item_events")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with many items, some of them claimed."""
    home = make(tmp_path_factory.mktemp("plans") / "home", COUNT)
    with sqlite3.connect(home.store) as connection:
        connection.execute("UPDATE items SET claimed_until = 1 WHERE assignee IS NOT NULL AND id % 100 = 0")
    connection.close()
    return home


@pytest.fixture
async def store(big: Home) -> AsyncIterator[Store]:
    opened = await Store.open(StoreSettings(), big)
    yield opened
    await opened.close()


@pytest.fixture
def store_kind() -> str:
    return "sqlite"


@pytest.fixture
def desk(store: Store, big: Home) -> Desk:
    return Desk(make_engine(store, big))


@contextmanager
def plans(store: Store) -> Iterator[list[str]]:
    """What SQLite would do for every statement of the block: `SCAN items`, `USE TEMP B-TREE …`, a line each."""
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(READ):
            said.append((statement, parameters))

    engines = [store._readers.sync_engine, store._writer.sync_engine]
    for each in engines:
        event.listen(each, "before_cursor_execute", note)
    lines: list[str] = []
    try:
        yield lines
    finally:
        for each in engines:
            event.remove(each, "before_cursor_execute", note)
    with sqlite3.connect(store.address) as connection:
        for statement, parameters in said:
            if isinstance(parameters, list):
                parameters = parameters[0]
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
                lines.append(f"{row[3]}   [{' '.join(statement.split())[:1500]}]")
    connection.close()


def reads_all(lines: list[str]) -> list[str]:
    """Lines that read a whole table row by row, or sort what they find. Reading an index in order is neither."""
    scans = [line for line in lines if line.startswith(("SCAN items", "SCAN runs", "SCAN bulk", "SCAN item_events"))]
    return [line for line in scans if " USING " not in line.split("   [")[0]]


def sorts(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("USE TEMP B-TREE FOR ORDER BY")]


@pytest.mark.parametrize("sort", [sign + key for key in SortKey for sign in ("", "-")])
@pytest.mark.parametrize("filter_", ["", "status:open", "status:open kind:refund", "tenant:acme", "-category:spam"])
async def test_a_page_is_read_in_the_order_of_an_index(
    desk: Desk, filter_: str, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "FEW_ENTRIES", 1_000)
    first = await desk.list(filter_, sort=sort)
    with plans(desk.engine.store) as lines:
        await desk.list(filter_, sort=sort, limit=50)
        await desk.list(filter_, sort=sort, limit=50, cursor=first.next)
        await desk.list(filter_, sort=sort, limit=50, direction="previous")
    assert lines
    assert not sorts(lines), sorts(lines)


@pytest.mark.parametrize("filter_", ["external:T-777", "id:5,6,7", "assignee:nobody", "created:<20m", "-id:1 id:9"])
async def test_few_rows_are_found_by_their_index(desk: Desk, filter_: str) -> None:
    with plans(desk.engine.store) as lines:
        await desk.list(filter_)
        await desk.count(filter_)
    assert not reads_all(lines), reads_all(lines)
    (found,) = [line for line in lines if "items.title" in line and line.startswith("SEARCH items")]
    assert "ix_items_triage" not in found, "the order of the sort key would read the whole queue for a few rows"


@pytest.mark.parametrize("filter_", ["", "status:open", "kind:refund", "assignee:ana", "tenant:acme", "due:<2h"])
async def test_a_count_of_one_key_never_touches_the_table(desk: Desk, filter_: str) -> None:
    with plans(desk.engine.store) as lines:
        await desk.count(filter_)
    assert not reads_all(lines), lines


@pytest.mark.parametrize(
    "filter_",
    ["", "kind:refund", "created:>1h", "tenant:acme", "status:open created:<90d", "due:<9h -category:spam", "order"],
)
async def test_claim_next_reads_the_queue_in_order(desk: Desk, filter_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "FEW_ENTRIES", 1_000)
    with plans(desk.engine.store) as lines:
        await claim_next(desk.engine, ANA, desk.resource, filter_)
        await claim_next(desk.engine, ACME, desk.resource, filter_)
    assert not reads_all(lines), reads_all(lines)
    assert not sorts(lines), sorts(lines)


async def test_the_tenants_are_walked_to_by_their_index(desk: Desk) -> None:
    with plans(desk.engine.store) as lines:
        assert await tenants(desk.engine) == sorted(TENANTS)
    looks = [line for line in lines if " items " in line.split("   [")[0]]
    assert looks
    assert all("ix_items_tenant" in look for look in looks), looks


async def test_what_the_clock_and_the_tray_ask_is_found_at_once(desk: Desk) -> None:
    engine = desk.engine
    dispatcher = Dispatcher(engine)
    ids = await desk.ids("status:open assignee:none", limit=40)
    for category in "ab":
        preview = await desk.draft("set-category", ids, category=category)
        await desk.confirm(preview.operation.id)
    with plans(engine.store) as lines:
        await give_back_lapsed(engine)
        await forget_expired(engine)
        await lifecycle.start_scheduled(engine)
        await dispatcher.rescue()
        await dispatcher._once()
        await dispatcher.stop()
        await anything_to_do(engine)
        await anything_unfinished(engine)
        await service.list_operations(engine, desk.who, BulkListQuery(running=True))
        await desk.draft("set-category", ids, category="x")
        await idempotency.purge(engine)
        await work_off(engine)
        await desk.events_page(ids[0])
    assert not reads_all(lines), reads_all(lines)
    assert any("ix_items_claimed_until" in line for line in lines)
    assert any("ix_runs_later" in line for line in lines)
    assert any("ix_runs_lease" in line for line in lines)
    assert any("ix_bulk_operations_unfinished" in line for line in lines)
    assert any("ix_item_events_item" in line for line in lines)


async def test_a_batch_touches_its_own_rows_only(desk: Desk) -> None:
    ids = await desk.ids("status:open", limit=200)
    preview = await desk.draft("assign", ids, assignee="zoe", batch=50)
    await desk.confirm(preview.operation.id)
    with plans(desk.engine.store) as lines:
        await work_off(desk.engine)
        undo = await desk.undo_bulk(preview.operation.id)
        await desk.confirm(undo.operation.id)
        await work_off(desk.engine)
    assert not reads_all(lines), reads_all(lines)
