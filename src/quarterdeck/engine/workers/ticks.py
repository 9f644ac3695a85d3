"""Looks after the workers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.engine.workers.attendance import FLUSH_SECONDS, attendance_of

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.workers.checks import Rounds

# The HTTP library is imported with the first round, not before the first rows of a console.
_FIRST = 2 * SECOND


def register(engine: Engine) -> None:
    engine.clock.every(FLUSH_SECONDS, "workers: attendance", partial(attendance_of(engine).write, engine))
    rounds: list[Rounds] = []

    async def go() -> None:
        from quarterdeck.engine.workers.checks import Rounds

        if not rounds:
            rounds.append(Rounds(engine))
        await rounds[0].go()

    engine.clock.every(engine.settings.workers.check_seconds, "workers: health", go)
    engine.clock.at(now_ms() + _FIRST, "workers: first health", go)
