"""What the clock calls for alerts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quarterdeck.engine.alerts import evaluation, notices, retention

if TYPE_CHECKING:
    from quarterdeck.engine.core import Engine


def register(engine: Engine) -> None:
    seconds = engine.settings.alerts.evaluation_seconds
    engine.clock.every(seconds, "alert rules", partial(evaluation.evaluate, engine))
    engine.clock.every(notices.every(engine.settings.alerts), "what alerts say", partial(notices.flush, engine))
    engine.clock.every(retention.SECONDS, "old alerts", partial(retention.forget, engine))
