"""The payload of a run or a dead letter: a tree that folds, with the value under the cursor whole below it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.widget import Widget

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.operations import dead_letters, runs
from quarterdeck.tui.commands import Scope
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.reading import ReadingScreen
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.json_tree import JsonTree
from quarterdeck.tui.widgets.json_words import kind_of, scalar
from quarterdeck.tui.widgets.lines import LinesView

MOST_COPIED = 75_000  # letters; terminals drop longer sequences without a word
_MOST_SHOWN = 20_000


class PayloadScreen(ReadingScreen):
    DEFAULT_CSS = """
    PayloadScreen #value { height: 30%; min-height: 3; border-top: $stroke $line; padding: 0 1; }
    """
    AUTO_FOCUS = "JsonTree"
    LABELS: ClassVar[Mapping[str, str]] = {"open": "Fold", "copy": "Copy value", "clear": "Back"}

    def __init__(self, resource: MachineResource, number: int, name: str) -> None:
        super().__init__()
        self._resource, self._number, self._name = resource, number, name
        self.json = JsonTree(id="tree")
        self.value = LinesView(id="value")
        self._value: Any = None
        self._reveals = False

    @property
    def place(self) -> Scope:
        return Scope.PAYLOAD

    def breadcrumb(self) -> tuple[Line, Line]:
        return self.console.place_line(f"{self._name} · payload"), []

    def text(self) -> Widget:
        return self.json

    def around(self) -> Iterable[Widget]:
        yield self.json
        yield self.value

    def about(self) -> tuple[Line, Line]:
        node = self.json.node
        if node is None:
            return [("  loading the payload…", "muted")], []
        path, kind = safe(node.path[-2_000:]), f"{kind_of(node.value)} "
        room = max(self.size.width - len(kind) - 4, 10)
        if len(path) > room:  # its end says more than its beginning
            path = "…" + path[1 - room :]
        return [("  ", ""), (path, "accent")], [(kind, "muted")]

    def handlers(self) -> Mapping[str, Handler]:
        tree = self.json
        return {
            **super().handlers(),
            "down": lambda: tree.move(1),
            "up": lambda: tree.move(-1),
            "top": lambda: tree.move_to(0),
            "bottom": lambda: self._beside(tree.bottom()),
            "page-down": lambda: tree.page(1),
            "page-up": lambda: tree.page(-1),
            "open": self.turn,
            "fold": tree.fold,
            "unfold": tree.unfold,
            "fold-all": lambda: tree.open_all(False),
            "unfold-all": lambda: tree.open_all(True),
            "copy": self.copy,
            "copy-path": self.copy_path,
            "secrets": self.secrets,
            "reload": self.fetch,
            "detail-down": lambda: self._scroll(1),
            "detail-up": lambda: self._scroll(-1),
        }

    @property
    def is_filling(self) -> bool:
        return self.json.node is None and any(each.group == "payload" and not each.is_finished for each in self.workers)

    def on_mount(self) -> None:
        self.tell()
        self.fetch()

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    def on_link(self) -> None:
        self.chrome()
        if self.json.node is None:
            self.fetch()

    def fetch(self) -> None:
        self.run_worker(self._fetch(), group="payload", exclusive=True)

    async def _fetch(self) -> None:
        client = self.console.session.client
        if client is None:
            return
        try:
            if self._resource is MachineResource.RUNS:
                value = (await client.call(runs.SHOW, id=self._number))["run"]["payload"]
            else:
                value = (await client.call(dead_letters.SHOW, id=self._number))["payload"]
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        self._value = value
        await self._show()

    async def _show(self) -> None:
        """Beside the screen, for there may be much to hide."""
        masked = self.console.session.masked
        self.json.show(self._value if self._reveals else await asyncio.to_thread(masked, self._value))

    def on_json_tree_moved(self) -> None:
        self.tell()
        self._paint()

    def _paint(self) -> None:
        """The value under the cursor, whole; a branch says itself in the tree."""
        node = self.json.node
        lines: list[Line] = []
        if node is not None and not node.is_branch:
            text = node.value if isinstance(node.value, str) else scalar(node.value)
            cells = max(self.value.content_size.width, 20)
            lines = wrap(text[:_MOST_SHOWN], cells)
            if len(text) > _MOST_SHOWN:
                lines.append([(f"… and {len(text) - _MOST_SHOWN:,} letters more", "muted")])
        elif node is not None:
            lines = [[(f"{kind_of(node.value)}; {self.key('open')} folds and unfolds it", "muted")]]
        self.value.show(lines)

    def _scroll(self, direction: int) -> None:
        self.value.scroll_lines(direction * max(1, self.value.size.height - 2))

    def _beside(self, work: Any) -> None:
        self.run_worker(work, group="find", exclusive=True)

    # Commands

    def secrets(self) -> None:
        """The engine has hidden them already from whoever is not an admin."""
        self._reveals = not self._reveals
        self._beside(self._show())
        self.notice("What stands under secret names is shown." if self._reveals else "Secret names are hidden again.")

    def turn(self) -> None:
        if not self.json.turn():
            self.notice("There is nothing to fold here.")

    async def find(self, direction: int) -> None:
        self.told(await self.json.find(self.wanted, direction))

    def copy(self) -> None:
        node = self.json.node
        if node is None:
            return
        try:
            text = node.value if isinstance(node.value, str) else json.dumps(node.value, ensure_ascii=False, indent=2)
        except RecursionError:
            self.notice("This value is nested too deeply to be copied.", "warning")
            return
        if len(text) > MOST_COPIED:
            command = "runs" if self._resource is MachineResource.RUNS else "dlq"
            self.notice(
                f"{len(text):,} letters are more than a terminal takes; for all of it: "
                f"qd {command} show {self._number} --json",
                "warning",
            )
        else:
            self.console.copy_text(text, f"the value at {safe(node.path[:60])}")

    def copy_path(self) -> None:
        node = self.json.node
        if node is not None:
            self.console.copy_text(node.path, safe(node.path[:60]))
