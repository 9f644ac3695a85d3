"""Stores full of machine work for benchmarks and plan tests: runs, attempts, dead letters, and what is counted of them.

Rows are written with plain drivers (sqlite3, or asyncpg's COPY), in the shapes the engine writes.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

from quarterdeck.config.home import Home
from quarterdeck.config.load import load
from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, now_ms
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.dead_letters.tables import dead_letter_groups, dead_letters
from quarterdeck.engine.queues.tables import queues
from quarterdeck.engine.runs.tables import run_attempts, runs
from quarterdeck.engine.series.folding import PLACES
from quarterdeck.engine.series.histogram import bucket_of
from quarterdeck.engine.series.tables import (
    EVERYONE,
    dead_letter_minutes,
    dead_letter_tallies,
    run_counts,
    run_errors,
    run_latencies,
    run_tallies,
)
from quarterdeck.engine.series.upkeep import COARSER, KEPT
from quarterdeck.engine.store.store import Store

QUEUES = tuple(f"{name}-api" for name in (
    "refunds", "payments", "mail", "search", "billing", "orders", "stock", "labels", "audit", "sms", "reports", "sync",
))  # fmt: skip
TENANTS = tuple(f"tenant-{number:02}" for number in range(40))
KINDS = ("created", "changed", "removed")
ERRORS = (
    ("network", "503", "Service Unavailable from {host}"),
    ("rate_limit", "429", "Too Many Requests, try again in {number} s"),
    ("timeout", "timeout", "No answer from {host} within 30 s"),
    ("validation", "invalid", "Order {number} has no field amount"),
    ("permission", "403", "Forbidden for account {number}"),
    ("unknown", "KeyError", "KeyError: 'customer_{number}'"),
)
SPAN = 3 * DAY
CHUNK = 20_000

Row = tuple[Any, ...]


class Writer:
    """Rows into a table, by whichever driver the store has."""

    def __init__(self, url: str, path: Path) -> None:
        self._url = url
        self._path = path
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: Any = None

    async def __aenter__(self) -> Writer:
        if self._url:
            import asyncpg

            self._postgres = await asyncpg.connect(self._url)
            return self
        self._sqlite = sqlite3.connect(self._path)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-200000"):
            self._sqlite.execute(f"PRAGMA {pragma}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._postgres is not None:
            for table in ("runs", "run_attempts", "dead_letters"):
                key = "id" if table != "run_attempts" else None
                if key:
                    await self._postgres.execute(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                    )
                await self._postgres.execute(f"VACUUM ANALYZE {table}")
            await self._postgres.execute("ANALYZE")
            await self._postgres.close()
        if self._sqlite is not None:
            self._sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._sqlite.close()

    async def write(self, table: str, columns: Iterable[str], rows: Iterable[Row]) -> None:
        names = list(columns)
        each = iter(rows)
        while chunk := list(islice(each, CHUNK)):
            if self._postgres is not None:
                await self._postgres.copy_records_to_table(table, records=chunk, columns=names)
            else:
                assert self._sqlite is not None
                marks = ", ".join("?" * len(names))
                with self._sqlite:
                    self._sqlite.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", chunk)


def make(folder: Path, count: int, letters: int, *, url: str = "", seed: int = 7) -> Home:
    """A home with `count` runs of three days and `letters` dead letters of ninety; for PostgreSQL in the empty
    database at `url`."""
    home = Home(folder)
    home.create()
    if url:
        home.config.write_text(f"[store]\nurl = {json.dumps(url)}\n", encoding="utf-8")
    asyncio.run(_fill(home, count, letters, url, random.Random(seed)))
    return home


async def _fill(home: Home, count: int, letters: int, url: str, chance: random.Random) -> None:
    await (await Store.open(load(home.config).store, home)).close()
    now = now_ms()
    counted = _Counted(now)
    async with Writer(url, home.store) as writer:
        settings = json.dumps(QueueSettings(concurrency=1_000).model_dump(mode="json"))
        names = ("name", "settings", "from_config", "paused", "created_at", "updated_at")
        await writer.write(queues.name, names, [(name, settings, False, False, now, now) for name in QUEUES])
        made = _runs(count, now, chance, counted)
        while True:
            several = list(islice(made, CHUNK))
            if not several:
                break
            await writer.write(runs.name, _RUN, (row for row, _ in several))
            await writer.write(run_attempts.name, _ATTEMPT, (each for _, tried in several for each in tried))
        await writer.write(dead_letters.name, _LETTER, _letters(letters, now, chance, counted))
        await counted.write(writer)


_RUN = (
    "id", "queue", "kind", "tenant_id", "status", "priority", "run_at", "attempt", "max_attempts", "retry_count",
    "lease_token", "lease_until", "worker", "error_class", "error_code", "error_message", "created_at", "started_at",
    "finished_at", "payload",
)  # fmt: skip
_ATTEMPT = (
    "run_id", "number", "started_at", "ended_at", "worker", "outcome", "error_class", "error_code", "error_message",
)  # fmt: skip
_LETTER = (
    "id", "tenant_id", "queue", "event_type", "status", "error_class", "error_code", "error_message", "group_id",
    "attempts", "retries", "source_id", "created_at", "updated_at", "expires_at", "payload", "metadata",
)  # fmt: skip


def _runs(count: int, now: int, chance: random.Random, counted: _Counted) -> Iterator[tuple[Row, list[Row]]]:
    for number in range(1, count + 1):
        queue, tenant, kind = chance.choice(QUEUES), chance.choice(TENANTS), chance.choice(KINDS)
        # Half of them in the last day.
        created = now - int(SPAN * (1 - number / count) ** 1.6) - chance.randrange(MINUTE)
        roll = chance.random()
        status = "completed"
        if roll < 0.12:
            status = ("dead", "failed", "cancelled", "scheduled", "waiting", "active")[
                0 if roll < 0.05 else 1 if roll < 0.06 else 2 if roll < 0.08 else 3 if roll < 0.09 else 4
            ]
        if status == "waiting" and chance.random() < 0.01:
            status = "active"
        counted.enqueued(queue, kind, tenant, created)
        tried: list[Row] = []
        at = created
        failures = 5 if status == "dead" else 1 if status == "failed" or chance.random() < 0.08 else 0
        wrong: tuple[Any, Any, Any] = (None, None, None)
        worker = f"{queue}-{chance.randrange(8)}"
        if status in ("completed", "dead", "failed"):
            for attempt in range(1, failures + (status == "completed") + 1):
                started = at + chance.randrange(20 * SECOND)
                took = chance.lognormvariate(4, 1)
                at = started + int(took)
                failed = attempt <= failures
                if failed:
                    which = ERRORS[crc32(f"{queue}{attempt}".encode()) % len(ERRORS)]
                    wrong = (which[0], which[1], _message(which[2], chance))
                dead = status == "dead" and attempt == failures
                counted.ended(queue, kind, tenant, at, took, started - created if attempt == 1 else None,
                              wrong if failed else None, dead=dead)  # fmt: skip
                outcome = "failed" if failed else "completed"
                tried.append((number, attempt, started, at, worker, outcome, *(wrong if failed else (None,) * 3)))
        if status in ("completed", "cancelled", "scheduled", "waiting", "active"):
            wrong = (None, None, None)
        counted.tallies[queue, tenant, status] += 1
        active = status == "active"
        attempt = len(tried) + active
        over = at if status in ("completed", "dead", "cancelled") else None
        due = now + chance.randrange(DAY) if status in ("scheduled", "failed") else created
        payload = json.dumps({"order": number, "amount": chance.randrange(10_000), "customer": f"c-{number % 5_000}"})
        yield (
            (number, queue, kind, tenant, status, chance.choices((0, 1, 2, 3), (1, 4, 30, 3))[0], due, attempt, 5,
             max(0, attempt - 1), "t" if active else None, now + HOUR if active else None, worker if attempt else None,
             *wrong, created, at if attempt else None, over, payload),
            tried,
        )  # fmt: skip


def _message(template: str, chance: random.Random) -> str:
    return template.format(host=f"10.0.{chance.randrange(9)}.1", number=chance.randrange(10**6))


def _letters(count: int, now: int, chance: random.Random, counted: _Counted) -> Iterator[Row]:
    """Posted by other systems, so that they need no run."""
    for number in range(1, count + 1):
        queue, tenant = chance.choice(QUEUES), chance.choice(TENANTS)
        error_class, code, template = chance.choice(ERRORS)
        event_type = f"{queue.removesuffix('-api')}.{chance.choice(KINDS)}"
        status = chance.choices(("pending", "retrying", "succeeded", "discarded"), (70, 1, 19, 10))[0]
        created = now - int(90 * DAY * (1 - number / count)) - chance.randrange(MINUTE)
        group = f"{crc32((queue + code).encode()):08x}"
        message = _message(template, chance)
        counted.letter(tenant, queue, event_type, group, error_class, code, template, status, created)
        payload = {"order": number, "note": " ".join(chance.choices(_WORDS, k=20)), "customer": {"id": number % 5_000}}
        yield (
            number, tenant, queue, event_type, status, error_class, code, message, group, 5, 0, f"evt-{number}",
            created, created, created + 400 * DAY, json.dumps(payload), "{}",
        )  # fmt: skip


_WORDS = ("refund", "order", "late", "customer", "delivery", "address", "invoice", "card", "broken", "twice")


class _Counted:
    """What the engine would have counted."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.tallies: Counter[tuple[str, str, str]] = Counter()
        self._counts: dict[tuple[Any, ...], list[int]] = {}
        self._latencies: Counter[tuple[Any, ...]] = Counter()
        self._errors: Counter[tuple[Any, ...]] = Counter()
        self._letters: Counter[tuple[Any, ...]] = Counter()
        self._groups: dict[str, list[Any]] = {}
        self._growth: dict[tuple[int, str], list[int]] = {}

    def _keys(self, queue: str, kind: str, tenant: str, at: int) -> Iterator[tuple[Any, ...]]:
        for everyone, step, whole in PLACES:
            if at >= self.now - KEPT[step]:
                names = ("", "") if whole else (queue, kind)
                yield (EVERYONE if everyone else tenant, step, whole, at - at % (step * SECOND), *names)

    def enqueued(self, queue: str, kind: str, tenant: str, at: int) -> None:
        for key in self._keys(queue, kind, tenant, at):
            self._counts.setdefault(key, [0, 0, 0, 0])[0] += 1

    def ended(
        self, queue: str, kind: str, tenant: str, at: int, took: float, waited: int | None, wrong: Any, *, dead: bool
    ) -> None:
        for key in self._keys(queue, kind, tenant, at):
            counts = self._counts.setdefault(key, [0, 0, 0, 0])
            counts[1 if wrong is None else 2] += 1
            counts[3] += dead
            self._latencies[(*key, 0, bucket_of(took))] += 1
            if waited is not None:
                self._latencies[(*key, 1, bucket_of(waited))] += 1
            if wrong is not None and not key[2]:
                self._errors[(*key, wrong[0], wrong[1])] += 1

    def letter(
        self, tenant: str, queue: str, event_type: str, group: str, error_class: str, code: str, message: str,
        status: str, at: int,
    ) -> None:  # fmt: skip
        self._letters[tenant, queue, event_type, group, status] += 1
        known = self._groups.setdefault(group, [group, queue, error_class, code, message, at, at])
        known[5], known[6] = min(known[5], at), max(known[6], at)
        steps = (step for age, step in reversed(COARSER) if at < (self.now - age) // step * step)
        growth = self._growth.setdefault((at - at % next(steps, MINUTE), tenant), [0, 0])
        growth[0] += 1
        growth[1] += status in ("succeeded", "discarded")

    async def write(self, writer: Writer) -> None:
        key = ("tenant_id", "step", "whole", "at", "queue", "kind")
        counts = (*key, "enqueued", "completed", "failed", "dead")
        await writer.write(run_counts.name, counts, ((*at, *numbers) for at, numbers in sorted(self._counts.items())))
        for table, names, found in (
            (run_latencies, ("measure", "bucket"), self._latencies),
            (run_errors, ("error_class", "error_code"), self._errors),
        ):
            await writer.write(
                table.name, (*key, *names, "number"), ((*at, number) for at, number in sorted(found.items()))
            )
        tallies = ("queue", "tenant_id", "status", "difference")
        await writer.write(run_tallies.name, tallies, ((*each, number) for each, number in self.tallies.items()))
        letters = ("tenant_id", "queue", "event_type", "group_id", "status", "difference")
        await writer.write(dead_letter_tallies.name, letters, ((*each, n) for each, n in self._letters.items()))
        groups = ("group_id", "queue", "error_class", "error_code", "message", "first_at", "last_at")
        await writer.write(dead_letter_groups.name, groups, (tuple(each) for each in self._groups.values()))
        growth = ("minute", "tenant_id", "added", "resolved")
        await writer.write(dead_letter_minutes.name, growth, ((*at, *n) for at, n in sorted(self._growth.items())))
