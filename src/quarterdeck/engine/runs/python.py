"""Runs of python queues: which handler, and whether it may be one at all."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from quarterdeck.contract.enums import ErrorClass
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.runs.executors import Failure

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.runs.attempts import Attempt
    from quarterdeck.engine.runs.executors import Ended

GROUP = "quarterdeck.handlers"


class NotAllowed(Exception):
    """One sentence."""


def handler_of(engine: Engine, target: str) -> str:
    """`module:function` for an entry point's name, or for one in a module that the config lists. Raises NotAllowed.

    Whoever may change queues through the API must not thereby call whatever this Python can import.
    """
    known = _entry_points()
    if target in known:
        return known[target]
    module, colon, function = target.partition(":")
    listed = engine.settings.engine.handler_modules
    if not colon:
        names = f"There are {', '.join(sorted(known))}." if known else "None is installed."
        raise NotAllowed(f"There is no entry point {target} in the group {GROUP}. {names}")
    if not function or not any(module == name or module.startswith(f"{name}.") for name in listed):
        raise NotAllowed(
            f"{target} may not be called: add {module or 'its module'} to engine.handler_modules in the config file."
        )
    return target


@lru_cache(maxsize=1)
def _entry_points() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {each.name: each.value for each in entry_points(group=GROUP)}


async def check(engine: Engine, settings: QueueSettings) -> None:
    """Raises Problem(INVALID_INPUT) for a target that may not be called."""
    try:
        handler_of(engine, settings.target)
    except NotAllowed as error:
        raise Problem(Code.INVALID_INPUT, str(error), errors=(("/target", str(error)),)) from None


def start(engine: Engine, attempt: Attempt, ended: Ended) -> None:
    """In a host process."""
    from quarterdeck.engine.runs.hosts import Hosts

    try:
        target = handler_of(engine, attempt.settings.target)
    except NotAllowed as error:
        ended(attempt.outcome_of(Failure(ErrorClass.PERMISSION, "handler_not_allowed", str(error))))
        return
    engine.keep(Hosts, Hosts).start(attempt, target, ended)
