"""No list and no count of machine work reads a table from end to end: SQLite says how it would go about each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from benchmarks.machine_world import KINDS, QUEUES, TENANTS, make
from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.enums import HandlerKind, Role
from quarterdeck.contract.models.dead_letters import DeadLetterListQuery, StatsQuery
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.models.runs import LeaseRequest, LogQuery, RunListQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.dead_letters import figures
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.dead_letters.queries import list_dead_letters, show_dead_letter
from quarterdeck.engine.listing import counting
from quarterdeck.engine.queues.changes import put_queue
from quarterdeck.engine.runs.listing import RUNS
from quarterdeck.engine.runs.queries import list_runs, read_log, show_run
from quarterdeck.engine.runs.service import New, enqueue
from quarterdeck.engine.store.store import Store
from quarterdeck.engine.workers.leasing import lease
from tests.support.desk import ROOT, make_engine
from tests.support.plans import plans, scanned

ONE = Principal("one", Role.ADMIN, frozenset({TENANTS[7]}))
BIG = ("runs", "run_attempts", "run_logs", "dead_letters")
COMMON = (
    "",
    f"tenant:{TENANTS[5]}",
    "error:503",
    f"queue:{QUEUES[1]}",
    f"queue:{QUEUES[1]} error:503 tenant:{TENANTS[5]}",
    "created:<2h",
    "id:5,6,7",
    "class:network",
    '"order"',
    '"nothing has this"',
)
OF_RUNS = (
    *COMMON,
    "status:dead",
    "status:waiting,active",
    f"queue:{QUEUES[1]} status:failed",
    f"tenant:{TENANTS[5]} status:dead kind:{KINDS[0]}",
    f"-status:completed kind:{KINDS[0]}",
    "unique:k",
    "operation:7",
    "attempt:3",
    "worker:nobody",
)
OF_LETTERS = (
    *COMMON,
    "status:pending",
    f"queue:{QUEUES[1]} status:pending",
    f"tenant:{TENANTS[5]} type:refunds.created",
    "group:00000000",
    "run:5",
    "source:evt-7",
)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make(tmp_path_factory.mktemp("plans") / "home", 5_000, 3_000)


@pytest.fixture
async def store(big: Home) -> AsyncIterator[Store]:
    opened = await Store.open(StoreSettings(), big)
    yield opened
    await opened.close()


@pytest.fixture
def store_kind() -> str:
    return "sqlite"


@pytest.fixture
def engine(store: Store, big: Home) -> Engine:
    return make_engine(store, big)


def from_end_to_end(lines: list[str]) -> list[str]:
    """A page in the order of the rows themselves stops at its limit; one that is sorted does not."""
    scans = [line for line in scanned(lines, *BIG) if " USING " not in line.split("   [")[0]]
    sorts = any(line.startswith("USE TEMP B-TREE FOR ORDER BY") for line in lines)
    return [line for line in scans if sorts or "LIMIT" not in line]


@pytest.mark.parametrize("who", [ROOT, ONE], ids=["all", "one"])
@pytest.mark.parametrize("filter_", OF_RUNS)
async def test_runs_are_listed_and_counted(engine: Engine, filter_: str, who: Principal) -> None:
    with plans(engine.store) as lines:
        first = await list_runs(engine, who, RunListQuery(filter=filter_, limit=20))
        if first.next:
            await list_runs(engine, who, RunListQuery(filter=filter_, limit=20, cursor=first.next))
        await list_runs(engine, who, RunListQuery(filter=filter_, limit=20, direction="previous"))
        await counting.count(engine.store, who, RUNS, filter_)
    assert lines
    assert not from_end_to_end(lines), from_end_to_end(lines)


@pytest.mark.parametrize("who", [ROOT, ONE], ids=["all", "one"])
@pytest.mark.parametrize("filter_", OF_LETTERS)
async def test_dead_letters_are_listed_counted_and_grouped(engine: Engine, filter_: str, who: Principal) -> None:
    with plans(engine.store) as lines:
        first = await list_dead_letters(engine, who, DeadLetterListQuery(filter=filter_, limit=20))
        if first.next:
            await list_dead_letters(engine, who, DeadLetterListQuery(filter=filter_, limit=20, cursor=first.next))
        await counting.count(engine.store, who, DEAD_LETTERS, filter_)
        await figures.groups(engine, who, filter_)
    assert lines
    assert not from_end_to_end(lines), from_end_to_end(lines)


async def test_one_of_them_is_shown(engine: Engine) -> None:
    with plans(engine.store) as lines:
        await show_run(engine, ROOT, 5)
        await read_log(engine, ROOT, 5, LogQuery())
        await show_dead_letter(engine, ROOT, 5)
    assert not scanned(lines, *BIG), lines


async def test_what_is_told_of_all_of_them_is_counted_elsewhere(engine: Engine) -> None:
    with plans(engine.store) as lines:
        for listing in (RUNS, DEAD_LETTERS):
            await counting.facets(engine.store, ROOT, listing)
        for period in ("hour", "day", "month"):
            await figures.stats(engine, ROOT, StatsQuery(period=period))  # type: ignore[arg-type]
    assert not from_end_to_end(lines), from_end_to_end(lines)


async def test_a_worker_of_some_kinds_does_not_step_over_the_others(engine: Engine) -> None:
    await put_queue(engine, ROOT, "kinds", QueueSettings(handler=HandlerKind.WORKER))
    async with engine.store.write() as transaction:
        await enqueue(engine, transaction, [New("kinds", "many", "acme") for _ in range(500)])
        ids = (await enqueue(engine, transaction, [New("kinds", kind, "acme") for kind in "aba"])).ids
    with plans(engine.store) as lines:
        found = await lease(engine, ROOT, "kinds", LeaseRequest(worker="w-1", count=2, kinds=["b", "a"]))
    assert [run.id for run in found.items] == ids[:2]
    reads = [line for line in lines if line.startswith("SEARCH runs USING") and "ix_runs_waiting" in line]
    assert reads
    assert all("ix_runs_waiting_kind (queue=? AND kind=?)" in line for line in reads), reads
    assert not scanned(lines, "runs"), lines
