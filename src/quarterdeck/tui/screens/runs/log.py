"""The log of a run, as it is written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.widget import Widget

from quarterdeck.contract.operations import runs
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import badge, count, moment, plural
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.reading import ReadingScreen
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.log_view import Entry, LogView

Row = Mapping[str, Any]
_A_PAGE = 1_000
MOST_COPIED = 75_000
_AGAIN_SECONDS = 2.0


class LogScreen(ReadingScreen):
    """Reads what there is, then what the engine says has come."""

    AUTO_FOCUS = "LogView"
    LABELS: ClassVar[Mapping[str, str]] = {"clear": "Back", "copy": "Copy screen", "open": "Follow"}

    def __init__(self, run: Row) -> None:
        super().__init__()
        self.shown = run
        self.log_view = LogView(id="log")
        self._cursor: str | None = None
        self._last = 0  # the id of the newest line
        self._more = asyncio.Event()

    @property
    def place(self) -> Scope:
        return Scope.LOG

    def breadcrumb(self) -> tuple[Line, Line]:
        last, number = self.log_view.part
        right: Line = [("following  ", "badge-active")] if self.log_view.follows else []
        if number:
            right.append((f"{count(last)} of {plural(number, 'entry', 'entries')} ", "muted"))
        return self.console.place_line(f"run #{self.shown['id']} · log"), right

    def text(self) -> Widget:
        return self.log_view

    def around(self) -> Iterable[Widget]:
        yield self.log_view

    def about(self) -> tuple[Line, Line]:
        run = self.shown
        line: Line = [
            ("  ", ""),
            badge(run["status"], look_of(self.app).glyphs),
            (f"  try {run['attempt']} of {run['max_attempts']}  ", ""),
            (safe(f"{run['queue']}  {run['kind']}"), "muted"),
        ]
        if run.get("progress") is not None and run["status"] == "active":
            line.append((f"  {int(run['progress'] * 100)}%", "badge-active"))
        lost = self.log_view.forgotten
        return line, [(f"the first {count(lost)} are not shown ", "warning")] if lost else []

    def handlers(self) -> Mapping[str, Handler]:
        view = self.log_view
        return {
            **super().handlers(),
            "down": lambda: view.scroll_lines(1),
            "up": lambda: view.scroll_lines(-1),
            "top": view.to_the_top,
            "bottom": view.follow,
            "page-down": lambda: view.page(1),
            "page-up": lambda: view.page(-1),
            "open": self.follow,
            "follow": self.follow,
            "copy": self.copy,
            "reload": self.read_anew,
        }

    def on_mount(self) -> None:
        self.log_view.say("loading the log…")
        self.tell()
        self.read_anew()

    def on_link(self) -> None:
        self.chrome()
        if not self.console.session.lost:
            self._start()

    def read_anew(self) -> None:
        self._cursor, self._last = None, 0
        self.log_view.clear()
        self._start()

    def _start(self) -> None:
        if self.console.session.client is not None:
            self.run_worker(self._read(), group="log", exclusive=True)
            self.run_worker(self._watch(), group="watch", exclusive=True)

    async def _read(self) -> None:
        """All there is, then on each nudge what has come since."""
        client = self.console.session.client
        while True:
            self._more.clear()
            try:
                while await self._page(client):
                    pass
            except FAILURES as error:
                if self.console.session.lost:
                    return  # the tray says so; it is read on when the engine is back
                self.log_view.say(sentence(error))
                self.notice(sentence(error), "error")
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            self.log_view.say(self._nothing())
            await self._more.wait()

    async def _page(self, client: Any) -> bool:
        """Read on. Returns whether there may be more already."""
        query: dict[str, object] = {"limit": _A_PAGE}
        if self._cursor is not None:
            query["cursor"] = self._cursor
        page = await client.call(runs.LOGS, query=query, id=self.shown["id"])
        self._cursor = page["next"] or self._cursor
        fresh = [line for line in page["items"] if line["id"] > self._last]
        if fresh:
            self._last = fresh[-1]["id"]
        self.log_view.add(
            [Entry(line["id"], line["attempt"], moment(line["at"]) or 0, line["level"], line["text"]) for line in fresh]
        )
        return page["next"] is not None and len(page["items"]) >= _A_PAGE

    async def _watch(self) -> None:
        """Each message says that something is different: the run, its log, or both."""
        client = self.console.session.client
        try:
            async with contextlib.aclosing(client.watch_run(self.shown["id"])) as messages:
                async for message in messages:
                    if isinstance(message.get("run"), dict):
                        self.shown = message["run"]
                        self.tell()
                    self._more.set()
        except FAILURES as error:
            self.notice(sentence(error), "error")

    def _nothing(self) -> str:
        if self.shown["status"] in ("scheduled", "waiting"):
            return "nothing yet: the run has not begun"
        return "the attempts of this run have written nothing" if self.shown["status"] != "active" else "nothing yet"

    def on_log_view_changed(self) -> None:
        self.chrome()
        self.tell()

    # Commands

    def follow(self) -> None:
        self.log_view.follow(not self.log_view.follows)

    async def find(self, direction: int) -> None:
        self.told(self.log_view.find(self.wanted, direction))

    def copy(self) -> None:
        text = self.log_view.seen()[:MOST_COPIED]
        if text:
            self.console.copy_text(text, "what stands on the screen")
        else:
            self.notice("Nothing to copy: there is no line.")
