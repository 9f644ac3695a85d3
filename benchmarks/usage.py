"""Usage events from eight writers at once, a fifth of them posted twice; and what metering costs a request.

    python -m benchmarks.usage [--events 1000000] [--writers 8] [--requests 4000] [--postgres]

Nine in ten happened within ten minutes, the rest up to 30 days before. The totals must be exact. Beside it: a plain
`sqlite3` loop that keeps the same events and adds up the same sums.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.client.transport import LocalAddress
from quarterdeck.config.home import Home
from quarterdeck.contract.clock import DAY, MINUTE, from_iso, iso, now_ms
from quarterdeck.contract.operations import items, usage

TENANTS, KINDS, AT_ONCE = 20, ("sms_sent", "gigabytes", "seats"), 1_000
DAYS = 30


def made(number: int, now: int) -> tuple[str, str, int, int]:
    """(tenant, resource type, quantity, time) of the event of that number, whoever posts it when."""
    late = number % 10 == 0
    at = now - (number * 7_919 % (DAYS * DAY) if late else number * 31 % (10 * MINUTE))
    return f"tenant-{number % TENANTS}", KINDS[number % 3], number % 997 + 1, at


def event(number: int, now: int) -> dict[str, Any]:
    tenant, kind, quantity, at = made(number, now)
    return {
        "source": "benchmark",
        "id": f"event-{number:012}",
        "tenant_id": tenant,
        "resource_type": kind,
        "quantity": quantity,
        "time": iso(at),
    }


def numbers(count: int, seed: int = 1) -> list[int]:
    """Four in five are new, one in five comes a second time, in any order."""
    chance = random.Random(seed)
    fresh = count * 4 // 5
    found = [*range(fresh), *chance.choices(range(fresh), k=count - fresh)]
    chance.shuffle(found)
    return found


def get_ready(start: Any) -> None:
    global _start
    _start = start


_start: Any = None


def write(home: Home, mine: list[int], now: int) -> tuple[int, int]:
    """One writer; (recorded, duplicates)."""

    async def whole() -> tuple[int, int]:
        recorded = duplicates = 0
        async with Client(LocalAddress(home)) as client:
            _start.wait()
            for start in range(0, len(mine), AT_ONCE):
                body = {"events": [event(number, now) for number in mine[start : start + AT_ONCE]]}
                answer = await client.call(usage.RECORD, body=body)
                recorded += answer["recorded"]
                duplicates += answer["duplicates"]
        return recorded, duplicates

    return asyncio.run(whole())


def expected(posted: list[int], now: int) -> Counter[tuple[str, str, int]]:
    """(tenant, resource type, day) -> quantity."""
    sums: Counter[tuple[str, str, int]] = Counter()
    for number in set(posted):
        tenant, kind, quantity, at = made(number, now)
        sums[tenant, kind, at - at % DAY] += quantity
    return sums


async def told(home: Home, now: int) -> Counter[tuple[str, str, int]]:
    """What an export by the day says."""
    async with await connect(home) as client:
        query = {"format": "json", "since": iso(now - (DAYS + 1) * DAY)}
        text = b"".join([chunk async for chunk in client.stream(usage.EXPORT, query=query)])
    sums: Counter[tuple[str, str, int]] = Counter()
    for row in json.loads(text):
        if row["resource_type"] in KINDS:
            sums[row["tenant_id"], row["resource_type"], from_iso(row["start"])] += row["quantity"]
    return sums


def plain_loop(file: Path, posted: list[int], now: int) -> float:
    """Events a second of one writer that has nobody to answer."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE events (tenant, source, id, kind, quantity, at, PRIMARY KEY (tenant, source, id)) WITHOUT ROWID"
    )
    for name in ("minutes", "days"):
        connection.execute(
            f"CREATE TABLE {name} (at, tenant, kind, quantity, PRIMARY KEY (at, tenant, kind)) WITHOUT ROWID"
        )
    began = time.perf_counter()
    for start in range(0, len(posted), AT_ONCE):
        connection.execute("BEGIN IMMEDIATE")
        for number in posted[start : start + AT_ONCE]:
            tenant, kind, quantity, at = made(number, now)
            row = (tenant, "benchmark", f"event-{number:012}", kind, quantity, at)
            if connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)", row).rowcount:
                for name, step in (("minutes", MINUTE), ("days", DAY)):
                    connection.execute(
                        f"INSERT INTO {name} VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
                        (at - at % step, tenant, kind, quantity),
                    )
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return len(posted) / seconds


