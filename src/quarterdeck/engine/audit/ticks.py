"""What the clock calls: checkpoints, only when there is something new."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlalchemy import select

from quarterdeck.contract.clock import now_ms
from quarterdeck.engine.audit import checkpoints
from quarterdeck.engine.audit.tables import audit_head

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

log = logging.getLogger(__name__)


def register(engine: Engine) -> None:
    marker = Marker(engine)
    engine.clock.every(engine.settings.engine.checkpoint_seconds, "audit checkpoint", marker.tick)
    engine.finishers.append(marker.tick)


class Marker:
    """Remembers the last checkpoint only to be silent when nothing happened."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.last_id = -1

    async def tick(self) -> None:
        async with self.engine.store.read() as connection:
            head = (await connection.execute(select(audit_head.c.last_id, audit_head.c.last_hash))).one_or_none()
        if head is None or head.last_id == self.last_id:
            return
        try:
            await asyncio.to_thread(checkpoints.write, self.engine.home, head.last_id, head.last_hash, now_ms())
        except OSError as error:  # a full disk; the next tick tries again
            log.warning("cannot write a checkpoint to %s: %s", self.engine.home.checkpoints, error.strerror)
            return
        self.last_id = head.last_id
