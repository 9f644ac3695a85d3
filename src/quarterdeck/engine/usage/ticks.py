"""What the clock calls for usage."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.usage.metering import SECONDS, flush
from quarterdeck.engine.usage.retention import drop_old

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    engine.clock.every(SECONDS, "usage", partial(flush, engine))
    engine.clock.every(3_600, "usage that is old", partial(drop_old, engine))
    engine.finishers.append(partial(flush, engine))
