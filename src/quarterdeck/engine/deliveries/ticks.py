"""Says who carries out the runs of http queues, and tidies up after them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.engine.queues.checks import CHECKS
from quarterdeck.engine.runs.executors import EXECUTORS, Context

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.runs.outcomes import Claimed

# The HTTP library is imported with the first delivery: an engine without http queues starts without it.


async def _execute(engine: Engine, run: Claimed, settings: QueueSettings, context: Context) -> Any:
    from quarterdeck.engine.deliveries.executor import execute

    return await execute(engine, run, settings, context)


async def _check(engine: Engine, settings: QueueSettings) -> None:
    from quarterdeck.engine.deliveries.addresses import check_url, networks

    check_url(settings.target, networks(engine.settings.engine.allowed_addresses))


EXECUTORS[HandlerKind.HTTP] = _execute
CHECKS[HandlerKind.HTTP] = _check


def register(engine: Engine) -> None:
    async def tidy() -> None:
        if (executor := sys.modules.get("quarterdeck.engine.deliveries.executor")) is not None:
            await executor.tidy(engine)

    engine.clock.every(300, "deliveries: tidy", tidy)
