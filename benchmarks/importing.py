"""Imports through the command line beside a plain csv.DictReader + sqlite3 loop over the same rows.

    python -m benchmarks.importing [--rows 100000] [--real FOLDER]

`--real` is a folder with volvo_incidents.csv.gz, nyc311_requests.csv.gz and gcp_incidents.json.gz; they are
imported with the mappings of docs/examples, twice, and what came in is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
import resource as usage
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from quarterdeck.client.finding import engine_running
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.operations import items

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
REAL = {
    "volvo_incidents.csv.gz": "volvo.toml",
    "nyc311_requests.csv.gz": "nyc311.toml",
    "gcp_incidents.json.gz": "gcp.toml",
}
MAPPING = """
[item]
external_id = "id"
tenant_id = "tenant"
title = "subject"
status = { column = "state", values = { New = "open", Done = "closed", Wait = "waiting" } }
priority = { column = "urgency", values = { 1 = "urgent", 2 = "high", 3 = "normal", 4 = "low" } }
created_at = "opened"
"""


def make(path: Path, rows: int) -> None:
    chance = random.Random(1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "tenant", "subject", "state", "urgency", "opened"])
        for number in range(rows):
            opened = f"2026-0{chance.randint(1, 9)}-{chance.randint(10, 28)}T08:00:00Z"
            state = chance.choice(("New", "Done", "Wait"))
            tenant = chance.choice(("acme", "borg", "cask"))
            writer.writerow([f"M-{number}", tenant, f"Ticket {number}", state, chance.choice("1234"), opened])


def plain(path: Path, database: Path) -> float:
    """Seconds of the loop that many would write: one table, one INSERT a row and one for its event."""
    began = time.perf_counter()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE items(id INTEGER PRIMARY KEY, external TEXT UNIQUE, tenant, title, status, priority, created);"
        "CREATE TABLE events(id INTEGER PRIMARY KEY, item_id, at, type);"
    )
    connection.execute("BEGIN")
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            values = (row["id"], row["tenant"], row["subject"], row["state"], row["urgency"], row["opened"])
            made = connection.execute("INSERT INTO items VALUES (NULL, ?, ?, ?, ?, ?, ?)", values)
            connection.execute("INSERT INTO events VALUES (NULL, ?, ?, 'created')", (made.lastrowid, row["opened"]))
            if number % 500 == 0:
                connection.execute("COMMIT")
                connection.execute("BEGIN")
    connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - began


def load(home: Home, file: Path, mapping: Path) -> tuple[dict[str, Any], float]:
    """The summary of `qd import` and its seconds."""
    words = ["import", "support_tasks", str(file), "--mapping", str(mapping), "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "quarterdeck.cli", "--home", str(home.path), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=home.path,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout), time.perf_counter() - began


def peak(pid: int) -> float:
    """MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


async def count(home: Home) -> int:
    async with await connect(home) as client:
        found = await client.call(items.COUNT, resource=Resource.SUPPORT_TASKS)
        return int(found["count"])


def made_up(folder: Path, rows: int) -> None:
    file, mapping = folder / "rows.csv", folder / "map.toml"
    make(file, rows)
    mapping.write_text(MAPPING)
    base = plain(file, folder / "plain.db")
    home = Home(folder / "home")
    home.create()
    asyncio.run(count(home))
    _, first = load(home, file, mapping)
    _, again = load(home, file, mapping)
    pid = engine_running(home)
    print(f"{rows:,} rows         rows/s    ratio")
    print(f"plain loop      {rows / base:10,.0f}")
    print(f"import          {rows / first:10,.0f}   {base / first:6.2f}")
    print(f"import again    {rows / again:10,.0f}   {base / again:6.2f}")
    ours = usage.getrusage(usage.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"memory: qd {ours:.0f} MiB, engine {peak(pid) if pid else 0:.0f} MiB")
    asyncio.run(stop_engine(home))


def real(folder: Path, data: Path) -> None:
    home = Home(folder / "real")
    home.create()
    before = asyncio.run(count(home))
    for name, mapping in REAL.items():
        first, seconds = load(home, data / name, EXAMPLES / mapping)
        again, _ = load(home, data / name, EXAMPLES / mapping)
        after = asyncio.run(count(home))
        told = f"{first['created']:,} created, {first['events']:,} timeline rows, {first['rejected']} rejected"
        changed = again["created"] + again["updated"] + again["events"]
        print(f"{name:<26} {after - before:>6,} items, {told}, {seconds:.1f} s; again: {changed} changes")
        before = after
    asyncio.run(stop_engine(home))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--real", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as name:
        folder = Path(name)
        made_up(folder, options.rows)
        if options.real:
            real(folder, options.real)


if __name__ == "__main__":
    main()
