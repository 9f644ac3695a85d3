"""An engine at a desk for every test of the engine, on each of the stores."""

from __future__ import annotations

import pytest

from quarterdeck.config.home import Home
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Store
from tests.support.desk import Desk, make_engine


@pytest.fixture
def engine(store: Store, engine_home: Home) -> Engine:
    return make_engine(store, engine_home)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """Somebody who may do everything, at the support queue."""
    return Desk(engine)
