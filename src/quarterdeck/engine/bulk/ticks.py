"""What the clock calls for bulk operations, and who carries out their batches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.bulk import batches, execution, lifecycle, retention
from quarterdeck.engine.runs.handlers import HANDLERS, Handler

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

HANDLERS[batches.KIND] = Handler(execution.work, lifecycle.gave_up, lifecycle.stalled)


def register(engine: Engine) -> None:
    engine.clock.every(1, "bulk operations that are due", partial(lifecycle.start_scheduled, engine))
    engine.clock.every(3_600, "old results", partial(retention.forget_old, engine))
