"""Bulk assign through the API beside plain sqlite3 loops; preview of a million; memory of the engine.

    python -m benchmarks.bulk [--items 1000000] [--acted 100000]

Baselines, both an UPDATE and an event INSERT for each item in transactions of 500 (WAL, NORMAL):
`same store` on a copy of the same database, `bare tables` on two tables without any index.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.world import make
from quarterdeck.client.client import Client
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import bulk, items, system

RESOURCE = "support_tasks"
PER_TRANSACTION = 500


def loop(path: Path, ids: list[int]) -> float:
    """Items a second of the plain loop."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    now = int(time.time() * 1000)
    began = time.perf_counter()
    for start in range(0, len(ids), PER_TRANSACTION):
        connection.execute("BEGIN IMMEDIATE")
        for number in ids[start : start + PER_TRANSACTION]:
            connection.execute(
                "UPDATE items SET assignee = ?, updated_at = ?, version = version + 1 WHERE id = ?",
                ("zoe", now, number),
            )
            connection.execute(
                "INSERT INTO item_events (item_id, at, actor, type, changes) VALUES (?, ?, ?, ?, ?)",
                (number, now, "ana", "assigned", '{"assignee":[null,"zoe"]}'),
            )
        connection.execute("COMMIT")
    taken = time.perf_counter() - began
    connection.close()
    return len(ids) / taken


def bare(path: Path, ids: list[int]) -> float:
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT, assignee TEXT, updated_at INTEGER, version INTEGER);"
        "CREATE TABLE item_events (id INTEGER PRIMARY KEY, item_id INTEGER, at INTEGER, actor TEXT, type TEXT,"
        " changes TEXT);"
    )
    with connection:
        connection.executemany(
            "INSERT INTO items VALUES (?, ?, NULL, 0, 1)", ((number, f"Item number {number}") for number in ids)
        )
    connection.close()
    return loop(path, ids)


def peak_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


async def ours(client: Client, acted: int) -> tuple[float, float, float]:
    """(items a second from confirm to done, seconds of the draft, seconds of the preview of everything)."""
    everything = await client.call(items.SELECT, body={"filter": ""}, resource=RESOURCE)
    began = time.perf_counter()
    whole = await client.call(
        bulk.DRAFT,
        body={"selection": everything["token"], "params": {"category": "bench"}},
        resource=RESOURCE,
        action="set-category",
    )
    preview = time.perf_counter() - began
    await client.call(bulk.CANCEL, id=whole["operation"]["id"])

    chosen = await client.call(
        items.SELECT, body={"filter": "status:open,waiting,in_progress assignee:none"}, resource=RESOURCE
    )
    ids = await _ids(client, acted)
    began = time.perf_counter()
    draft = await client.call(
        bulk.DRAFT, body={"ids": ids, "params": {"assignee": "zoe"}}, resource=RESOURCE, action="assign"
    )
    drafted = time.perf_counter() - began
    assert draft["operation"]["eligible"] == acted, (draft["operation"], chosen["count"])
    began = time.perf_counter()
    await client.call(bulk.CONFIRM, body={"count": acted}, id=draft["operation"]["id"])
    async for message in client.watch(draft["operation"]["id"]):
        last = message
    taken = time.perf_counter() - began
    assert last["operation"]["succeeded"] == acted, last
    return acted / taken, drafted, preview


async def _ids(client: Client, count: int) -> list[int]:
    ids: list[int] = []
    cursor = None
    while len(ids) < count:
        query = {"filter": "status:open,waiting,in_progress assignee:none", "sort": "created", "limit": 500}
        page = await client.call(items.LIST, query=query | ({"cursor": cursor} if cursor else {}), resource=RESOURCE)
        ids += [item["id"] for item in page["items"]]
        cursor = page["next"]
    return ids[:count]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--acted", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as name:
        folder = Path(name)
        home = await asyncio.to_thread(make, folder / "home", args.items)
        copy = folder / "copy.db"
        shutil.copy(home.store, copy)
        client = await connect(Home(folder / "home"))
        pid = int((await client.call(system.ENGINE))["pid"])
        speed, drafted, preview = await ours(client, args.acted)
        memory = peak_mib(pid)
        with sqlite3.connect(home.store) as connection:
            # What succeeded is what was still pending when its batch was done.
            query = (
                "SELECT item_id FROM bulk_items WHERE outcome = 'pending' AND operation_id ="
                " (SELECT max(operation_id) FROM bulk_batches) ORDER BY item_id"
            )
            ids = [row[0] for row in connection.execute(query)]
        assert len(ids) == args.acted
        connection.close()
        await client.close()
        await stop_engine(home)
        same, plain = loop(copy, ids), bare(folder / "bare.db", ids)
    print(f"bulk assign, {args.acted:,} of {args.items:,} items, confirm to done")
    print(f"  ours                         {speed:10,.0f} items/s  (draft {drafted:.2f} s before it)")
    print(f"  sqlite3 loop, same store     {same:10,.0f} items/s  ours is {speed / same:.2f} times")
    print(f"  sqlite3 loop, bare tables    {plain:10,.0f} items/s  ours is {speed / plain:.2f} times")
    print(f"preview of {args.items:,} frozen items: {preview:.2f} s")
    print(f"engine memory, peak: {memory:.0f} MiB")


if __name__ == "__main__":
    asyncio.run(main())
