"""An engine behind a real socket, and workers in this process beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from quarterdeck.config.home import Home
from quarterdeck.config.settings import StoreSettings
from quarterdeck.contract.enums import HandlerKind
from quarterdeck.contract.models.queues import Backoff, QueueSettings
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues import changes
from quarterdeck.engine.store.store import Store
from tests.support.desk import ROOT, make_engine
from tests.support.serving import served


@pytest.fixture
async def engine(engine_home: Home) -> AsyncIterator[Engine]:
    """One with a queue for workers, `refunds`, that answers at its socket."""
    store = await Store.open(StoreSettings(), engine_home)
    made = make_engine(store, engine_home)
    wanted = QueueSettings(handler=HandlerKind.WORKER, concurrency=50, backoff=Backoff(base=0))
    await changes.put_queue(made, ROOT, "refunds", wanted)
    try:
        async with served(made):
            yield made
    finally:
        await store.close()
