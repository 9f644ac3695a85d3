"""What the clock calls for service levels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.sla import sweep

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    engine.clock.every(sweep.SECONDS, "clocks that are due", partial(sweep.sweep, engine))
