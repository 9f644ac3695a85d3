"""The engine's own work: who carries out which kind of run of an `engine` queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from quarterdeck.contract.problems import Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs.outcomes import Claimed


@dataclass(frozen=True, slots=True)
class Handler:
    """`work` ends the run in the transaction of its effect. Who wants to hear of a run that is dead joins
    `endings.ENDINGS`."""

    work: Callable[[Engine, Claimed], Awaitable[None]]
    # The store could not even take the note that the run failed (a full disk); None: it can again.
    stalled: Callable[[Engine, int | None, Problem | None], None]
    # It waits for somebody outside: an engine that dies does not die of it, and where it fails for good a person
    # can have it done again, so it becomes a dead letter.
    outward: bool = False


HANDLERS: dict[str, Handler] = {}
