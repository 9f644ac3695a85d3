"""What the clock calls for runs, and who carries out those of python queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.queues.checks import CHECKS
from quarterdeck.engine.runs import python
from quarterdeck.engine.runs.attempts import Attempt
from quarterdeck.engine.runs.executors import EXECUTORS, Context

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.runs.outcomes import Claimed


async def _execute(engine: Engine, run: Claimed, settings: QueueSettings, context: Context) -> Any:
    assert isinstance(context, Attempt)
    return await python.execute(engine, context)


EXECUTORS[HandlerKind.PYTHON] = _execute
CHECKS[HandlerKind.PYTHON] = python.check


def register(engine: Engine) -> None:
    async def close() -> None:
        from quarterdeck.engine.runs.hosts import Hosts

        if (hosts := engine.kept.get(Hosts)) is not None:
            await hosts.close()

    engine.finishers.append(close)
