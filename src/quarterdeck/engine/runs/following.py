"""One run as it goes: its newest state, and that there is more in its log."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from quarterdeck.contract.live import PROGRESS_INTERVAL_SECONDS, Message
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import queries

# Another engine on the same store may have moved it.
_LOOK_SECONDS = 1.0


class Following:
    """Messages of `/ws/runs/{id}`, at most ten a second; ends when the engine stops or the run is removed."""

    def __init__(self, engine: Engine, principal: Principal, run_id: int) -> None:
        self._engine = engine
        self._principal = principal
        self._watch = engine.run_watches.add(run_id)
        self._shared = engine.store.dialect.skips_locked
        self._state: dict[str, Any] | None = None
        self._last_line = 0
        self._said_at = 0.0
        self._stopping = asyncio.ensure_future(engine.stopping.wait())
        self._stopping.add_done_callback(lambda _: self._watch.news.set())

    async def begin(self) -> None:
        """Raises Problem(NOT_FOUND)."""
        self._last_line = await queries.last_line(self._engine, self._watch.run_id)
        await queries.show_listed(self._engine, self._principal, self._watch.run_id)

    def __aiter__(self) -> Following:
        return self

    async def __anext__(self) -> dict[str, Any]:
        while True:
            if self._engine.stopping.is_set():
                raise StopAsyncIteration
            if (message := await self._look()) is not None:
                return message
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._watch.news.wait(), _LOOK_SECONDS if self._shared else None)
            pause = self._said_at + PROGRESS_INTERVAL_SECONDS - asyncio.get_running_loop().time()
            if pause > 0:
                await asyncio.sleep(pause)
            self._watch.news.clear()

    async def _look(self) -> dict[str, Any] | None:
        watch, number = self._watch, self._watch.run_id
        if watch.changed or self._shared:
            watch.changed = False
            found = await queries.find_listed(self._engine, self._principal, number)
            if found is None:
                raise StopAsyncIteration
            state = found.model_dump(mode="json")
            if state != self._state:
                self._state = state
                return self._say({"type": Message.RUN_CHANGED, "run": state})
        if watch.written or self._shared:
            watch.written = False
            last = await queries.last_line(self._engine, number)
            if last > self._last_line:
                self._last_line = last
                return self._say({"type": Message.LOG_WRITTEN})
        return None

    def _say(self, message: dict[str, Any]) -> dict[str, Any]:
        self._said_at = asyncio.get_running_loop().time()
        return message

    def close(self) -> None:
        self._engine.run_watches.remove(self._watch)
        self._stopping.cancel()
