"""Lists, counts, queue figures and charts on a store with a million runs and 200,000 dead letters.

    python -m benchmarks.machine_lists [--runs 1000000] [--letters 200000] [--postgres] [--keep FOLDER]

Times are round trips through the API of a running engine, what the client does included: the median and the worst of
nine. Beside them, where there is a plain way to the same figure, the time of one SELECT that counts or groups the rows
themselves (sqlite3, or asyncpg; the best of three). `--keep` uses the store in FOLDER again.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine_world import KINDS, QUEUES, TENANTS, make
from quarterdeck.client.client import Client
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.config.load import load
from quarterdeck.contract.clock import DAY, HOUR, now_ms
from quarterdeck.contract.enums import MachineResource, Role
from quarterdeck.contract.operations import dead_letters, items, queues, runs, workers
from quarterdeck.contract.operations.base import Operation
from quarterdeck.contract.principal import Principal

LIMIT = 100  # milliseconds
SEARCH_LIMIT = 300  # of a search in texts, which answers in parts
CALLS = 9
ALL = Principal("bench", Role.SUPER_ADMIN)
ONE = Principal("bench", Role.ADMIN, frozenset({TENANTS[7]}))
HALF = Principal("bench", Role.ADMIN, frozenset(TENANTS[:20]))


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    operation: Operation
    query: dict[str, Any] | None = None
    who: Principal = ALL
    plain: str = ""  # the same figure by reading the rows
    limit: int = LIMIT
    path: dict[str, Any] | None = None


def figures(now: int) -> list[Case]:
    by_status = "SELECT queue, status, count(*) FROM runs {} GROUP BY queue, status"
    mine = f"WHERE tenant_id = '{TENANTS[7]}'"
    ended = "FROM run_attempts JOIN runs ON runs.id = run_id WHERE ended_at >= {}"
    found = [
        Case("queues", queues.LIST, plain=by_status.format("")),
        Case("queues, one tenant", queues.LIST, who=ONE, plain=by_status.format(mine)),
        Case("queues, half of the tenants", queues.LIST, who=HALF),
        Case("one queue", queues.SHOW, path={"queue": QUEUES[3]}),
    ]
    for window, span, step in (("5m", HOUR // 12, 60_000), ("1h", HOUR, 60_000), ("24h", DAY, 900_000)):
        since = now - span
        at = f"ended_at - ended_at % {step}"
        plain = {
            "throughput": f"SELECT {at}, outcome, count(*) {ended.format(since)} GROUP BY 1, 2",
            # Buckets of a kind; percentiles would have to sort.
            "latency": f"SELECT {at}, (ended_at - run_attempts.started_at) / 10, count(*) {ended.format(since)}"
            " GROUP BY 1, 2",
            "errors": f"SELECT queue, run_attempts.error_code, count(*) {ended.format(since)} GROUP BY 1, 2",
        }
        for name, operation in (
            ("throughput", workers.THROUGHPUT),
            ("latency", workers.LATENCY),
            ("errors", workers.ERRORS),
        ):
            query = {"window": window}
            found += [
                Case(f"{name} {window}", operation, query, plain=plain[name]),
                Case(f"{name} {window}, one queue", operation, {**query, "queue": QUEUES[2]}),
                Case(f"{name} {window}, one kind", operation, {**query, "kind": KINDS[1]}),
                Case(f"{name} {window}, one tenant", operation, query, ONE),
                Case(f"{name} {window}, half of the tenants", operation, query, HALF),
            ]
    return found


def lists() -> list[Case]:
    """Pages as a screen asks for them, and how many match."""
    found = []
    columns = {"status": "status", "queue": "queue", "kind": "kind", "tenant": "tenant_id", "error": "error_code"}
    filters = [
        {},
        {"status": "dead"},
        {"status": "waiting"},
        {"queue": QUEUES[1]},
        {"queue": QUEUES[1], "status": "failed"},
        {"tenant": TENANTS[5], "status": "dead"},
        {"kind": KINDS[0], "status": "active"},
        {"error": "503"},
        {"error": "503", "queue": QUEUES[4], "tenant": TENANTS[1]},
    ]
    for each in filters:
        text = " ".join(f"{key}:{value}" for key, value in each.items())
        where = " AND ".join(f"{columns[key]} = '{value}'" for key, value in each.items()) or "1 = 1"
        name = text or "all"
        found += [
            Case(f"runs {name}", runs.LIST, {"filter": text}),
            Case(f"runs {name}, one tenant", runs.LIST, {"filter": text}, ONE),
            Case(
                f"runs {name}, count",
                items.COUNT,
                {"filter": text},
                plain=f"SELECT count(*) FROM runs WHERE {where}",
                path={"resource": MachineResource.RUNS},
            ),
        ]
    found.append(Case("runs, facets", items.FACETS, path={"resource": MachineResource.RUNS}))
    columns = {"status": "status", "queue": "queue", "type": "event_type", "tenant": "tenant_id", "error": "error_code"}
    for each in (
        {},
        {"status": "pending"},
        {"queue": QUEUES[1], "status": "pending"},
        {"error": "429"},
        {"tenant": TENANTS[5], "type": "refunds.created"},
    ):
        text = " ".join(f"{key}:{value}" for key, value in each.items())
        where = " AND ".join(f"{columns[key]} = '{value}'" for key, value in each.items()) or "1 = 1"
        name = text or "all"
        found += [
            Case(f"dead letters {name}", dead_letters.LIST, {"filter": text}),
            Case(
                f"dead letters {name}, count",
                items.COUNT,
                {"filter": text},
                plain=f"SELECT count(*) FROM dead_letters WHERE {where}",
                path={"resource": MachineResource.DEAD_LETTERS},
            ),
            Case(
                f"dead letters {name}, groups",
                dead_letters.GROUPS,
                {"filter": text},
                plain=f"SELECT group_id, count(*) FROM dead_letters WHERE {where} GROUP BY group_id",
            ),
        ]
    for period in ("hour", "day", "month"):
        plain = "SELECT tenant_id, event_type, queue, status, count(*) FROM dead_letters GROUP BY 1, 2, 3, 4"
        found.append(Case(f"dead letters, stats of a {period}", dead_letters.STATS, {"period": period}, plain=plain))
    for words in ("customer twice", "nothing has this", "c-42"):
        query = {"filter": f'"{words}"'}
        found.append(Case(f'dead letters "{words}"', dead_letters.LIST, query, limit=SEARCH_LIMIT))
    return found


async def rows_of(home: Home) -> Callable[[str], Awaitable[Any]]:
    """Asks the store itself."""
    url = load(home.config).store.url
    if url:
        import asyncpg

        connection = await asyncpg.connect(url)
        return lambda statement: connection.fetch(statement)
    plain = sqlite3.connect(home.store)
    plain.execute("PRAGMA cache_size=-8000")

    async def ask(statement: str) -> Any:
        return plain.execute(statement).fetchall()

    return ask


async def timed(ask: Callable[[], Awaitable[Any]], times: int) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        found.append((time.perf_counter() - began) * 1_000)
    return found


async def measure(client: Client, home: Home) -> list[tuple[Case, float, float, float | None]]:
    """(case, median, worst, plain) in milliseconds."""
    plain = await rows_of(home)
    found: list[tuple[Case, float, float, float | None]] = []
    cases = [*figures(now_ms()), *lists()]
    for case in cases:
        client.act_as = None if case.who is ALL else case.who

        async def ask(case: Case = case) -> Any:
            return await client.call(case.operation, query=case.query, **(case.path or {}))

        ours = await timed(ask, CALLS)
        theirs = min(await timed(lambda case=case: plain(case.plain), 3)) if case.plain else None  # type: ignore[misc]
        found.append((case, median(ours), max(ours), theirs))
    client.act_as = None
    return found


def report(found: list[tuple[Case, float, float, float | None]]) -> int:
    """How many are slower than they may be."""
    slow = 0
    print(f"{'milliseconds':52} {'median':>8} {'worst':>8} {'reading rows':>13}")
    for case, usual, worst, theirs in found:
        over = usual > case.limit
        slow += over
        beside = f"{theirs:13.0f}" if theirs is not None else " " * 13
        print(f"{case.name:52} {usual:8.1f} {worst:8.1f} {beside}{'  TOO SLOW' if over else ''}")
    within = [usual for case, usual, _, _ in found if case.limit == LIMIT]
    print(f"slowest median: {max(within):.0f} ms of {LIMIT} allowed; {slow} too slow")
    return slow


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--letters", type=int, default=200_000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", type=Path, default=None)
    args = parser.parse_args()
    server = None
    folder = args.keep or Path(tempfile.mkdtemp(prefix="qd-bench-"))
    try:
        url = ""
        if args.postgres:
            from tests.support.postgres import PostgresServer

            server = PostgresServer()
            url = server.database()
        home = Home(folder / "home")
        if args.postgres or not home.store.exists():
            began = time.perf_counter()
            home = await asyncio.to_thread(make, folder / "home", args.runs, args.letters, url=url)
            print(f"{args.runs:,} runs, {args.letters:,} dead letters, made in {time.perf_counter() - began:.0f} s")
        client = await connect(home)
        try:
            found = await measure(client, home)
        finally:
            await client.close()
            await stop_engine(home)
        return 1 if report(found) else 0
    finally:
        if server is not None:
            server.stop()
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
