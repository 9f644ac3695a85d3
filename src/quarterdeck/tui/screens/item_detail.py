"""The detail pane of an item: body, fields and timeline."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck.contract.enums import Resource
from quarterdeck.contract.operations import dead_letters, items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.screens.row_detail import Row, RowDetail
from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of

_EVENTS = 100


class ItemDetail(RowDetail):
    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Any]:
        """The item, and its newest events with the dead letter behind it, if there is one."""
        resource = self.screen.resource
        item, page = await asyncio.gather(
            client.call(items.SHOW, resource=resource, id=row_id),
            client.call(items.EVENTS, query={"limit": _EVENTS}, resource=resource, id=row_id),
        )
        return item, (page["items"], await _letter(client, item))

    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        from quarterdeck.tui.detail import item_lines

        screen = self.screen
        session, glyphs = screen.console.session, look_of(screen.app).glyphs
        events, letter = rest if rest is not None else (None, None)
        story: list[Line] = []
        if letter is not None:
            from quarterdeck.tui.machine_detail import story_lines

            keys = {name: screen.key(name) for name in ("see-run", "see-dead-letter")}
            story = story_lines(letter, cells=cells, now=session.now(), glyphs=glyphs, keys=keys)
        return item_lines(
            row,
            events,
            cells=cells,
            now=session.now(),
            glyphs=glyphs,
            mine=session.actor,
            more_events=events is not None and len(events) >= _EVENTS,
            story=story,
        )


async def _letter(client: Any, item: Row) -> Row | None:
    """The dead letter that has opened an exception; None where it is another item, or the letter's time was over."""
    number = (item.get("fields") or {}).get("dead_letter") if item["resource"] == Resource.EXCEPTIONS else None
    if not isinstance(number, int):
        return None
    try:
        found: Row = await client.call(dead_letters.SHOW, id=number)
    except Problem as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return None
    return found
