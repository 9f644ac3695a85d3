"""What the clock calls for bulk operations, and who carries out their batches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.contract.enums import RunStatus
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.bulk import batches, execution, lifecycle, retention
from quarterdeck.engine.runs.endings import ENDINGS, EndedRun
from quarterdeck.engine.runs.handlers import HANDLERS, Handler
from quarterdeck.engine.runs.rules import POISON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.store.store import Transaction


async def _ended(engine: Engine, transaction: Transaction, ended: Sequence[EndedRun]) -> None:
    """A batch that is dead stops its operation."""
    for run in ended:
        if run.kind == batches.KIND and run.status is RunStatus.DEAD:
            if run.error_code in (POISON, Code.LEASE_LOST):
                said = "The worker stopped each time; nothing was changed by the last batch."
                problem = Problem(Code.LEASE_LOST, said)
            else:
                problem = Problem(Code(run.error_code or Code.INTERNAL), run.error_message or "")
            await lifecycle.gave_up(engine, transaction, run.operation_id, problem)


HANDLERS[batches.KIND] = Handler(execution.work, lifecycle.stalled)
ENDINGS.append(_ended)


def register(engine: Engine) -> None:
    engine.clock.every(1, "bulk operations that are due", partial(lifecycle.start_scheduled, engine))
    engine.clock.every(3_600, "old results", partial(retention.forget_old, engine))
