"""Trying a rule: whose figures it says, and that others can read meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from quarterdeck.contract.enums import AlertType, Role
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.operations import alerts as operations
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.alerts import history, trying
from tests.engine.alerts.world import Day, breach
from tests.support.desk import ACME, ROOT, refused

EVE = Principal("eve", Role.OPERATOR, frozenset({"acme"}))


async def test_who_sees_one_tenant_reads_nothing_of_the_others_in_a_test(day: Day) -> None:
    shared = await day.rule(AlertType.SLA_BREACH, 1, by=["tenant", "item"])
    workers = await day.rule(AlertType.WORKER_UNHEALTHY, 1, name="workers", by=["worker"])
    own = await day.rule(AlertType.SLA_BREACH, 1, name="own", by=["tenant", "item"], tenant_id="acme")
    await breach(day, 7, tenant_id="globex")
    await breach(day, 8)
    for rule in (shared, workers):
        for who in (EVE, ACME):
            with refused(Code.FORBIDDEN, "every tenant"):
                await trying.try_out(day.engine, who, rule)
    found = await trying.try_out(day.engine, EVE, own)
    assert [each.labels["item"] for each in found.now] == ["8"]
    assert len((await trying.try_out(day.engine, ROOT, shared)).now) == 2
    assert operations.TEST.role is Role.OPERATOR


async def test_tests_wait_for_each_other_and_hold_nobody_up(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reads a whole day, step by step."""
    number = await day.rule(AlertType.SLA_BREACH, 1)
    reading, most, read, stepped = 0, 0, trying.read, asyncio.Event()
    others = asyncio.Event()

    async def slow(*args: Any) -> Sequence[Any]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            stepped.set()
            await others.wait()
            return await read(*args)
        finally:
            reading -= 1

    monkeypatch.setattr(trying, "read", slow)
    monkeypatch.setattr(trying, "_BUDGET", 0.05)
    tests = [asyncio.create_task(trying.try_out(day.engine, ROOT, number)) for _ in range(8)]
    async with asyncio.timeout(30):
        await stepped.wait()
        page = await history.history(day.engine, ROOT, models.HistoryQuery())  # while eight want to read
        assert page.items == []
        others.set()
        await asyncio.gather(*tests)
    assert most == 1
