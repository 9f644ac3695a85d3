"""100,000 alerts that fire: evaluation, acknowledging, lists and filters; and a source that flaps.

    python -m benchmarks.alerts [--alerts 100000] [--postgres]

Services over a store of its own, without the API around them. The baseline is the same number of rows read and
compared by a plain loop.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from quarterdeck.config.home import Home
from quarterdeck.config.settings import Settings, StoreSettings
from quarterdeck.contract.clock import HOUR, MINUTE, iso, now_ms
from quarterdeck.contract.enums import AlertState, AlertType, Role, Severity
from quarterdeck.contract.models import alert_rules
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.models.channels import NewChannel
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.alerts import acting, board, evaluation, history, notices, outside, rules
from quarterdeck.engine.alerts.sending import Notice, Outlet
from quarterdeck.engine.alerts.tables import alert_groups, alerts
from quarterdeck.engine.channels.managing import create_channel
from quarterdeck.engine.clock import SchedulerClock
from quarterdeck.engine.core import Engine
from quarterdeck.engine.live.hub import Hub
from quarterdeck.engine.metrics.meter import Meter
from quarterdeck.engine.sla.tables import sla_breaches
from quarterdeck.engine.store.store import Store, Transaction

ROOT = Principal("bench", Role.SUPER_ADMIN)
ACKNOWLEDGED = 500


class Sink:
    """A channel that only counts."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    async def notify(
        self, engine: Engine, transaction: Transaction, channels: Sequence[str], notice: Notice
    ) -> list[int]:
        self.titles.append(notice.title)
        return []


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def best(work: Callable[[], Awaitable[Any]], tries: int = 5) -> float:
    return statistics.median([await timed(work) for _ in range(tries)])


def say(what: str, seconds: float, limit: float) -> bool:
    kept = seconds <= limit
    print(f"{what:<58}{seconds * 1_000:>10.1f} ms   {'within' if kept else 'OVER'} {limit * 1_000:,.0f} ms", flush=True)
    return kept


async def fill(store: Store, number: int) -> None:
    now = now_ms()
    rows = [
        {
            "item_id": item,
            "target": "resolution",
            "breached_at": now - HOUR,
            "tenant_id": f"tenant-{item % 50}",
            "resource": "support_tasks",
            "priority": item % 4,
        }
        for item in range(1, number + 1)
    ]
    for start in range(0, number, 10_000):
        async with store.write() as transaction:
            await transaction.connection.execute(sla_breaches.insert(), rows[start : start + 10_000])


async def tidy(store: Store) -> None:
    """What a PostgreSQL server does by itself within a minute of so much having changed."""
    if store.dialect.name == "postgresql":
        async with store.read() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute("VACUUM ANALYZE alerts")


async def plain(store: Store) -> None:
    """What is broken and what fires, read and compared, and nothing else."""
    async with store.read() as connection:
        items = (await connection.execute(select(sla_breaches.c.item_id))).scalars().all()
        known = (await connection.execute(select(alerts.c.series).where(alerts.c.state == "firing"))).scalars().all()
    if {f'["{item}"]' for item in items} != set(known):
        raise SystemExit("The alerts are not those of the items.")


async def acknowledging(engine: Engine) -> list[float]:
    took = []
    newest = await history.history(engine, ROOT, models.HistoryQuery(limit=500, state=AlertState.FIRING))
    for each in newest.items[:ACKNOWLEDGED]:
        took.append(await timed(lambda each=each: acting.acknowledge(engine, ROOT, models.Acknowledge(ids=[each.id]))))
    return sorted(took)


async def flapping(engine: Engine, sink: Sink) -> bool:
    """A thousand changes in what stands for a minute."""
    settings = alert_rules.RuleSettings(channels=["ops"])
    new = alert_rules.NewRule(name="outside", type=AlertType.EXTERNAL, settings=settings)
    await rules.create_rule(engine, ROOT, new)
    before = len(sink.titles)
    body: dict[str, Any] = {"labels": {"alertname": "Flapping", "host": "a"}}
    for number in range(1_000):
        ended = {"endsAt": iso(now_ms())} if number % 2 else {}
        await outside.post(engine, ROOT, models.PostedAlerts.model_validate([{**body, **ended}]))
        if number % 20 == 0:
            await notices.flush(engine)
    mine = alerts.c.name == "Flapping"
    async with engine.store.read() as connection:
        number = (await connection.execute(select(func.count()).where(mine))).scalar_one()
        groups = select(func.count(alert_groups.c.id.distinct())).join(alerts, alerts.c.group_id == alert_groups.c.id)
        found = (await connection.execute(groups.where(mine))).scalar_one()
    said = len(sink.titles) - before
    print(f"1,000 changes of one source: {number} alert, {found} group, {said} notices", flush=True)
    return bool(number == 1 and found == 1 and said <= 2)


