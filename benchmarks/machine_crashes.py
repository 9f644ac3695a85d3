"""Engine, host processes and workers are killed with SIGKILL at random moments while runs write lines to a file.

    python -m benchmarks.machine_crashes [--kills 30] [--runs 20000] [--seed 1]

Half of the runs are carried out by a python queue, half by workers outside. Afterwards: every run is completed and
has its line; none was completed by an attempt that did not write; no attempt wrote twice; and a run that wrote more
than once says of each attempt before the last that it was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
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
from quarterdeck.contract.operations import runs
from quarterdeck.contract.problems import Problem

TOP = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 180.0
WORKERS = 2
CONFIG = """
[engine]
handler_modules = ["benchmarks.appender"]

[queues.inside]
handler = "python"
target = "benchmarks.appender:append"
concurrency = 20
max_attempts = 50

[queues.outside]
handler = "worker"
concurrency = 60
max_attempts = 50
"""


@dataclass
class Outcome:
    """What the killing came to; `faults` are sentences, none where all is well."""

    kills: Counter[str] = field(default_factory=Counter)
    at: list[int] = field(default_factory=list)
    twice: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)


class Scene:
    """A home, the file, and who works."""

    def __init__(self, home: Home, total: int) -> None:
        self.home, self.total = home, total
        self.file = home.path / "effects"
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._number = 0

    def start_workers(self) -> None:
        while len(self.workers) < WORKERS:
            self._number += 1
            name = f"outside-{self._number}"
            command = [sys.executable, "-m", "benchmarks.appender", str(self.home.path), name]
            self.workers[name] = subprocess.Popen(
                command, cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

    def lines(self) -> int:
        return self.file.read_bytes().count(b"\n") if self.file.exists() else 0

    async def kill(self, what: str) -> bool:
        """Whether there was one to kill."""
        if what == "worker":
            name = random.choice(sorted(self.workers))
            process = self.workers.pop(name)
            process.kill()
            await asyncio.to_thread(process.wait, 10)
            return True
        pid = engine_running(self.home)
        if pid is None:
            return False
        engine = psutil.Process(pid)
        if what == "host":
            hosts = [each for each in engine.children() if "quarterdeck.engine.runs.host" in " ".join(each.cmdline())]
            if not hosts:
                return False
            hosts[0].kill()
            return True
        engine.kill()
        await asyncio.to_thread(engine.wait, 10)
        return True

    def stop(self) -> None:
        for process in self.workers.values():
            process.kill()
            process.wait(10)


async def enqueue(client: Client, scene: Scene) -> None:
    payload = {"file": str(scene.file), "seconds": 0.002}
    for first in range(0, scene.total, 1_000):
        new = [
            {"queue": ("inside", "outside")[number % 2], "kind": "append", "tenant_id": "acme", "payload": payload}
            for number in range(first, min(scene.total, first + 1_000))
        ]
        await client.call(runs.ENQUEUE, body={"runs": new})


async def torment(home: Home, total: int, kills: int, seed: int = 1) -> Outcome:
    """Kills at random, evenly over the work; engines and workers are started again at once."""
    chance, outcome, scene = random.Random(seed), Outcome(), Scene(home, total)
    random.seed(seed)
    home.create()
    home.config.write_text(CONFIG)
    os.environ["PYTHONPATH"] = str(TOP)
    client = await connect(home)
    try:
        await enqueue(client, scene)
        scene.start_workers()
        marks = sorted(chance.randrange(total // 50, total - total // 20) for _ in range(kills))
        for mark in marks:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    if scene.lines() >= mark:
                        break
                    await asyncio.sleep(0.005)
            what = chance.choice(["engine", "engine", "host", "worker"])
            if not await scene.kill(what):
                what = "engine"
                await scene.kill(what)
            outcome.kills[what] += 1
            outcome.at.append(scene.lines())
            scene.start_workers()
            if what == "engine":
                await client.close()
                client = await connect(home)
        await _until_done(client, home)
        outcome.faults += _look(scene, outcome)
    finally:
        scene.stop()
        await client.close()
        pid = await stop_engine(home)
        with contextlib.suppress(psutil.NoSuchProcess):
            await asyncio.to_thread(psutil.Process(pid).wait, 10)
    return outcome


async def _until_done(client: Client, home: Home) -> None:
    """Nothing is done here but waiting."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            await asyncio.sleep(0.1)
            try:
                found = await client.call(
                    runs.LIST, query={"filter": "status:scheduled,waiting,active,failed", "limit": 1}
                )
                if not found["items"]:
                    return
            except (Unreachable, Problem):
                continue


def _rows(home: Home, query: str) -> list[Any]:
    with closing(sqlite3.connect(home.store)) as connection:
        return connection.execute(query).fetchall()


def _look(scene: Scene, outcome: Outcome) -> list[str]:
    """Sentences on what is wrong."""
    faults = []
    written: dict[int, Counter[int]] = defaultdict(Counter)
    for line in scene.file.read_text().splitlines():
        run_id, attempt = map(int, line.split())
        written[run_id][attempt] += 1
    attempts: dict[int, dict[int, str]] = defaultdict(dict)
    for run_id, number, how in _rows(scene.home, "SELECT run_id, number, outcome FROM run_attempts"):
        attempts[run_id][number] = how
    states = _rows(scene.home, "SELECT id, status, attempt FROM runs")
    if len(states) != scene.total:
        faults.append(f"{len(states)} runs, not {scene.total}")
    for run_id, status, attempt in states:
        lines, story = written[run_id], attempts[run_id]
        if status != "completed":
            faults.append(f"run {run_id} is {status}")
        elif lines[attempt] != 1 or story.get(attempt) != "completed":
            faults.append(f"run {run_id} was completed by attempt {attempt}, which wrote {lines[attempt]} lines")
        if any(number > 1 for number in lines.values()):
            faults.append(f"run {run_id} wrote twice in one attempt: {dict(lines)}")
        earlier = [number for number in lines if number != attempt]
        if any(story.get(number) != "lost" for number in earlier):
            faults.append(f"run {run_id} wrote in attempts {sorted(lines)} but says {story}")
        if list(story.values()).count("completed") > 1:
            faults.append(f"run {run_id} was completed twice: {story}")
        outcome.twice += sum(lines.values()) > 1
        outcome.lost += list(story.values()).count("lost")
    counted = dict(_rows(scene.home, "SELECT status, sum(difference) FROM run_tallies GROUP BY status"))
    if {name: number for name, number in counted.items() if number} != {"completed": scene.total}:
        faults.append(f"counted {counted}")
    return faults


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-crashes-", dir="/tmp") as name:
        outcome = await torment(Home(Path(name) / "home"), args.runs, args.kills, args.seed)
    said = ", ".join(f"{number} × {what}" for what, number in sorted(outcome.kills.items()))
    print(f"{outcome.kills.total()} kills ({said}) during {args.runs:,} runs")
    print(f"  killed after so many lines: {', '.join(map(str, outcome.at))}")
    print(f"  {outcome.lost} attempts lost, {outcome.twice} runs wrote more than once and say so")
    print(f"  every run completed, by an attempt that wrote, counted once: {'no' if outcome.faults else 'yes'}")
    for fault in outcome.faults[:20]:
        print(f"  FAULT {fault}")
    raise SystemExit(1 if outcome.faults else 0)


if __name__ == "__main__":
    asyncio.run(main())
