"""What the clock calls for selections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.listing.selections import forget_expired

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    engine.clock.every(3_600, "selections that expired", partial(forget_expired, engine))
