"""What the clock calls for dead letters, and what they hear of runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.contract.principal import SYSTEM
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.dead_letters.endings import ended
from quarterdeck.engine.dead_letters.expiry import expire, forget_groups
from quarterdeck.engine.dead_letters.following import run_retried
from quarterdeck.engine.dead_letters.listing import DEAD_LETTERS
from quarterdeck.engine.listing.matching import read_filter
from quarterdeck.engine.runs.endings import ENDINGS, RETRIES

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

ENDINGS.append(ended)
RETRIES.append(run_retried)


def register(engine: Engine) -> None:
    """Raises Problem(FILTER_INVALID) for a rule that the config says wrongly: better at the start than at the first
    death."""
    try:
        read_filter(engine.settings.exceptions.filter, DEAD_LETTERS.resource, SYSTEM)
    except Problem as problem:
        sentence = f"{engine.home.config}, section [exceptions], filter: {problem.detail}"
        raise Problem(problem.code, sentence) from problem
    engine.clock.every(60, "dead letters that expired", partial(expire, engine))
    engine.clock.every(3_600, "errors nobody has any more", partial(forget_groups, engine))
