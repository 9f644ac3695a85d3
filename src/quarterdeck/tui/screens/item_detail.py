"""The detail pane of an item: body, fields and timeline."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck.contract.operations import items
from quarterdeck.tui.screens.row_detail import Row, RowDetail
from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of

_EVENTS = 100


class ItemDetail(RowDetail):
    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Any]:
        """The item, and its newest events."""
        resource = self.screen.resource
        item, page = await asyncio.gather(
            client.call(items.SHOW, resource=resource, id=row_id),
            client.call(items.EVENTS, query={"limit": _EVENTS}, resource=resource, id=row_id),
        )
        return item, page["items"]

    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        from quarterdeck.tui.detail import item_lines

        session = self.screen.console.session
        return item_lines(
            row,
            rest,
            cells=cells,
            now=session.now(),
            glyphs=look_of(self.screen.app).glyphs,
            mine=session.actor,
            more_events=rest is not None and len(rest) >= _EVENTS,
        )
