"""No figure is made by reading runs or dead letters: SQLite says how it would go about each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from benchmarks.machine_world import KINDS, QUEUES, make
from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.enums import Role, Window
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.models.workers import SeriesQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes, figures
from quarterdeck.engine.series import charts, upkeep
from quarterdeck.engine.store.store import Store
from tests.support.desk import ROOT, make_engine
from tests.support.plans import plans, scanned

ONE = Principal("one", Role.ADMIN, frozenset({"tenant-07"}))
BIG = ("runs", "run_attempts", "run_logs", "dead_letters")
BUCKETS = ("run_counts", "run_latencies", "run_errors")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Home:
    # In a thread of its own: it brings its own event loop.
    return make(tmp_path_factory.mktemp("plans") / "home", 5_000, 500)


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


@pytest.mark.parametrize("who", [ROOT, ONE], ids=["all", "one"])
async def test_queues_are_told_without_reading_runs(engine: Engine, who: Principal) -> None:
    with plans(engine.store) as lines:
        found = await figures.list_queues(engine, who)
        await figures.show_queue(engine, who, QUEUES[0])
    assert sum(queue.waiting for queue in found.items) > 0
    assert any(queue.oldest_waiting_at for queue in found.items)
    assert not scanned(lines, *BIG, *BUCKETS), lines
    assert any("ix_runs_waiting" in line for line in lines), lines


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("narrow", [{}, {"queue": QUEUES[3]}, {"kind": KINDS[1]}, {"tenant": "tenant-08"}])
async def test_charts_read_one_stretch_of_the_buckets(engine: Engine, window: Window, narrow: dict[str, str]) -> None:
    query = SeriesQuery(window=window, **narrow)  # type: ignore[arg-type]
    with plans(engine.store) as lines:
        for who in (ROOT, ONE):
            await charts.throughput(engine, who, query)
            await charts.latency(engine, who, query)
            await charts.errors(engine, who, query)
    assert not scanned(lines, *BIG, *BUCKETS), lines
    looks = [line for line in lines if line.startswith("SEARCH run_")]
    assert looks
    assert all("tenant_id=? AND step=? AND whole=? AND at>?" in look for look in looks if "run_tallies" not in look), (
        looks
    )


async def test_upkeep_reads_only_what_it_drops(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WORTHWHILE", 0)
    with plans(engine.store) as lines:
        await upkeep.sum_up(engine)
        await upkeep.drop_old(engine)
    assert not scanned(lines, *BIG), lines
    dropped = [line for line in lines if "[DELETE FROM run_" in line and "run_tallies" not in line]
    assert dropped
    assert all("tenant_id=? AND step=? AND whole=? AND at<?" in line for line in dropped), dropped
    # The tenants are stepped to: each step reads the first row of what is left.
    assert all("LIMIT" in line for line in scanned(lines, *BUCKETS)), lines


async def test_changes_of_a_queue_read_no_runs(engine: Engine) -> None:
    with plans(engine.store) as lines:
        await changes.put_queue(engine, ROOT, "short-lived", QueueSettings())
        await changes.delete_queue(engine, ROOT, "short-lived")
    assert not scanned(lines, *BIG), lines


async def test_as_long_as_little_comes_the_counts_are_left_alone(engine: Engine) -> None:
    await upkeep.sum_up(engine)
    with plans(engine.store) as lines:
        await upkeep.sum_up(engine)
    assert lines
    assert not scanned(lines, "run_tallies", "dead_letter_tallies"), lines
