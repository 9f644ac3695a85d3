"""Charts say what happened, in their steps, to whom it concerns."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from quarterdeck.contract.clock import HOUR, MINUTE
from quarterdeck.contract.enums import Role, Window
from quarterdeck.contract.models.workers import SeriesQuery
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.series import charts, reading
from tests.support.counted import attempts, waiting
from tests.support.desk import ACME, ROOT


def query(window: Window = Window.HOUR, **narrow: Any) -> SeriesQuery:
    return SeriesQuery(window=window, **narrow)


@pytest.mark.parametrize(("window", "steps", "seconds"), [("5m", 5, 60), ("1h", 60, 60), ("24h", 96, 900)])
async def test_each_window_has_its_steps(engine: Engine, window: Window, steps: int, seconds: int) -> None:
    await attempts(engine.store, completed=3)
    found = await charts.throughput(engine, ROOT, query(Window(window)))
    assert (len(found.points), found.step_seconds) == (steps, seconds)
    assert sum(point.completed for point in found.points[-2:]) == 3  # a step may have begun meanwhile
    between = {(later.at - earlier.at).total_seconds() for earlier, later in pairwise(found.points)}
    assert between == {seconds}
    assert len((await charts.latency(engine, ROOT, query(Window(window)))).points) == steps
    assert len((await charts.errors(engine, ROOT, query(Window(window)))).points) == steps


async def test_what_is_older_than_the_window_is_left_out(engine: Engine) -> None:
    await attempts(engine.store, completed=1)
    await attempts(engine.store, completed=10, ago=30 * MINUTE)
    await attempts(engine.store, completed=100, ago=5 * HOUR)
    totals = {
        window: sum(point.completed for point in (await charts.throughput(engine, ROOT, query(window))).points)
        for window in Window
    }
    assert totals == {Window.FIVE_MINUTES: 1, Window.HOUR: 11, Window.DAY: 111}


async def test_throughput_is_a_rate(engine: Engine) -> None:
    await attempts(engine.store, completed=600)
    found = await charts.throughput(engine, ROOT, query(Window.FIVE_MINUTES))
    assert 600 / 301 <= found.per_second <= 600 / 240


async def test_the_lag_is_that_of_the_oldest_run(engine: Engine) -> None:
    assert (await charts.throughput(engine, ROOT, query())).lag_seconds is None
    await waiting(engine.store, ago=10 * MINUTE, tenant="globex")
    await waiting(engine.store, ago=2 * MINUTE, queue="refunds")
    await waiting(engine.store, ago=1 * MINUTE, kind="goodbye")
    lags = [
        (await charts.throughput(engine, who, query(**narrow))).lag_seconds
        for who, narrow in (
            (ROOT, {}),
            (ROOT, {"queue": "refunds"}),
            (ROOT, {"kind": "goodbye"}),
            (ACME, {}),
            (ROOT, {"tenant": "acme", "queue": "mail"}),
        )
    ]
    assert [round((lag or 0) / 60) for lag in lags] == [10, 2, 1, 2, 1]


async def test_a_run_far_behind_others_is_not_looked_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LOOKED_AT", 3)
    await waiting(engine.store, 3, ago=10 * MINUTE, tenant="globex")
    await waiting(engine.store, 1, ago=5 * MINUTE)
    assert (await charts.throughput(engine, ACME, query())).lag_seconds is None
    await waiting(engine.store, 1, ago=20 * MINUTE)
    assert (await charts.throughput(engine, ACME, query())).lag_seconds == pytest.approx(1200, abs=20)


async def test_percentiles_of_attempts_and_of_waiting(engine: Engine) -> None:
    await attempts(engine.store, completed=90, took=10, waited=100)
    await attempts(engine.store, completed=10, took=1_000)
    found = await charts.latency(engine, ROOT, query())
    assert found.p50 == pytest.approx(10, rel=0.25)
    assert found.p95 == found.p99 is not None or found.p95 == pytest.approx(1_000, rel=0.25)
    assert found.wait_p50 == pytest.approx(100, rel=0.25)
    lately = [point for point in found.points if point.p50 is not None]
    assert lately
    assert lately[-1].p50 == pytest.approx(10, rel=0.25)
    assert found.points[0].p50 is None


async def test_errors_are_a_share_and_have_names(engine: Engine) -> None:
    await attempts(engine.store, completed=6, failed=3, code="503")
    await attempts(engine.store, failed=1, code="429", queue="refunds")
    found = await charts.errors(engine, ROOT, query())
    assert found.percent == 40
    assert [(each.queue, each.error_class, each.error_code, each.count) for each in found.top] == [
        ("mail", "network", "503", 3),
        ("refunds", "network", "429", 1),
    ]
    assert (await charts.errors(engine, ROOT, query(queue="none"))).percent is None


async def test_figures_are_narrowed_by_queue_kind_and_tenant(engine: Engine) -> None:
    for number, (queue, kind, tenant) in enumerate(
        [("mail", "welcome", "acme"), ("mail", "goodbye", "acme"), ("refunds", "welcome", "globex")]
    ):
        await attempts(engine.store, completed=10**number, failed=10**number, queue=queue, kind=kind, tenant=tenant)

    async def total(who: Principal = ROOT, **narrow: Any) -> int:
        completed = sum(point.completed for point in (await charts.throughput(engine, who, query(**narrow))).points)
        assert sum(each.count for each in (await charts.errors(engine, who, query(**narrow))).top) == completed
        return completed

    assert await total() == 111
    assert await total(queue="mail") == 11
    assert await total(kind="welcome") == 101
    assert await total(tenant="globex") == 100
    assert await total(ACME) == 11
    assert await total(ACME, tenant="acme", kind="goodbye") == 10
    assert await total(ACME, tenant="globex") == 0  # none of their business


@pytest.mark.parametrize("tenants", [set(), {""}])
async def test_who_sees_no_tenant_sees_no_figure(engine: Engine, tenants: set[str]) -> None:
    await attempts(engine.store, completed=1, failed=1)
    await waiting(engine.store)
    nobody = Principal("nobody", Role.ADMIN, frozenset(tenants))
    found = await charts.throughput(engine, nobody, query())
    assert sum(point.completed + point.enqueued for point in found.points) == 0
    assert found.lag_seconds is None
    assert (await charts.latency(engine, nobody, query())).p50 is None
    assert (await charts.errors(engine, nobody, query())).top == []
