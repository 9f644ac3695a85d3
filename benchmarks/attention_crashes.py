"""The engine is killed with SIGKILL at random moments while alerts fire, clocks break and usage is posted.

    python -m benchmarks.attention_crashes [--kills 10] [--seed 1]

Alerts are posted in many groups and told to a receiver that is often slow and sometimes refuses; items fall due all
the while; usage is posted and metered. Afterwards: every alert whose post was answered was told; a message that came
again has the id, and the words, of its first; no group spoke more often than its interval allows; every clock is as
its timeline gives it, broken at the moment it was due, and told of in one message by its escalation; usage is the sum
of what was posted, once; and of the calls no more are missing than a second before each kill holds, and none after a
stop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.attention_checks import Outcome, faults_of, metered, settled
from benchmarks.attention_sink import Sink, listening
from quarterdeck.client.client import Client
from quarterdeck.client.errors import Unreachable
from quarterdeck.client.finding import engine_running
from quarterdeck.client.local import connect, stop_engine
from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations import Operation, alerts, channels, items, sla, usage
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Problem

SECRET, SECRET_ENV = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "QUARTERDECK_CHANNEL_SINK"
RESOURCE, SOURCE = "support_tasks", "https://sms.example.com"
INTERVAL_SECONDS = 1
PROMISED_SECONDS = 60
PATIENCE_SECONDS = 60.0
# Whose calls are made just before the engine is stopped.
CLOSER = Principal("closer", Role.OPERATOR, frozenset({"closing"}))
LAST_CALLS = 20
CONFIG = f"""
[engine]
allowed_addresses = ["127.0.0.1/32"]

[alerts]
group_wait_seconds = 1
group_interval_seconds = {INTERVAL_SECONDS}
channel_per_minute = 10000
"""
RULE = {
    "name": "Everything",
    "type": "external",
    "settings": {
        "matchers": [{"name": "alertname", "value": ".+", "is_regex": True}],
        "channels": ["sink"],
        "group_by": ["group"],
    },
}
POLICY = {
    "name": "A minute",
    "resource": RESOURCE,
    "effective_from": "2020-01-01T00:00:00Z",
    "settings": {
        "targets": [{"priority": "normal", "resolution_minutes": PROMISED_SECONDS // 60}],
        "escalation": [{"percent": 100, "act": "notify", "does": "do", "channels": ["sink"]}],
    },
}


class Scene:
    """A home, whoever calls its engine, and what was answered."""

    def __init__(self, home: Home, client: Client, chance: random.Random, outcome: Outcome) -> None:
        self.home, self.client, self.chance, self.outcome = home, client, chance, outcome
        self.over = asyncio.Event()

    async def call(self, op: Operation, body: Any = None, **path: Any) -> dict[str, Any]:
        """Again and again until it is answered; what was lost on its way may have happened."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    found = await self.client.call(op, body=body, **path)
                except Unreachable:
                    self.outcome.unclear += 1
                    await asyncio.sleep(0.05)
                    await self.client.reopen()
                except Problem:
                    self.outcome.answered.append(time.time())
                    raise
                else:
                    self.outcome.answered.append(time.time())
                    return found

    async def until_over(self, work: Callable[[], Coroutine[Any, Any, None]], pause: float) -> None:
        while not self.over.is_set():
            await work()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), self.chance.uniform(0, 2 * pause))

    async def fire(self) -> None:
        """A few alerts, each new, in groups that are made anew all the time."""
        first = len(self.outcome.fired)
        names = [f"alert-{number}" for number in range(first, first + self.chance.randrange(1, 20))]
        ends = datetime.fromtimestamp(time.time() + 86_400, UTC).isoformat()
        said = [{"alertname": "Trouble", "n": name, "group": self._group(first)} for name in names]
        await self.call(alerts.POST, [{"labels": labels, "endsAt": ends} for labels in said])
        self.outcome.fired.update(names)

    def _group(self, number: int) -> str:
        return f"{number // 500}-{self.chance.randrange(20)}"

    async def use(self) -> None:
        """A few events, some of them for the second time."""
        known = sorted(self.outcome.used)
        new = {f"event-{len(known) + more}": self.chance.randrange(1, 100) for more in range(5)}
        again = {name: self.outcome.used[name] for name in known[-2:]}
        events = [
            {"source": SOURCE, "id": name, "tenant_id": "acme", "resource_type": "sms_sent", "quantity": quantity}
            for name, quantity in {**new, **again}.items()
        ]
        await self.call(usage.RECORD, {"events": events})
        self.outcome.used.update(new)

    async def enter(self) -> None:
        """Items that fall due within the next seconds, or did while nobody looked."""
        now = time.time() - PROMISED_SECONDS
        first = self.outcome.items
        new = [
            {
                "external_id": f"item-{number}",
                "tenant_id": "acme",
                "title": f"item {number}",
                "created_at": datetime.fromtimestamp(now + self.chance.uniform(-1, 3), UTC).isoformat(),
            }
            for number in range(first, first + 10)
        ]
        await self.call(items.IMPORT, {"import_id": "crashes", "items": new}, resource=RESOURCE)
        self.outcome.items += len(new)

    async def resolve(self) -> None:
        """One that may be late by now, or not."""
        number = self.chance.randrange(1, max(2, self.outcome.items))
        with contextlib.suppress(Problem):  # it is resolved already, or not there yet
            await self.call(items.ACT, {"params": {}}, resource=RESOURCE, id=number, action="resolve")
            self.outcome.done.add(number)

    async def kill(self, sink: Sink) -> None:
        pid = engine_running(self.home)
        assert pid is not None, "the engine has ended by itself"
        engine = psutil.Process(pid)
        self.outcome.kills.append(time.time())
        engine.kill()
        await asyncio.to_thread(engine.wait, 10)
        await (await connect(self.home)).close()
        sink.trusted = time.time()


