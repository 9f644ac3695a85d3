"""Runs of an http queue delivered to a receiver on loopback, beside a bare httpx loop with the same concurrency.

    python -m benchmarks.deliveries [--runs 5000] [--concurrency 20] [--rounds 3]

Ours: a real engine on SQLite; from the moment a full queue is resumed until every run is completed, each with its
attempt, its answer and its counts. Bare: `httpx.AsyncClient` posting the same bodies, unsigned, nothing kept.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.client.transport import httpx
from quarterdeck.config.home import Home
from quarterdeck.config.settings import Settings
from quarterdeck.contract.models.queues import Pause
from quarterdeck.contract.operations import queues
from quarterdeck.engine.clock import SchedulerClock
from quarterdeck.engine.core import Engine
from quarterdeck.engine.live.hub import Hub
from quarterdeck.engine.metrics.meter import Meter
from quarterdeck.engine.queues import changes, seeding
from quarterdeck.engine.runs import service
from quarterdeck.engine.store.store import Store

TOP = Path(__file__).resolve().parent.parent
QUEUE = "hooks"
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
AT_ONCE = 1_000


class Sink:
    """The receiver, a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TOP
        )
        self.url = f"http://127.0.0.1:{self._read()}/hook"

    def ask(self, words: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def payload(number: int) -> dict[str, Any]:
    return {"type": "refund.sent", "order": f"R-{number}", "amount": "19.90", "currency": "EUR", "customer": "ana"}


async def bare(url: str, count: int, concurrency: int) -> float:
    """Deliveries a second."""
    numbers = iter(range(count))

    async def post(http: httpx.AsyncClient) -> None:
        for number in numbers:
            body = json.dumps(payload(number)).encode()
            response = await http.post(url, content=body, headers={"content-type": "application/json"})
            assert response.status_code == 200

    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as http:
        began = time.perf_counter()
        await asyncio.gather(*(post(http) for _ in range(concurrency)))
        return count / (time.perf_counter() - began)


async def fill(home: Home, settings: Settings, count: int) -> None:
    """A queue with so many runs in it, paused, as the engine will find it."""
    store = await Store.open(settings.store, home)
    try:
        engine = Engine(settings, home, store, Hub(), SchedulerClock(), Meter())
        await seeding.seed(engine)
        await changes.pause_queue(engine, engine.local, QUEUE, Pause())
        for start in range(0, count, AT_ONCE):
            new = [service.New(QUEUE, "refund.sent", "acme", payload(start + number)) for number in range(AT_ONCE)]
            async with store.write() as transaction:
                await service.enqueue(engine, transaction, new[: count - start])
    finally:
        await store.close()


async def ours(client: Client, sink: Sink, count: int) -> float:
    """Deliveries a second."""
    began = time.perf_counter()
    await client.call(queues.RESUME, queue=QUEUE, body={})
    while True:
        await asyncio.sleep(0.05)
        if sink.ask("count") < count:  # the engine itself is not asked while it works
            continue
        found = await client.call(queues.SHOW, queue=QUEUE)
        assert not found["failed"] + found["dead"], found
        if found["completed"] >= count:
            return count / (time.perf_counter() - began)


async def one_round(folder: Path, sink: Sink, count: int, concurrency: int) -> tuple[float, float]:
    """(ours, bare)."""
    from quarterdeck.config.load import load

    home = Home(folder)
    home.create()
    home.config.write_text(
        f'[engine]\nallowed_addresses = ["127.0.0.1/32"]\n'
        f'[queues.{QUEUE}]\nhandler = "http"\ntarget = "{sink.url}"\nsecret_env = "HOOK_SECRET"\n'
        f"concurrency = {concurrency}\n"
    )
    await fill(home, load(home.config), count)
    sink.ask("clear")
    client = await connect(home)
    try:
        rate = await ours(client, sink, count)
    finally:
        await client.close()
        await stop_engine(home)
    good = sink.ask(f"verify {SECRET}")
    assert good == count, f"{good} of {count} deliveries came once and verify"
    return rate, await bare(sink.url, count, concurrency)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--concurrency", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ["HOOK_SECRET"] = SECRET
    sink = Sink()
    ratios = []
    try:
        with tempfile.TemporaryDirectory(prefix="qd-deliveries-") as folder:
            for number in range(asked.rounds):
                home = Path(folder) / str(number)
                mine, bare_ = asyncio.run(one_round(home, sink, asked.runs, asked.concurrency))
                ratios.append(mine / bare_)
                print(
                    f"ours {mine:7,.0f}/s   bare httpx {bare_:7,.0f}/s   {mine / bare_:.2f}x   every signature verified"
                )
    finally:
        sink.stop()
    print(f"median {statistics.median(ratios):.2f}x of bare httpx at concurrency {asked.concurrency} (at least 0.7)")


if __name__ == "__main__":
    main()
