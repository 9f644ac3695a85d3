"""What was counted is what there is, whatever happened to runs."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select, update

from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.clock import HOUR, now_ms
from quarterdeck.contract.enums import ErrorClass
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.enqueuing import stage
from quarterdeck.engine.runs.outcomes import Cancelled, Claimed, Completed, Failed, GivenBack, Lost, Outcome
from quarterdeck.engine.runs.service import New
from quarterdeck.engine.runs.tables import run_attempts, runs
from quarterdeck.engine.series import upkeep
from quarterdeck.engine.series.folding import fold
from quarterdeck.engine.series.reading import Scope, tallies
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.series.tables import EVERYONE, SHORT, run_counts, run_latencies
from quarterdeck.engine.store.store import Store
from tests.engine.runs.world import make_queue
from tests.support.desk import make_engine

QUEUES = ("mail", "refunds")
TENANTS = ("acme", "globex")


async def as_counted(engine: Engine, tenants: frozenset[str] | None = None) -> dict[tuple[str, str], int]:
    async with engine.store.read() as connection:
        found = await tallies(connection, Scope(tenants))
    return {(queue, status): number for queue, each in found.items() for status, number in each.items() if number}


async def as_there_are(engine: Engine, tenants: frozenset[str] | None = None) -> dict[tuple[str, str], int]:
    query = select(runs.c.queue, runs.c.status, func.count()).group_by(runs.c.queue, runs.c.status)
    if tenants is not None:
        query = query.where(runs.c.tenant_id.in_(tenants))
    async with engine.store.read() as connection:
        return {(queue, status): number for queue, status, number in await connection.execute(query)}


def outcome(kind: str, run: Claimed) -> Outcome:
    return {
        "completed": lambda: Completed(*run.held),
        "failed": lambda: Failed(*run.held, ErrorClass.NETWORK, "503", "no answer"),
        "refused": lambda: Failed(*run.held, ErrorClass.VALIDATION, "422", "no order"),
        "given back": lambda: GivenBack(*run.held),
        "cancelled": lambda: Cancelled(*run.held),
        "lost": lambda: Lost(*run.held),
    }[kind]()


OUTCOMES = ("completed", "failed", "refused", "given back", "cancelled", "lost")


class Life:
    """What can happen to runs, each in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.held: list[Claimed] = []

    async def begin(self) -> None:
        for queue in QUEUES:
            await make_queue(self.engine, queue, max_attempts=3, backoff={"base": 0})

    async def enqueue(self, queue: str, tenant: str, later: bool, key: str | None, number: int) -> None:
        at = now_ms() + HOUR if later else None
        new = [New(queue, "kind", tenant, run_at=at, unique_key=key) for _ in range(1 if key else number)]
        async with self.engine.store.write() as transaction:
            await service.enqueue(self.engine, transaction, new)

    async def claim(self, queue: str, number: int) -> None:
        async with self.engine.store.write() as transaction:
            self.held += await service.claim(self.engine, transaction, queue, "w", number, seconds=30)

    async def finish(self, kinds: list[str], twice: bool) -> None:
        """Some that are held; said a second time, nothing happens."""
        chosen, self.held = self.held[: len(kinds)], self.held[len(kinds) :]
        outcomes = [outcome(kind, run) for kind, run in zip(kinds, chosen, strict=False)]
        for _ in range(1 + twice):
            async with self.engine.store.write() as transaction:
                await service.finish(self.engine, transaction, outcomes)

    async def rescue(self) -> None:
        """Half of those at work fell silent."""
        async with self.engine.store.write() as transaction:
            lapsed = update(runs).where(runs.c.status == "active", runs.c.id % 2 == 0).values(lease_until=1)
            await transaction.connection.execute(lapsed)
        async with self.engine.store.write() as transaction:
            await service.rescue(self.engine, transaction)

    async def cancel(self, which: int) -> None:
        async with self.engine.store.write() as transaction:
            await service.cancel(self.engine, transaction, runs.c.id % 5 == which)

    async def come_due(self) -> None:
        async with self.engine.store.write() as transaction:
            await transaction.connection.execute(update(runs).where(runs.c.status == "scheduled").values(run_at=1))
        moves = Moves()
        async with self.engine.store.write() as transaction:
            await stage(self.engine, transaction, moves)
            await record(transaction, self.engine.store.dialect, moves)

    async def upkeep(self) -> None:
        await upkeep.sum_up(self.engine)
        await fold(self.engine)

    async def check(self) -> None:
        assert await as_counted(self.engine) == await as_there_are(self.engine)
        one = frozenset({TENANTS[0]})
        assert await as_counted(self.engine, one) == await as_there_are(self.engine, one)

    async def check_figures(self) -> None:
        """Of attempts that ended: those that completed and those that failed are in the buckets of time."""
        await fold(self.engine)
        ended = select(run_attempts.c.outcome, func.count()).group_by(run_attempts.c.outcome)
        everyone = (run_counts.c.tenant_id == EVERYONE, run_counts.c.step == SHORT)
        counted = select(*(func.sum(run_counts.c[name]) for name in ("enqueued", "completed", "failed")))
        took = select(func.sum(run_latencies.c.number)).where(
            run_latencies.c.tenant_id == EVERYONE, run_latencies.c.step == SHORT, run_latencies.c.measure == 0
        )
        async with self.engine.store.read() as connection:
            outcomes = Counter(dict((await connection.execute(ended)).all()))
            made = (await connection.execute(select(func.count()).select_from(runs))).scalar_one()
            found = tuple((await connection.execute(counted.where(*everyone))).one())
            measured = (await connection.execute(took)).scalar()
        assert found == (
            made or None,
            *((outcomes["completed"], outcomes["failed"] + outcomes["lost"]) if made else (None, None)),
        )
        assert (measured or 0) == outcomes.total() - outcomes["given_back"]


