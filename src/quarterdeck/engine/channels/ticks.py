"""Says who carries out notifications, and forgets old ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from quarterdeck.contract.clock import DAY, now_ms
from quarterdeck.engine.channels.service import KIND
from quarterdeck.engine.channels.tables import notifications
from quarterdeck.engine.runs.endings import ENDINGS, EndedRun
from quarterdeck.engine.runs.handlers import HANDLERS, Handler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quarterdeck.contract.problems import Problem
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.runs.outcomes import Claimed
    from quarterdeck.engine.store.store import Transaction

# As long as their dead letters are kept.
KEPT_DAYS = 90
_AT_ONCE = 1_000

# HTTP and mail are imported with the first message: an engine starts without them.


async def _work(engine: Engine, run: Claimed) -> None:
    from quarterdeck.engine.channels.sending import work

    await work(engine, run)


async def _ended(engine: Engine, transaction: Transaction, ended: Sequence[EndedRun]) -> None:
    if any(run.kind == KIND for run in ended):
        from quarterdeck.engine.channels.sending import ended as tell

        await tell(engine, transaction, ended)


def _stalled(engine: Engine, operation_id: int | None, problem: Problem | None) -> None:
    """Nobody waits for a notification."""


async def forget_old(engine: Engine) -> None:
    """A part at a time, so that nobody waits long for the writer."""
    old = select(notifications.c.id).where(notifications.c.created_at < now_ms() - KEPT_DAYS * DAY).limit(_AT_ONCE)
    while True:
        async with engine.store.write() as transaction:
            gone = await transaction.connection.execute(delete(notifications).where(notifications.c.id.in_(old)))
        if gone.rowcount < _AT_ONCE:
            return


HANDLERS[KIND] = Handler(_work, _stalled, outward=True)
ENDINGS.append(_ended)


def register(engine: Engine) -> None:
    engine.clock.every(3_600, "old notifications", partial(forget_old, engine))