def volume(home: Home, count: int, writers: int, file: Path) -> bool:
    posted, now = numbers(count), now_ms()
    asyncio.run(_started(home))
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(writers + 1)
    with context.Pool(writers, get_ready, (start,)) as pool:
        writing = pool.starmap_async(write, [(home, posted[number::writers], now) for number in range(writers)])
        start.wait()
        began = time.perf_counter()
        parts = writing.get()
    seconds = time.perf_counter() - began
    wanted = expected(posted, now)
    found = asyncio.run(told(home, now))
    exact = found == wanted
    asyncio.run(stop_engine(home))
    recorded, duplicates = (sum(each) for each in zip(*parts, strict=True))
    print(
        f"{count:,} events from {writers} writers in {seconds:.1f} s: {count / seconds:,.0f} events/s;"
        f" {recorded:,} new, {duplicates:,} duplicates; totals {'exact' if exact else 'WRONG'}"
        f" ({sum(found.values()):,} of {sum(wanted.values()):,});"
        f" a plain loop: {plain_loop(file, posted, now):,.0f} events/s"
    )
    return exact and recorded == len(set(posted)) and recorded + duplicates == count


async def _started(home: Home) -> None:
    async with await connect(home):
        pass


async def latency(on: Home, off: Home, requests: int) -> float:
    """The p95 with metering through the p95 without, asked in turns."""
    found: dict[str, list[float]] = {"on": [], "off": []}
    async with await connect(on) as metered, await connect(off) as bare:
        new = {"items": [{"tenant_id": "acme", "title": f"item {number}"} for number in range(500)]}
        for client in (metered, bare):
            await client.call(items.CREATE, resource="support_tasks", body=new)
        pairs = [("on", metered), ("off", bare)]
        for number in range(requests + 200):
            for name, client in pairs if number % 2 else reversed(pairs):
                began = time.perf_counter()
                await client.call(items.LIST, resource="support_tasks", query={"limit": 20})
                if number >= 200:
                    found[name].append(time.perf_counter() - began)
    p95 = {name: statistics.quantiles(values, n=20)[-1] * 1_000 for name, values in found.items()}
    half = {name: statistics.median(values) * 1_000 for name, values in found.items()}
    print(
        f"a page of 20 items, {requests:,} times: p95 {p95['on']:.2f} ms with metering, {p95['off']:.2f} without"
        f" ({p95['on'] / p95['off']:.3f} times); median {half['on']:.2f} and {half['off']:.2f} ms"
    )
    return p95["on"] / p95["off"]


@contextlib.contextmanager
def database(wanted: bool) -> Iterator[str]:
    if not wanted:
        yield ""
        return
    from tests.support.postgres import PostgresServer

    server = PostgresServer()
    try:
        yield f'[store]\nurl = "{server.database()}"\n'
    finally:
        server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder, database(given.postgres) as store:
        homes = [Home(Path(folder) / name) for name in ("volume", "on", "off")]
        for home in homes:
            home.create()
        homes[0].config.write_text(store)
        homes[2].config.write_text("[usage]\nmetering = false\n")
        if given.events:
            good = volume(homes[0], given.events, given.writers, Path(folder) / "plain.db")
        if given.requests:
            asyncio.run(latency(homes[1], homes[2], given.requests))
            for home in homes[1:]:
                asyncio.run(stop_engine(home))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