async def torment(
    home: Home, kills: int, seed: int = 1, lasts: tuple[float, float] = (0.5, 2.5), refuses: float = 0.1
) -> Outcome:
    """Between two kills the engine lives for a time within `lasts` (s). `refuses`: the share of messages that are
    taken with the second attempt only, five seconds later."""
    chance, outcome = random.Random(seed), Outcome()
    home.create()
    home.config.write_text(CONFIG)
    os.environ[SECRET_ENV] = SECRET
    client = await connect(home)
    scene = Scene(home, client, chance, outcome)
    try:
        async with listening(Sink(SECRET, chance, refuses)) as sink:
            settings = {"kind": "webhook", "url": f"http://127.0.0.1:{sink.port}/"}
            await scene.call(channels.CREATE, {"name": "sink", "settings": settings, "secret_env": SECRET_ENV})
            await scene.call(alerts.CREATE, RULE)
            await scene.call(sla.CREATE, POLICY)
            work = ((scene.fire, 0.03), (scene.use, 0.03), (scene.enter, 0.2), (scene.resolve, 0.1))
            async with asyncio.TaskGroup() as group:
                for each, pause in work:
                    group.create_task(scene.until_over(each, pause))
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(*lasts))
                    await scene.kill(sink)
                scene.over.set()
            await settled(home, sink, outcome.fired, PATIENCE_SECONDS)
            outcome.faults += await _replayed(scene)
            async with await connect(home, act_as=CLOSER) as closer:
                for _ in range(LAST_CALLS):
                    await closer.call(items.COUNT, resource=RESOURCE)
                    outcome.answered.append(time.time())
            await client.close()
            await stop_engine(home)
            counted = metered(home, tenant="closing")
            if counted != LAST_CALLS:
                outcome.faults.append(f"a stop lost calls: {counted} of {LAST_CALLS} are metered")
            outcome.faults += faults_of(home, sink, outcome, INTERVAL_SECONDS, PROMISED_SECONDS)
    finally:
        await client.close()
        await stop_engine(home)
        os.environ.pop(SECRET_ENV, None)
    return outcome


async def _replayed(scene: Scene) -> list[str]:
    """What `qd sla replay` would say."""
    after: int | None = 0
    looked = 0
    while after is not None:
        found = await scene.call(sla.REPLAY, {"resource": RESOURCE, "after": after})
        if found["differing"]:
            return [f"{found['differing']} clocks are not as their timelines give them: {found['differences'][:1]}"]
        looked, after = looked + found["clocks"], found["after"]
    return [] if looked == scene.outcome.items else [f"{looked} clocks for {scene.outcome.items} items"]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-crashes-", dir="/tmp") as name:
        outcome = await torment(Home(Path(name) / "home"), args.kills, args.seed)
    print(f"{len(outcome.kills)} kills, {outcome.unclear} calls that were not answered and were made again")
    for what, number in outcome.figures.items():
        print(f"  {number:>8,} {what}")
    print(f"  nothing lost, nothing twice but with its own id, clocks right: {'no' if outcome.faults else 'yes'}")
    for fault in outcome.faults[:20]:
        print(f"  FAULT {fault}")
    raise SystemExit(1 if outcome.faults else 0)


if __name__ == "__main__":
    asyncio.run(main())