class Tallies(RuleBasedStateMachine):
    """On SQLite, one thing after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="qd-tallies-")
        self.runner.run(self._open())

    async def _open(self) -> None:
        home = Home(Path(self.folder.name) / "home")
        home.create()
        self.store = await Store.open(StoreSettings(), home)
        self.life = Life(make_engine(self.store, home))
        await self.life.begin()
        for queue in QUEUES:
            await self.life.enqueue(queue, TENANTS[0], later=False, key=None, number=5)
            await self.life.claim(queue, 3)

    def teardown(self) -> None:
        try:
            self.runner.run(self.life.check_figures())
        finally:
            self.runner.run(self.store.close())
            self.runner.close()
            self.folder.cleanup()

    @rule(
        queue=st.sampled_from(QUEUES),
        tenant=st.sampled_from(TENANTS),
        later=st.booleans(),
        key=st.sampled_from((None, None, "a")),
        number=st.integers(1, 5),
    )
    def enqueue(self, **more: Any) -> None:
        self.runner.run(self.life.enqueue(**more))

    @rule(queue=st.sampled_from(QUEUES), number=st.integers(1, 8))
    def claim(self, **more: Any) -> None:
        self.runner.run(self.life.claim(**more))

    @rule(kinds=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=5), twice=st.booleans())
    def finish(self, **more: Any) -> None:
        self.runner.run(self.life.finish(**more))

    @rule(which=st.integers(0, 4))
    def cancel(self, which: int) -> None:
        self.runner.run(self.life.cancel(which))

    @rule()
    def rescue(self) -> None:
        self.runner.run(self.life.rescue())

    @rule()
    def come_due(self) -> None:
        self.runner.run(self.life.come_due())

    @rule()
    def upkeep(self) -> None:
        self.runner.run(self.life.upkeep())

    @invariant()
    def what_was_counted_is_what_there_is(self) -> None:
        self.runner.run(self.life.check())


TestTallies = Tallies.TestCase
TestTallies.settings = settings(
    max_examples=20, stateful_step_count=30, suppress_health_check=list(HealthCheck), deadline=None
)


async def test_many_at_once_are_counted_right(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WORTHWHILE", 0)

    async def live(seed: int) -> None:
        chance = random.Random(seed)
        life = Life(engine)
        for _ in range(25):
            step = chance.choice(("enqueue", "claim", "claim", "finish", "finish", "rescue", "cancel", "due", "upkeep"))
            try:
                match step:
                    case "enqueue":
                        queue, tenant = chance.choice(QUEUES), chance.choice(TENANTS)
                        await life.enqueue(queue, tenant, chance.random() < 0.2, None, chance.randrange(1, 9))
                    case "claim":
                        await life.claim(chance.choice(QUEUES), chance.randrange(1, 9))
                    case "finish":
                        await life.finish(chance.choices(OUTCOMES, k=4), chance.random() < 0.2)
                    case "rescue":
                        await life.rescue()
                    case "cancel":
                        await life.cancel(chance.randrange(5))
                    case "due":
                        await life.come_due()
                    case "upkeep":
                        await life.upkeep()
            except Problem as problem:
                if not problem.retry_after:  # else somebody was in the way, and nothing of it happened
                    raise

    await Life(engine).begin()
    await asyncio.gather(*(live(seed) for seed in range(6)))
    life = Life(engine)
    await life.check()
    await life.check_figures()
