"""Eight processes claim everything at once: nobody gets what another has, on SQLite and on PostgreSQL.

    python -m benchmarks.claims [--items 4000] [--processes 8]

Claims a second stand beside the engine's bare request rate (GET /healthz), asked for by the same processes
in the same way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.client.client import Client
from quarterdeck.client.finding import socket_of
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.operations import items

TOP = Path(__file__).resolve().parent.parent
RESOURCE = "support_tasks"


@dataclass(frozen=True)
class Rush:
    """What everybody got: name -> ids, and how long it took from the word `go` (seconds)."""

    taken: dict[str, list[int]]
    seconds: float

    @property
    def ids(self) -> list[int]:
        return [item for each in self.taken.values() for item in each]


def rush(home: Home, what: str, processes: int, count: int) -> Rush:
    """Start everybody, wait until all are connected, say go, and wait for the last."""
    command = [sys.executable, "-m", "benchmarks.claimer", str(socket_of(home))]
    running = [
        subprocess.Popen(
            [*command, f"person-{number}", what, str(count // processes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TOP,
        )
        for number in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n", "a process did not start"
    began = time.perf_counter()
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [json.loads(each.communicate(timeout=300)[0]) for each in running]
    return Rush({each["name"]: each["ids"] for each in said}, time.perf_counter() - began)


async def fill(client: Client, count: int) -> set[int]:
    """New items, unassigned."""
    ids: list[int] = []
    while len(ids) < count:
        new = [{"tenant_id": "acme", "title": f"item {number}"} for number in range(min(1_000, count - len(ids)))]
        ids += (await client.call(items.CREATE, resource=RESOURCE, body={"items": new}))["ids"]
    return set(ids)


async def claimed_twice(client: Client, ids: set[int]) -> list[int]:
    """Items whose timeline tells of anything but one claim."""
    wrong = []
    for item in sorted(ids):
        timeline = await client.call(items.EVENTS, resource=RESOURCE, id=item)
        if [event["type"] for event in timeline["items"]].count("claimed") != 1:
            wrong.append(item)
    return wrong


async def measure(home: Home, count: int, processes: int) -> tuple[Rush, Rush, set[int], list[int]]:
    """(claims, bare requests, the items there were, items that were claimed twice or never)."""
    client = await connect(home)
    try:
        made = await fill(client, count)
        bare = await asyncio.to_thread(rush, home, "healthz", processes, count)
        claims = await asyncio.to_thread(rush, home, "claim", processes, count)
        return claims, bare, made, await claimed_twice(client, made)
    finally:
        await client.close()
        await stop_engine(home)


def report(store: str, claims: Rush, bare: Rush, made: set[int], wrong: list[int]) -> bool:
    """Print it; whether all was well."""
    speed, requests = len(claims.ids) / claims.seconds, len(made) / bare.seconds
    print(f"{store}: {len(claims.taken)} processes, {len(made):,} items")
    print(f"  claimed {len(claims.ids):,}, distinct {len(set(claims.ids)):,}, twice or never {len(wrong):,}")
    print(f"  {speed:8,.0f} claims/s   beside {requests:8,.0f} bare requests/s: {speed / requests:.2f} times")
    return sorted(claims.ids) == sorted(made) and not wrong


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=4_000)
    parser.add_argument("--processes", type=int, default=8)
    args = parser.parse_args()
    from tests.support.postgres import PostgresServer

    server = PostgresServer()
    well = True
    try:
        with tempfile.TemporaryDirectory(prefix="qd-claims-", dir="/tmp") as name:
            for store in ("SQLite", "PostgreSQL"):
                home = Home(Path(name) / store)
                home.create()
                if store == "PostgreSQL":
                    home.config.write_text(f'[store]\nurl = "{server.database()}"\n')
                well &= report(store, *await measure(home, args.items, args.processes))
    finally:
        server.stop()
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    asyncio.run(main())
