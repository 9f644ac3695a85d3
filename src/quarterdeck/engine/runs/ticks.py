"""What the clock calls for runs, and who carries out those of python queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.contract.enums import HandlerKind
from quarterdeck.engine.queues.checks import CHECKS
from quarterdeck.engine.runs import python, retention
from quarterdeck.engine.runs.executors import STARTERS

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


STARTERS[HandlerKind.PYTHON] = python.start
CHECKS[HandlerKind.PYTHON] = python.check


def register(engine: Engine) -> None:
    async def close() -> None:
        from quarterdeck.engine.runs.hosts import Hosts

        if (hosts := engine.kept.get(Hosts)) is not None:
            await hosts.close()

    engine.finishers.append(close)

    async def forget() -> None:
        await retention.forget_old(engine)

    engine.clock.every(600, "old runs", forget)
