"""Workers: how well each type does, every instance and what is wrong with it, charts of all their work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textual.widget import Widget

from quarterdeck.contract.clock import MINUTE, SECOND
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import workers
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.format import plural
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.figure_detail import TALL
from quarterdeck.tui.screens.figures import FiguresScreen
from quarterdeck.tui.screens.workers.words import WORKER_COLUMNS, card_lines, worker_lines
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.lines import LinesView

Row = Mapping[str, Any]
RATE_OVER, RATE_FROM = 5 * MINUTE, 10 * SECOND


class WorkersScreen(FiguresScreen):
    """Cards of the types on top, a row an instance under them."""

    DEFAULT_CSS = """
    WorkersScreen #cards { padding: 0 0 0 3; max-height: 25%; }
    WorkersScreen.-tall #cards { padding: 1 0 1 3; }
    """
    COLUMNS = WORKER_COLUMNS
    NOUN = "workers"
    EMPTY = "No worker yet: none has leased a run, and [workers] in the config file names none to look after."
    NEWS = Message.WORKERS_CHANGED
    KEY = ("name", "type", "url")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.cards = LinesView(id="cards")
        self.types: Sequence[Row] = ()
        self._seen: deque[tuple[int, Mapping[str, int]]] = deque()  # when (ms), and how much each type had done

    @property
    def place(self) -> Scope:
        return Scope.WORKERS

    def above(self) -> Iterable[Widget]:
        yield self.cards

    async def read(self) -> Sequence[Row]:
        found = await self.console.session.client.call(workers.HEALTH)
        self.types = self._with_rates(found["types"])
        rows: Sequence[Row] = found["instances"]
        return rows

    def _with_rates(self, types: Sequence[Row]) -> Sequence[Row]:
        """Runs a minute of each type, from what was seen in the last minutes; unknown while that is too little."""
        now = self.console.session.now()
        self._seen.append((now, {each["type"]: each["completed"] for each in types}))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_OVER:
            self._seen.popleft()
        since, before = self._seen[0]
        if now - since < RATE_FROM:
            return types
        return [
            {**each, "per_minute": max(0, each["completed"] - before[each["type"]]) * MINUTE / (now - since)}
            if each["type"] in before
            else each
            for each in types
        ]

    async def on_news(self, message: Mapping[str, Any]) -> None:
        await super().on_news(message)
        if message["type"] == Message.QUEUES_CHANGED:
            self.detail.keep_up()  # the charts are of all machine work

    def remember(self) -> None:
        self.console.session.state.screen = "workers"

    def breadcrumb(self) -> tuple[Line, Line]:
        right: Line = []
        if self.types:
            said = f"{plural(len(self.source.rows), 'worker')} of {plural(len(self.types), 'type')} "
            right.append((said, "muted"))
        return self.console.place_line("workers"), right

    def say_of(self, row: Row) -> Line:
        said: Line = [(f"   {safe(row['name'])}: ", "muted")]
        if row["why"]:
            said.append((safe(row["why"]), "error" if row["condition"] == "unhealthy" else "warning"))
        else:
            said.append(("does well.", "muted"))
        return said

    def facts(self, row: Row, cells: int, *, brief: bool) -> list[Line]:
        return worker_lines(
            row, cells=cells, now=self.console.session.now(), glyphs=look_of(self.app).glyphs, brief=brief
        )

    def fades(self, row: Row) -> bool:
        return bool(row["active"]) or any(each.get("per_minute") for each in self.types)

    def refreshed(self) -> None:
        self.paint_cards()

    def on_resize(self) -> None:
        self.set_class(self.size.height >= TALL, "-tall")
        self.paint_cards()

    def paint_cards(self) -> None:
        if self.is_mounted:
            cells = self.size.width - 4
            most = 1 if self.size.height < TALL else 3
            self.cards.show(card_lines(self.types, cells=cells, glyphs=look_of(self.app).glyphs, rows=most), keep=True)

    def why_not(self, bound: Bound) -> str | None:
        if bound.name == "workers":
            return "These are the workers already."
        return super().why_not(bound)
