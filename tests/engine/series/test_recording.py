"""What is counted is what happened, in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from quarterdeck.contract.clock import SECOND
from quarterdeck.engine.series.recording import TOOK, WAITED, Moves, record
from quarterdeck.engine.series.tables import (
    EVERYONE,
    STEPS,
    run_counts,
    run_errors,
    run_latencies,
    run_moves,
    run_tallies,
)
from quarterdeck.engine.store.store import Store
from tests.support.counted import said


async def tallies(store: Store) -> dict[tuple[str, str, str], int]:
    key = (run_tallies.c.queue, run_tallies.c.tenant_id, run_tallies.c.status)
    async with store.read() as connection:
        found = await connection.execute(select(*key, func.sum(run_tallies.c.difference)).group_by(*key))
        return {(queue, tenant, status): int(number) for queue, tenant, status, number in found if number}


async def rows(store: Store, table: Any) -> list[dict[str, Any]]:
    async with store.read() as connection:
        return [dict(row._mapping) for row in await connection.execute(select(table).order_by(*table.primary_key))]


async def test_a_life_of_a_run_is_counted(store: Store) -> None:
    moves = Moves()
    moves.enqueued("mail", "welcome", "acme", "waiting", 3)
    await said(store, moves)
    assert await tallies(store) == {("mail", "acme", "waiting"): 3}

    moves = Moves()
    moves.moved("mail", "acme", "waiting", "active", 2)
    moves.ended("mail", "welcome", "acme", "active", "completed", took_ms=12, waited_ms=3)
    moves.ended("mail", "welcome", "acme", "active", "failed", took_ms=7, error_class="network", error_code="503")
    now = await said(store, moves)
    assert await tallies(store) == {
        ("mail", "acme", "waiting"): 1,
        ("mail", "acme", "completed"): 1,
        ("mail", "acme", "failed"): 1,
    }

    counted = await rows(store, run_counts)
    # Under the tenant and under all of them, in minutes and in quarters of an hour.
    assert {(each["tenant_id"], each["step"]) for each in counted} == {
        (tenant, step) for tenant in ("acme", EVERYONE) for step in STEPS
    }
    assert all(each["at"] % (each["step"] * SECOND) == 0 and each["at"] <= now for each in counted)
    for tenant in ("acme", EVERYONE):
        for step, whole in ((60, 0), (900, 0), (900, 1)):
            of = [each for each in counted if (each["tenant_id"], each["step"], each["whole"]) == (tenant, step, whole)]
            assert sum(each["enqueued"] for each in of) == 3
            assert (sum(each["completed"] for each in of), sum(each["failed"] for each in of)) == (1, 1)
            assert {(each["queue"], each["kind"]) for each in of} == {("", "") if whole else ("mail", "welcome")}
    errors = await rows(store, run_errors)
    assert {(each["error_class"], each["error_code"], each["number"]) for each in errors} == {("network", "503", 1)}
    measured = [each["measure"] for each in await rows(store, run_latencies) if each["tenant_id"] == EVERYONE]
    assert sorted(measured) == [TOOK] * 6 + [WAITED] * 3


async def test_figures_add_up_over_transactions(store: Store) -> None:
    for _ in range(3):
        moves = Moves()
        moves.ended("mail", "welcome", "acme", "active", "dead", took_ms=5, error_class="timeout", error_code="slow")
        await said(store, moves)
    everyone = [each for each in await rows(store, run_counts) if each["tenant_id"] == EVERYONE and each["whole"]]
    assert sum(each["dead"] for each in everyone) == sum(each["failed"] for each in everyone) == 3


async def test_what_is_not_committed_is_not_counted(store: Store) -> None:
    moves = Moves()
    moves.enqueued("mail", "welcome", "acme", "waiting")

    async def fail() -> None:
        async with store.write() as transaction:
            await record(transaction, store.dialect, moves)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await tallies(store) == {}
    assert await rows(store, run_counts) == []


async def test_nothing_happened_costs_nothing(store: Store) -> None:
    await said(store, Moves())
    assert await rows(store, run_tallies) == []
    assert await rows(store, run_moves) == []
