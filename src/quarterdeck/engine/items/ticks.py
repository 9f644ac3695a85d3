"""What the clock calls for items."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.items.bin import empty_bin
from quarterdeck.engine.items.claims import give_back_lapsed

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    engine.clock.every(5, "claims that lapsed", partial(give_back_lapsed, engine))
    engine.clock.every(3_600, "the bin", partial(empty_bin, engine))
