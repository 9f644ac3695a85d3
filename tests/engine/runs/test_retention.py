"""What has ended is kept for as long as its queue says, and no longer."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.contract.models.queues import Keep
from quarterdeck.engine.audit.tables import audit_entries
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import logs, retention, service
from quarterdeck.engine.runs.outcomes import Completed
from quarterdeck.engine.runs.tables import run_attempts, run_logs, runs
from tests.engine.runs.world import add, claim, failed, finish, force, make_queue, tallied


async def count(engine: Engine, table: object) -> int:
    async with engine.store.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


async def test_each_state_is_kept_for_its_days(engine: Engine) -> None:
    await make_queue(engine, keep=Keep(completed_days=1, cancelled_days=2, dead_days=3), max_attempts=1)
    done, dead, cancelled, waiting = await add(engine, 1, 2, 3, 4)
    first, second = await claim(engine, 2)
    async with engine.store.write() as transaction:
        await logs.append(transaction, done, 1, [(now_ms(), "info", "a line")])
        await service.cancel(engine, transaction, runs.c.id == cancelled)
    await finish(engine, Completed(*first.held), failed(second))
    assert await retention.forget_old(engine) == 0
    for age, left in ((0.9, 4), (1.1, 3), (1.9, 3), (2.1, 2), (2.9, 2), (3.1, 1), (400, 1)):
        for number in (done, dead, cancelled):
            await force(engine, number, finished_at=now_ms() - round(age * DAY))
        await retention.forget_old(engine)
        assert await count(engine, runs) == left, age
    assert await count(engine, run_attempts) == 0
    assert await count(engine, run_logs) == 0
    assert await tallied(engine) == {"waiting": 1}
    assert waiting


async def test_many_go_a_slice_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_SLICE", 10)
    await make_queue(engine, concurrency=100)
    ids = await add(engine, *range(25))
    await finish(engine, *(Completed(*run.held) for run in await claim(engine, 25)))
    for number in ids:
        await force(engine, number, finished_at=1)
    assert await retention.forget_old(engine) == 25
    assert await count(engine, runs) == 0
    async with engine.store.read() as connection:
        query = select(audit_entries.c.details).where(audit_entries.c.action == "runs.expired")
        said = list((await connection.execute(query.order_by(audit_entries.c.id))).scalars())
    assert [each["count"] for each in said] == [10, 10, 5], "each slice is audited in its own transaction"
    assert {(each["queue"], each["status"]) for each in said} == {("q", "completed")}
