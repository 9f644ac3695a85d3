"""Engines that share a PostgreSQL store tell each other of runs, so that whoever has room takes them at once.

What is told is a nudge and nothing more: where it is lost, the looks of each engine find the runs a moment later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

log = logging.getLogger(__name__)

CHANNEL = "quarterdeck_runs"
RETRY_SECONDS = 5.0
# A message may have 8,000 bytes; a queue's name is a hundred at most.
_QUEUES_AT_ONCE = 50


class Relay:
    """One connection that listens and tells. Telling costs no transaction that makes runs anything."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queues: set[str] = set()
        self._due: int | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listens = asyncio.Event()

    def start(self) -> None:
        self._engine.arrivals.relay = self._note
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        if self._task is not None:
            self._engine.arrivals.relay = None
            self._task.cancel()
            await asyncio.wait({self._task})

    def _note(self, queues: set[str], later: int | None) -> None:
        self._queues |= queues
        if later is not None:
            self._due = later if self._due is None else min(self._due, later)
        self._news.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 - whatever it is, the looks go on
                log.warning("engines on this store do not hear each other at once (%s)", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _serve(self) -> None:
        """Until the connection is lost."""
        async with self._engine.store.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            driver.add_termination_listener(self._lost)
            await driver.add_listener(CHANNEL, self._heard)
            self.listens.set()
            self._engine.wake_worker()  # what was told before is found by looking
            try:
                while not driver.is_closed():
                    await self._news.wait()
                    self._news.clear()
                    await self._tell(driver)
            finally:
                self.listens.clear()
                with contextlib.suppress(Exception):
                    driver.remove_termination_listener(self._lost)
                    await driver.remove_listener(CHANNEL, self._heard)

    async def _tell(self, driver: Any) -> None:
        names, self._queues = sorted(self._queues), set()
        due, self._due = self._due, None
        for first in range(0, max(len(names), 1 if due is not None else 0), _QUEUES_AT_ONCE):
            said = json.dumps([names[first : first + _QUEUES_AT_ONCE], due])
            await driver.execute("SELECT pg_notify($1, $2)", CHANNEL, said)

    def _heard(self, driver: Any, pid: int, _channel: str, said: str) -> None:
        if pid == driver.get_server_pid():
            return  # it was this one
        try:
            queues, due = json.loads(said)
            self._engine.arrivals.hear({str(each) for each in queues}, None if due is None else int(due))
        except (ValueError, TypeError):
            log.warning("somebody told this engine what it does not understand: %.100s", said)

    def _lost(self, _driver: Any) -> None:
        self._news.set()
