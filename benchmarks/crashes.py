"""The engine is killed with SIGKILL at random moments during bulk operations, and has to end them by itself.

    python -m benchmarks.crashes [--kills 30] [--items 20000] [--seed 1]

After each operation: every item has exactly one event of it, the counters add up; at the end the audit chain
verifies. A kill counts only when it hit an operation that was under way.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from quarterdeck.client.client import Client
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.finding import engine_running
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import audit, bulk, items
from quarterdeck.contract.problems import Problem

RESOURCE = "support_tasks"
BATCHES = (100, 250, 500, 2_000)
# No operation may stand still for longer: what a dead engine held is taken up when the next one starts.
PATIENCE_SECONDS = 120.0


@dataclass
class Outcome:
    """What the killing came to; `faults` are sentences, none where all is well."""

    kills: int = 0
    operations: int = 0
    at: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    audit_entries: int = 0


async def fill(client: Client, count: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < count:
        new = [{"tenant_id": "acme", "title": f"item {number}"} for number in range(min(1_000, count - len(ids)))]
        ids += (await client.call(items.CREATE, resource=RESOURCE, body={"items": new}))["ids"]
    return ids


async def torment(home: Home, count: int, kills: int, seed: int = 1, batches: tuple[int, ...] = BATCHES) -> Outcome:
    """Bulk operations over `count` items until the engine has been killed `kills` times in the middle of one."""
    chance, outcome = random.Random(seed), Outcome()
    client = await connect(home)
    try:
        ids = await fill(client, count)
        lasts = 1.0
        while outcome.kills < kills:
            outcome.operations += 1
            value = f"round {outcome.operations}"
            body = {"ids": ids, "params": {"category": value}, "batch_size": chance.choice(batches)}
            draft = await client.call(bulk.DRAFT, resource=RESOURCE, action="set-category", body=body)
            number = draft["operation"]["id"]
            began = time.perf_counter()
            await client.call(bulk.CONFIRM, id=number, body={"count": count})
            hit = 0
            # Two kills an operation at most, so that the next one meets another operation at another place.
            while outcome.kills < kills and hit < 2:
                await asyncio.sleep(chance.uniform(0, lasts))
                await _kill(home)
                done = _progress(home, number)
                await client.close()
                client = await connect(home)
                if done is None:
                    break
                hit += 1
                outcome.kills += 1
                outcome.at.append(done)
            await _wait_for_the_end(client, number)
            if not hit:
                lasts = max(0.02, lasts * 0.7)  # too late: kill earlier
            elif hit == 1:
                lasts = min(lasts * 1.1, max(0.1, time.perf_counter() - began))
            outcome.faults += _look(home, number, count, value)
        verdict = await client.call(audit.VERIFY)
        outcome.audit_entries = verdict["entries"]
        outcome.faults += [fault["sentence"] for fault in verdict["faults"]]
    finally:
        await client.close()
        await stop_engine(home)
    return outcome


async def _kill(home: Home) -> None:
    pid = engine_running(home)
    assert pid is not None, "the engine has ended by itself"
    engine = psutil.Process(pid)
    engine.kill()
    await asyncio.to_thread(engine.wait, 10)


async def _wait_for_the_end(client: Client, number: int) -> None:
    """Nothing is done here but waiting."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                if (await client.call(bulk.SHOW, id=number))["operation"]["status"] == "completed":
                    return
            except (Unreachable, Problem):
                pass
            await asyncio.sleep(0.01)


def _rows(home: Home, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(home.store)) as connection:
        return connection.execute(query, values).fetchall()


def _progress(home: Home, number: int) -> str | None:
    """Where the operation stood when the engine died; None where it was over."""
    query = "SELECT status, batches_done, batches FROM bulk_operations WHERE id = ?"
    ((status, done, batches),) = _rows(home, query, number)
    return f"{done}/{batches}" if status in ("pending", "in_progress") else None


def _look(home: Home, number: int, count: int, value: str) -> list[str]:
    """Sentences on what is wrong with a finished operation."""
    faults = []
    query = "SELECT count(*), count(DISTINCT item_id) FROM item_events WHERE operation_id = ?"
    ((events, distinct),) = _rows(home, query, number)
    if (events, distinct) != (count, count):
        faults.append(f"operation {number}: {events} events on {distinct} items, not {count} on {count}")
    columns = "status, total, eligible, skipped, succeeded, failed, batches, batches_done"
    ((status, total, eligible, skipped, succeeded, failed, batches, done),) = _rows(
        home, f"SELECT {columns} FROM bulk_operations WHERE id = ?", number
    )
    if (status, total, eligible, skipped, succeeded, failed) != ("completed", count, count, 0, count, 0):
        faults.append(f"operation {number}: {status}, {succeeded} + {failed} of {eligible}, {skipped} of {total}")
    if batches != done:
        faults.append(f"operation {number}: {done} of {batches} batches")
    # What succeeded is what was still pending when its batch was done.
    query = (
        "SELECT count(*) FROM bulk_items i JOIN bulk_operations o ON o.id = i.operation_id"
        " JOIN bulk_batches b ON b.operation_id = o.id AND b.number = (i.seq - o.first_seq) / o.batch_size"
        " WHERE o.id = ? AND i.outcome = 'pending'"
    )
    ((outcomes,),) = _rows(home, query, number)
    ((changed,),) = _rows(home, "SELECT count(*) FROM items WHERE category = ?", value)
    if (outcomes, changed) != (count, count):
        faults.append(f"operation {number}: {outcomes} results and {changed} items, not {count}")
    return faults


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-crashes-", dir="/tmp") as name:
        outcome = await torment(Home(Path(name) / "home"), args.items, args.kills, args.seed)
    print(f"{outcome.kills} kills during {outcome.operations} bulk operations of {args.items:,} items")
    print(f"  killed after batch: {', '.join(outcome.at)}")
    print(f"  every item one event of each operation, counters add up: {'no' if outcome.faults else 'yes'}")
    print(f"  audit chain of {outcome.audit_entries} entries: {'see below' if outcome.faults else 'intact'}")
    for fault in outcome.faults:
        print(f"  FAULT {fault}")
    raise SystemExit(1 if outcome.faults else 0)


if __name__ == "__main__":
    asyncio.run(main())
