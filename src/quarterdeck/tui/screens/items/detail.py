"""The detail pane of an item: its clocks, body, fields and timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.timer import Timer

from quarterdeck.contract.clock import MINUTE
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.operations import dead_letters, items, sla
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.screens.row_detail import Row, RowDetail
from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of

if TYPE_CHECKING:
    from quarterdeck.tui.screens.listing import ListScreen

_EVENTS = 100


class Rest(NamedTuple):
    """What belongs to an item. `letter`: the dead letter that has opened it."""

    events: Sequence[Row]
    letter: Row | None
    clocks: Sequence[Row]
    suggestions: Sequence[Row]


class ItemDetail(RowDetail):
    """Clocks run while one looks at them: what they say is drawn again when its words change."""

    def __init__(self, screen: ListScreen) -> None:
        super().__init__(screen)
        self._ticking: Timer | None = None
        self._looked_at = 0  # when the clocks were asked for, ms
        self._said: list[str] = []

    async def fetch(self, client: Any, row_id: int) -> tuple[Row, Any]:
        resource = self.screen.resource
        self._looked_at = self.screen.console.session.now()
        item, page, found = await asyncio.gather(
            client.call(items.SHOW, resource=resource, id=row_id),
            client.call(items.EVENTS, query={"limit": _EVENTS}, resource=resource, id=row_id),
            client.call(sla.CLOCKS, resource=resource, id=row_id),
        )
        if found["clocks"] and self._ticking is None:
            self._ticking = self.screen.set_interval(1.0, self._tick)
        return item, Rest(page["items"], await _letter(client, item), found["clocks"], found["suggestions"])

    def suggestions_of(self, row: Row | None) -> Sequence[Row] | None:
        """What is suggested for a row; None where that is not known here."""
        shown = self._shown
        if row is None or not self.is_open or shown is None or shown[1] is None or shown[0]["id"] != row["id"]:
            return None
        rest: Rest = shown[1]
        return rest.suggestions

    def paint(self) -> None:
        super().paint()
        self._said = self._words()

    def _words(self) -> list[str]:
        from quarterdeck.tui.screens.sla.words import left

        rest = self._shown[1] if self._shown is not None else None
        if rest is None:
            return []
        now, glyphs = self.screen.console.session.now(), look_of(self.screen.app).glyphs
        return [left(each, now, glyphs)[0] for each in rest.clocks]

    def _tick(self) -> None:
        """Once a second; what is used up is asked of the engine once a minute, for it has the calendar."""
        session = self.screen.console.session
        if not self.is_open or session.lost or self.screen.console.front is not self.screen:
            return
        words = self._words()
        if any(words) and session.now() - self._looked_at >= MINUTE:
            self._looked_at = session.now()  # one question, however long the answer takes
            self.refresh()
        elif words != self._said:
            self.paint()

    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        from quarterdeck.tui.detail import item_lines

        screen = self.screen
        session, glyphs = screen.console.session, look_of(screen.app).glyphs
        story: list[Line] = []
        if rest is not None and rest.clocks:
            from quarterdeck.tui.screens.sla.words import clock_lines, suggestion_lines

            story += clock_lines(rest.clocks, cells=cells, now=session.now(), glyphs=glyphs)
            story += suggestion_lines(Resource(screen.resource), rest.suggestions, cells, screen.key("suggestion"))
        if rest is not None and rest.letter is not None:
            from quarterdeck.tui.screens.machines.detail import story_lines

            keys = {name: screen.key(name) for name in ("see-run", "see-dead-letter")}
            story += story_lines(rest.letter, cells=cells, now=session.now(), glyphs=glyphs, keys=keys)
        return item_lines(
            row,
            rest.events if rest is not None else None,
            cells=cells,
            now=session.now(),
            glyphs=glyphs,
            mine=session.actor,
            more_events=rest is not None and len(rest.events) >= _EVENTS,
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
