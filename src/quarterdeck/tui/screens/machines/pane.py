"""The detail pane of a list of machine work."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.tui.screens.machines.screen import MachineList
from quarterdeck.tui.screens.row_detail import Row, RowDetail
from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of


class MachineDetail(RowDetail):
    screen: MachineList

    @abstractmethod
    def describe(self) -> Callable[..., list[Line]]:
        """What says a row and its rest in lines; imported when there is something to say."""

    def lines(self, row: Row, rest: Any, cells: int) -> list[Line]:
        screen = self.screen
        return self.describe()(
            row,
            rest,
            cells=cells,
            now=screen.console.session.now(),
            glyphs=look_of(screen.app).glyphs,
            keys=screen.keys(),
        )

    async def masked(self, found: Mapping[str, Any], *names: str) -> dict[str, Any]:
        """With these members as an onlooker may see them."""
        mask = self.screen.console.session.masked
        return {**found, **{name: await asyncio.to_thread(mask, found.get(name)) for name in names}}
