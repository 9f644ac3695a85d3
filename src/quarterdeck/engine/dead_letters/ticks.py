"""What the clock calls for dead letters, and what they hear of runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.dead_letters.endings import ended
from quarterdeck.engine.dead_letters.expiry import expire, forget_groups
from quarterdeck.engine.dead_letters.following import run_retried
from quarterdeck.engine.runs.endings import ENDINGS, RETRIES

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

ENDINGS.append(ended)
RETRIES.append(run_retried)


def register(engine: Engine) -> None:
    engine.clock.every(60, "dead letters that expired", partial(expire, engine))
    engine.clock.every(3_600, "errors nobody has any more", partial(forget_groups, engine))
