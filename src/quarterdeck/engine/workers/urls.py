"""Where the health of workers may be asked for."""

from __future__ import annotations

from quarterdeck.contract.problems import Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.deliveries.addresses import Network, check_url, networks

# The engine serves only its own machine, so whoever leases runs there.
_LOCAL = networks(["127.0.0.0/8", "::1/128"])
# What the operator has written into the config is theirs to know.
EVERYWHERE = networks(["0.0.0.0/0", "::/0"])


def allowed_addresses(engine: Engine) -> tuple[Network, ...]:
    """Where a worker may say that it is."""
    return (*_LOCAL, *networks(engine.settings.engine.allowed_addresses))


def check_health_url(engine: Engine, url: str | None) -> None:
    """Raises Problem: INVALID_INPUT, ADDRESS_REFUSED."""
    if url is None:
        return
    try:
        check_url(url, allowed_addresses(engine))
    except Problem as problem:
        errors = tuple(("/health_url", sentence) for _, sentence in problem.errors)
        raise Problem(problem.code, problem.detail, errors=errors) from None
