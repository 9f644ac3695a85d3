"""A day on which time stands still unless a test moves it."""

from __future__ import annotations

import pytest

from quarterdeck.engine.alerts import ticks, trying
from quarterdeck.engine.alerts.sending import Outlet
from quarterdeck.engine.core import Engine
from tests.engine.alerts.world import Day, keep_time

assert ticks  # with everything that asks what time it is
assert trying


@pytest.fixture
def day(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Day:
    made = Day(engine)
    keep_time(made, monkeypatch)
    engine.keep(Outlet, Outlet).notify = made.notify
    return made
