"""What the clock calls for what is counted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.series.folding import fold
from quarterdeck.engine.series.upkeep import drop_old, sum_up

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    async def folded() -> None:
        await fold(engine)

    engine.clock.every(1, "figures over time", folded)
    engine.clock.every(5, "counts of runs", partial(sum_up, engine))
    engine.clock.every(3_600, "figures that are old", partial(drop_old, engine))