async def measure(store: Store, home: Home, number: int) -> bool:
    engine = Engine(Settings(), home, store, Hub(), SchedulerClock(), Meter())
    sink = Sink()
    engine.keep(Outlet, Outlet).notify = sink.notify
    hook = {"name": "ops", "settings": {"kind": "webhook", "url": "https://hooks.example.org/x"}}
    await create_channel(engine, ROOT, NewChannel.model_validate(hook))
    settings = alert_rules.RuleSettings.model_validate({"threshold": 1, "by": ["item"], "channels": ["ops"]})
    await rules.create_rule(
        engine, ROOT, alert_rules.NewRule(name="late", type=AlertType.SLA_BREACH, settings=settings)
    )
    await fill(store, number)
    print(f"{store.dialect.name}, {number:,} alerts", flush=True)
    first = await timed(lambda: evaluation.evaluate(engine))
    print(f"{'all of them begin to fire':<58}{first * 1_000:>10.1f} ms", flush=True)
    kept = [say("evaluation of them", await best(lambda: evaluation.evaluate(engine)), 2.0)]
    base = await best(lambda: plain(store))
    print(f"{'  beside reading and comparing only':<58}{base * 1_000:>10.1f} ms", flush=True)
    async with store.write() as transaction:
        await transaction.connection.execute(alert_groups.update().values(next_at=now_ms() - MINUTE))
    spoke = await timed(lambda: notices.flush(engine))
    print(f"{'their group speaks, and notes of each that it was told':<58}{spoke * 1_000:>10.1f} ms", flush=True)
    took = await acknowledging(engine)
    print(f"{'acknowledge one, median':<58}{statistics.median(took) * 1_000:>10.1f} ms", flush=True)
    kept.append(say("acknowledge one, p99", took[int(len(took) * 0.99)], 0.05))
    word = models.HistoryQuery(filter="state:firing severity:warning nowhere")
    early = await best(lambda: history.history(engine, ROOT, word))
    print(f"{'a word that none has, just after so much has changed':<58}{early * 1_000:>10.1f} ms", flush=True)
    await tidy(store)
    page = (await history.history(engine, ROOT, models.HistoryQuery(limit=100))).next
    queries: dict[str, dict[str, Any]] = {
        "list": {},
        "list, second page": {"cursor": page},
        "filter: firing": {"state": AlertState.FIRING},
        "filter: critical (none)": {"severity": Severity.CRITICAL},
        "filter: tenant": {"tenant": "tenant-7"},
        "filter: a label that one has": {"label": f"item={number // 2}"},
        "filter: a label that none has": {"label": "item=none"},
        "filter: acknowledged": {"acknowledged": True},
        "filter: silenced (none)": {"silenced": True},
        "filter: another name": {"name": "nothing"},
        "filter: since tomorrow": {"since": iso(now_ms() + 24 * HOUR)},
        "filter: from the end": {"filter": "state:firing", "direction": "previous"},
        "filter: a word that none has": {"filter": "state:firing severity:warning nowhere"},
    }
    for name, query in queries.items():
        asked = models.HistoryQuery.model_validate(query)
        kept.append(say(name, await best(lambda asked=asked: history.history(engine, ROOT, asked)), 0.1))
    kept.append(
        say("board: groups and numbers", await best(lambda: board.board(engine, ROOT, models.BoardQuery())), 0.5)
    )
    kept.append(say("stats", await best(lambda: history.stats(engine, ROOT, models.StatsQuery())), 0.5))
    kept.append(await flapping(engine, sink))
    return all(kept)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        home = Home(Path(folder) / "home")
        home.create()
        server = None
        url = ""
        if given.postgres:
            from tests.support.postgres import PostgresServer

            server = PostgresServer()
            url = server.database()
        try:
            store = await Store.open(StoreSettings(url=url), home)
            try:
                return 0 if await measure(store, home, given.alerts) else 1
            finally:
                await store.close()
        finally:
            if server is not None:
                server.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
