"""Forgets old keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.idempotency import service

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    engine.clock.every(3600, "idempotency: purge", partial(service.purge, engine))
