"""A desk at which time stands still unless a test moves it."""

from __future__ import annotations

import pytest

from quarterdeck.engine.core import Engine
from tests.engine.sla.world import Time
from tests.support.desk import Desk


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    for module in ("store.store", "sla.sweep", "sla.lists", "sla.proving", "sla.figures"):
        monkeypatch.setattr(f"quarterdeck.engine.{module}.now_ms", made)
    return made


@pytest.fixture
def desk(engine: Engine, time: Time) -> Desk:
    return Desk(engine)
