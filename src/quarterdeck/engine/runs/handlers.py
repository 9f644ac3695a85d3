"""Who carries out which kind of run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from quarterdeck.contract.problems import Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.service import Run
from quarterdeck.engine.store.store import Transaction


@dataclass(frozen=True, slots=True)
class Handler:
    """`work` finishes the run in the transaction of its effect. `gave_up` hears of a run that is dead."""

    work: Callable[[Engine, Run], Awaitable[None]]
    gave_up: Callable[[Engine, Transaction, int | None, Problem], Awaitable[None]]
    # The store could not even take the note that the run failed (a full disk); None: it can again.
    stalled: Callable[[Engine, int | None, Problem | None], None]


HANDLERS: dict[str, Handler] = {}
