"""What a queue's settings have to be beyond their types, before a queue is given them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from quarterdeck.contract.enums import HandlerKind
from quarterdeck.contract.models.queues import QueueSettings
from quarterdeck.contract.problems import Code, Problem

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine

# More that a handler's target has to be, said by whoever carries its runs out. Each raises
# Problem; they are called in a transaction, so they look nothing up elsewhere.
CHECKS: dict[HandlerKind, Callable[[Engine, QueueSettings], Awaitable[None]]] = {}


async def check(engine: Engine, name: str, settings: QueueSettings, *, built_in: bool) -> None:
    """Raises Problem(INVALID_INPUT) or what a check of the handler says."""
    if built_in != (settings.handler is HandlerKind.ENGINE):
        said = f"{name} is the engine's own queue." if built_in else "engine is for the engine's own queues."
        raise _refused("handler", f"{said} The handler stays {'engine' if built_in else 'http, python or worker'}.")
    if settings.handler is HandlerKind.HTTP and not _is_address(settings.target):
        raise _refused("target", f"Queue {name} needs an address to send to, such as https://example.org/hooks.")
    if settings.handler is HandlerKind.PYTHON and not settings.target:
        raise _refused("target", f"Queue {name} needs module:function or the name of an entry point.")
    if settings.handler in CHECKS:
        await CHECKS[settings.handler](engine, settings)


async def mistake(engine: Engine, settings: QueueSettings) -> str | None:
    """Why settings that were fine once are not any more, as where the config allows less now; None: they are."""
    try:
        if settings.handler in CHECKS:
            await CHECKS[settings.handler](engine, settings)
    except Problem as problem:
        return problem.detail
    return None


def _is_address(target: str) -> bool:
    try:
        parts = urlsplit(target)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _refused(member: str, sentence: str) -> Problem:
    return Problem(Code.INVALID_INPUT, sentence, errors=((f"/{member}", sentence),))
