"""Reading runs."""

from __future__ import annotations

from quarterdeck.contract.models.runs import RunListQuery, RunPage
from quarterdeck.contract.principal import Principal
from quarterdeck.engine.core import Engine
from quarterdeck.engine.listing.pages import read_page
from quarterdeck.engine.runs import rows
from quarterdeck.engine.runs.listing import RUNS


async def list_runs(engine: Engine, principal: Principal, query: RunListQuery) -> RunPage:
    """Raises Problem(FILTER_INVALID) or Problem(CURSOR_INVALID)."""
    found = await read_page(engine.store, principal, RUNS, query)
    return RunPage(
        items=[rows.run(row) for row in found.rows],
        next=found.next,
        previous=found.previous,
        searched=found.searched,
    )
