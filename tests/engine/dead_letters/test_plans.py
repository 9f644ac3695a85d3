"""Lists, counts and bulk work reach dead letters and runs by their indexes: SQLite says how it would go about each."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from benchmarks.machine_world import KINDS, QUEUES, TENANTS, make
from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.enums import Role
from quarterdeck.contract.models.bulk import Confirm
from quarterdeck.contract.models.dead_letters import RetryBatch, StatsQuery
from quarterdeck.contract.models.runs import RunListQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.bulk import lifecycle
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import expiry, figures, queries, service
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.listing import access, counting
from quarterdeck.engine.runs.listing import RUNS
from quarterdeck.engine.runs.queries import list_runs
from quarterdeck.engine.store.store import Store
from tests.engine.dead_letters import morgue
from tests.support.desk import ROOT, make_engine, work_off
from tests.support.plans import plans, scanned

ONE = Principal("one", Role.ADMIN, frozenset({TENANTS[7]}))
BIG = ("runs", "run_attempts", "run_logs", "dead_letters ", "dead_letters", "items", "item_events", "bulk_items")
LETTERS = (
    "",
    "status:pending",
    "status:pending,retrying",
    f"queue:{QUEUES[1]} status:pending",
    f"tenant:{TENANTS[5]}",
    "error:429 class:rate_limit",
    "created:<1d",
    "created:>30d status:pending",
    "id:5",
    "run:5",
    "-status:pending",
    "customer",
)
WORK = (
    "",
    "status:dead",
    f"queue:{QUEUES[1]} status:failed,dead",
    f"tenant:{TENANTS[5]} kind:{KINDS[1]}",
    "error:503",
    "created:<1h",
    "status:completed created:>1d",
    "operation:7",
    "attempt:3",
    "customer",
)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Home:
    # In a thread of its own: it brings its own event loop.
    return make(tmp_path_factory.mktemp("plans") / "home", 5_000, 2_000)


@pytest.fixture
async def store(big: Home) -> AsyncIterator[Store]:
    opened = await Store.open(StoreSettings(), big)
    yield opened
    await opened.close()


@pytest.fixture
def store_kind() -> str:
    return "sqlite"


@pytest.fixture
def engine(store: Store, big: Home, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(access, "FEW_ENTRIES", 100)
    monkeypatch.setattr(access, "SOME_ENTRIES", 400)
    return make_engine(store, big)


def reads_all(lines: list[str]) -> list[str]:
    """Whole tables, row by row; reading in the order of an index, or of ids, until there are enough is not that."""
    found = [line.split("   [") for line in scanned(lines, *BIG)]
    in_order = re.compile(r"FROM (\w+)( WHERE \1\.tenant_id IN \([^)]*\))? ORDER BY \1\.id( DESC)? LIMIT")
    return [f"{what}: {how}" for what, how in found if " USING " not in what and not in_order.search(how)]


def sorts(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("USE TEMP B-TREE FOR ORDER BY")]


@pytest.mark.parametrize("who", [ROOT, ONE], ids=["all", "one"])
@pytest.mark.parametrize("filter_", LETTERS)
async def test_dead_letters_are_listed_by_their_indexes(engine: Engine, filter_: str, who: Principal) -> None:
    with plans(engine.store) as lines:
        await morgue.page(engine, filter_, who, limit=20)
        await morgue.page(engine, filter_, who, limit=20, sort="created")
        await counting.count(engine.store, who, DEAD_LETTERS, filter_)
        await figures.groups(engine, who, filter_)
    assert lines
    assert not reads_all(lines), reads_all(lines)


@pytest.mark.parametrize("who", [ROOT, ONE], ids=["all", "one"])
@pytest.mark.parametrize("filter_", WORK)
async def test_runs_are_listed_by_their_indexes(engine: Engine, filter_: str, who: Principal) -> None:
    with plans(engine.store) as lines:
        await list_runs(engine, who, RunListQuery(filter=filter_, limit=20))
        await list_runs(engine, who, RunListQuery(filter=filter_, limit=20, sort="created"))
        await counting.count(engine.store, who, RUNS, filter_)
    assert lines
    assert not reads_all(lines), reads_all(lines)


@pytest.mark.parametrize("filter_", ["", "status:pending", f"queue:{QUEUES[1]}"])
async def test_a_page_comes_in_the_order_of_an_index(engine: Engine, filter_: str) -> None:
    with plans(engine.store) as lines:
        await morgue.page(engine, filter_, limit=20)
        await list_runs(engine, ROOT, RunListQuery(filter=filter_.replace("pending", "dead"), limit=20))
    assert not sorts(lines), sorts(lines)


@pytest.mark.parametrize("who", [ROOT, ONE], ids=["all", "one"])
async def test_figures_are_read_from_tallies(engine: Engine, who: Principal) -> None:
    with plans(engine.store) as lines:
        await figures.stats(engine, who, StatsQuery())
        await figures.groups(engine, who, "")
        await figures.groups(engine, who, "status:pending")
        await counting.count(engine.store, who, DEAD_LETTERS, "status:pending")
        await counting.count(engine.store, who, RUNS, "status:dead")
    assert not [line for line in lines if " runs" in line.split("   [")[0]], lines
    with plans(engine.store) as lines:
        await counting.facets(engine.store, who, RUNS)
        await queries.show_dead_letter(engine, ROOT, 1)
    assert not reads_all(lines), reads_all(lines)


async def test_a_batch_touches_its_own_rows_only(engine: Engine) -> None:
    draft = await service.retry_batch(
        engine, ROOT, RetryBatch(ids=await morgue.ids(engine, "status:pending", limit=50))
    )
    with plans(engine.store) as lines:
        await lifecycle.confirm(engine, ROOT, draft.operation.id, Confirm(count=draft.operation.eligible))
        await work_off(engine)
        await expiry.expire(engine)
        await morgue.end_retry_of_any(engine)
    assert not reads_all(lines), reads_all(lines)


async def test_one_action_finds_its_row(engine: Engine) -> None:
    (first, second) = (await morgue.ids(engine, "status:pending", limit=50))[:2]
    with plans(engine.store) as lines:
        await morgue.act(engine, "retry", first)
        await morgue.act(engine, "discard", second, reason="x")
        dead = await list_runs(engine, ROOT, RunListQuery(filter="status:dead", limit=1))
        await morgue.act_on_run(engine, "retry", dead.items[0].id)
    assert not reads_all(lines), reads_all(lines)
