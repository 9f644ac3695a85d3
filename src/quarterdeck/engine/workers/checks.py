"""The round: every worker that has an address is asked for its health, in the background, never in a request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from quarterdeck.config.settings import port_numbers
from quarterdeck.contract.clock import HOUR, SECOND, now_ms
from quarterdeck.contract.enums import Condition
from quarterdeck.contract.live import Message
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction
from quarterdeck.engine.workers import judging
from quarterdeck.engine.workers.asking import Asker
from quarterdeck.engine.workers.attendance import attendance_of
from quarterdeck.engine.workers.judging import Check, Level, Standing, rules_of, standing_of
from quarterdeck.engine.workers.tables import workers
from quarterdeck.engine.workers.urls import EVERYWHERE, allowed_addresses


@dataclass(frozen=True, slots=True)
class _Place:
    """An address the config names. One of a range of ports is a worker once it has answered."""

    url: str
    is_certain: bool


class Rounds:
    """One for each engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._settings = engine.settings.workers
        self._theirs = Asker(allowed_addresses(engine))
        self._ours = Asker(EVERYWHERE)
        self._shown: dict[str, Condition] = {}

    async def go(self) -> None:
        engine = self._engine
        await attendance_of(engine).write(engine)
        async with engine.store.read() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(select(workers))).all()
        named = {row.url for row in rows if row.last_seen_at is not None}
        places = {place.url: place for place in self._places() if place.url not in named}
        checks = await self._ask(rows, places)
        async with engine.store.write() as transaction:
            now = transaction.now
            await self._forget(transaction, rows, places)
            for row in rows:
                if row.url in checks and not (row.last_seen_at is None and row.url not in places):
                    await self._note(transaction, row, checks[row.url])
            have = {row.name for row in rows}
            for place in places.values():
                check = checks.get(place.url)
                if check is not None and place.url not in have and (place.is_certain or check.level is not Level.DEAD):
                    await self._add(transaction, place, check)
            after = (await transaction.connection.execute(select(workers))).all()
        shown = {row.name: standing_of(row, now, rules_of(engine)).condition for row in after}
        if shown != self._shown:
            self._shown = shown
            engine.hub.publish_figures(Message.WORKERS_CHANGED)

    def _places(self) -> list[_Place]:
        ports = [_Place(f"http://127.0.0.1:{port}", False) for port in port_numbers(self._settings.ports)]
        return [*ports, *(_Place(url.rstrip("/"), True) for url in self._settings.urls)]

    async def _ask(self, rows: Sequence[Row[Any]], places: dict[str, _Place]) -> dict[str, Check]:
        """By address; those that another engine has asked just now are left out."""
        seconds = float(self._settings.check_timeout_seconds)
        before = now_ms() - self._settings.check_seconds * SECOND // 2
        fresh = {row.url for row in rows if row.checked_at is not None and row.checked_at > before}
        askers = {row.url: self._theirs for row in rows if row.url is not None and row.last_seen_at is not None}
        askers |= dict.fromkeys(places, self._ours)
        urls = [url for url in askers if url not in fresh]
        found = await asyncio.gather(*(askers[url].ask(url, seconds) for url in urls))
        return dict(zip(urls, found, strict=True))

    async def _note(self, transaction: Transaction, row: Row[Any], check: Check) -> None:
        before = None
        if row.checked_at is not None:
            before = Standing(Condition(row.condition), row.failures, row.successes, row.why)
        values = self._values(transaction, judging.after(before, check, rules_of(self._engine)), check)
        if row.last_seen_at is None and check.level is not Level.DEAD:
            values |= {"type": check.type or row.type, "queues": sorted(check.queues)}  # nobody else says so
        await transaction.connection.execute(
            update(workers).where(workers.c.name == row.name, workers.c.url == row.url).values(**values)
        )

    async def _add(self, transaction: Transaction, place: _Place, check: Check) -> None:
        values = self._values(transaction, judging.after(None, check, rules_of(self._engine)), check)
        made = self._engine.store.dialect.insert(workers).values(
            name=place.url,
            type=check.type or "worker",
            queues=sorted(check.queues),
            url=place.url,
            **values,
        )
        await transaction.connection.execute(made.on_conflict_do_nothing())

    def _values(self, transaction: Transaction, standing: Standing, check: Check) -> dict[str, Any]:
        return {
            "condition": str(standing.condition),
            "failures": standing.failures,
            "successes": standing.successes,
            "why": standing.why,
            "checked_at": transaction.now,
            "response_ms": check.milliseconds,
        }

    async def _forget(self, transaction: Transaction, rows: Sequence[Row[Any]], places: dict[str, _Place]) -> None:
        """Those that have been silent for long, and those that the config names no more."""
        long_ago = transaction.now - self._settings.forget_hours * HOUR
        gone = [
            row.name
            for row in rows
            if (row.last_seen_at is None and row.url not in places)
            or (row.last_seen_at is not None and row.last_seen_at < long_ago)
        ]
        if gone:
            await transaction.connection.execute(workers.delete().where(workers.c.name.in_(gone)))
