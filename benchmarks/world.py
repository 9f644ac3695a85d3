"""Stores of any size for benchmarks, filled with plain sqlite3."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.clock import DAY, MINUTE, now_ms
from quarterdeck.engine.items.tables import NO_DUE
from quarterdeck.engine.store.store import Store

TENANTS = ("acme", "globex", "initech")
KINDS = ("refund", "delivery", "billing", "complaint", "question")
STATUSES = ("open",) * 6 + ("waiting", "waiting", "in_progress", "resolved")
CHUNK = 50_000


def make(folder: Path, count: int, seed: int = 7) -> Home:
    """A home with `count` support tasks that came in over 90 days; made once, then found again."""
    home = Home(folder)
    home.create()
    if home.store.exists():
        return home
    asyncio.run(_create(home))
    connection = sqlite3.connect(home.store)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    for start in range(0, count, CHUNK):
        rows = list(_rows(start, min(count, start + CHUNK), count, random.Random(seed + start)))
        with connection:
            connection.executemany(
                "INSERT INTO items (id, tenant_id, resource, external_id, kind, title, status, priority, category,"
                " assignee, sla_due_at, created_at, updated_at, comments, version)"
                " VALUES (?, ?, 'support_tasks', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1)",
                rows,
            )
            connection.executemany(
                "INSERT INTO item_details (item_id, body, fields) VALUES (?, NULL, '{}')", ((row[0],) for row in rows)
            )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return home


async def _create(home: Home) -> None:
    await (await Store.open(StoreSettings(), home)).close()


def _rows(start: int, end: int, total: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    now = now_ms()
    for number in range(start + 1, end + 1):
        kind = chance.choice(KINDS)
        created = now - 90 * DAY + number * 90 * DAY // total - chance.randrange(MINUTE)
        due = created + chance.randrange(30, 20_000) * MINUTE if chance.random() < 0.8 else NO_DUE
        yield (
            number,
            chance.choice(TENANTS),
            f"T-{number}",
            kind,
            f"{kind.capitalize()} about order {chance.randrange(10**6)}",
            chance.choice(STATUSES),
            chance.choices((0, 1, 2, 3), (1, 4, 12, 3))[0],
            chance.choice(("spam", "vip", None, None)),
            chance.choice(("ana", "bo", None, None, None, None)),
            due,
            created,
            created,
        )
