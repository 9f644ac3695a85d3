"""Bulk retry of dead letters chosen by a filter, from the draft until every run is enqueued, while others die.

    python -m benchmarks.dead_letters [--letters 100000] [--exceptions]

The baseline is a plain sqlite3 loop on a copy of the same store: the run is inserted and the dead letter updated,
in transactions of 500 (WAL, NORMAL), without counts, guards or results. `--exceptions`: each dead letter has an
exception, which moves with it and tells it in its timeline.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import bulk, dead_letters, queues

QUEUE = "refunds-api"
PER_TRANSACTION = 500
AT_ONCE = 1_000
CHOSEN = "error:503 status:pending"


def letter(number: int, code: str = "503") -> dict[str, object]:
    return {
        "tenant_id": f"tenant-{number % 40}",
        "queue": QUEUE,
        "event_type": "refund.send",
        "payload": {"order": number, "amount": number % 997, "note": f"refund of order {number}" * 4},
        "error_class": "network",
        "error_code": code,
        "error_message": f"503 from refunds-api for order {number}",
        "attempts": 5,
    }


async def post(client: Client, first: int, count: int, code: str = "503") -> list[int]:
    body = {"dead_letters": [letter(number, code) for number in range(first, first + count)]}
    ids: list[int] = (await client.call(dead_letters.ADD, body=body))["ids"]
    return ids


async def arrive(client: Client, first: int, arrived: list[int]) -> None:
    """Dead letters that match as well, but come too late."""
    while True:
        arrived += await post(client, first + len(arrived), 5)
        await asyncio.sleep(0.1)


async def looks(client: Client, seconds: list[float]) -> None:
    """What a screen asks for meanwhile."""
    while True:
        began = time.perf_counter()
        await client.call(dead_letters.LIST, query={"filter": CHOSEN, "limit": 50})
        seconds.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)


async def draft(client: Client, count: int) -> int:
    """The id of the operation."""
    preview = await client.call(dead_letters.RETRY_BATCH, body={"filter": CHOSEN})
    assert preview["operation"]["eligible"] == count, preview["operation"]
    return int(preview["operation"]["id"])


async def carry_out(client: Client, operation: int, count: int) -> None:
    await client.call(bulk.CONFIRM, body={"count": count}, id=operation)
    async for message in client.watch(operation):
        last = message
    assert last["operation"]["succeeded"] == count, last


def loop(path: Path, count: int) -> float:
    """Dead letters a second of the plain loop."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    now = int(time.time() * 1000)
    ids = [row[0] for row in connection.execute("SELECT id FROM dead_letters ORDER BY id LIMIT ?", (count,))]
    began = time.perf_counter()
    for start in range(0, len(ids), PER_TRANSACTION):
        connection.execute("BEGIN IMMEDIATE")
        for number in ids[start : start + PER_TRANSACTION]:
            run = connection.execute(
                "INSERT INTO runs (queue, kind, tenant_id, status, priority, run_at, max_attempts, dead_letter_id,"
                " created_at, payload) SELECT queue, event_type, tenant_id, 'waiting', 2, ?, 5, id, ?, payload"
                " FROM dead_letters WHERE id = ?",
                (now, now, number),
            ).lastrowid
            connection.execute(
                "UPDATE dead_letters SET status = 'retrying', retry_run_id = ?, updated_at = ?, version = version + 1"
                " WHERE id = ?",
                (run, now, number),
            )
        connection.execute("COMMIT")
    taken = time.perf_counter() - began
    connection.close()
    return len(ids) / taken


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=100_000)
    parser.add_argument("--exceptions", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as name:
        home, copy = Home(Path(name) / "home"), Path(name) / "copy.db"
        home.create()
        client = await connect(home)
        await client.call(queues.PUT, body={"handler": "worker", "exceptions": args.exceptions}, queue=QUEUE)
        began = time.perf_counter()
        for first in range(0, args.letters, AT_ONCE):
            await post(client, first, min(AT_ONCE, args.letters - first))
        posted = args.letters / (time.perf_counter() - began)
        with sqlite3.connect(home.store) as connection:
            connection.execute("PRAGMA wal_checkpoint(FULL)")
        connection.close()
        await asyncio.to_thread(shutil.copy, home.store, copy)

        idle: list[float] = []
        looking = asyncio.create_task(looks(client, idle))
        await asyncio.sleep(1.5)
        looking.cancel()
        busy: list[float] = []
        arrived: list[int] = []
        beside = [asyncio.create_task(looks(client, busy))]
        began = time.perf_counter()
        operation = await draft(client, args.letters)
        drafted = time.perf_counter() - began
        beside.append(asyncio.create_task(arrive(client, args.letters, arrived)))
        await carry_out(client, operation, args.letters)
        taken = time.perf_counter() - began
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        with sqlite3.connect(home.store) as connection:
            waiting = connection.execute("SELECT count(*) FROM runs WHERE status = 'waiting'").fetchone()[0]
            late = f"SELECT count(*) FROM dead_letters WHERE id > {args.letters} AND status <> 'pending'"
            touched = connection.execute(late).fetchone()[0]
        connection.close()
        assert waiting == args.letters, waiting
        assert touched == 0, touched
        await client.close()
        await stop_engine(home)
        plain = await asyncio.to_thread(loop, copy, args.letters)
    speed = args.letters / taken
    print(f"bulk retry of {args.letters:,} dead letters, {'each with' if args.exceptions else 'without'} an exception")
    print(f"  posted                       {posted:10,.0f} a second")
    print(f"  retried, draft to enqueued   {speed:10,.0f} a second  (the draft took {drafted:.2f} s of it)")
    print(f"  sqlite3 loop, same store     {plain:10,.0f} a second  ours is {speed / plain:.2f} times")
    print(f"  {len(arrived)} that died meanwhile were left alone")
    idle_ms, busy_ms = median(idle) * 1000, median(busy) * 1000
    print(f"  a page of the list: median {idle_ms:.1f} ms before, {busy_ms:.1f} ms during it")


if __name__ == "__main__":
    asyncio.run(main())
