"""A JSON value to walk through: folding, search, and the value under the cursor."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.tui.spans import Line
from quarterdeck.tui.theming import look_of
from quarterdeck.tui.widgets.json_nodes import Node, Tree
from quarterdeck.tui.widgets.json_words import line_of, searched
from quarterdeck.tui.widgets.lines import strip_of
from quarterdeck.tui.widgets.viewport import Viewport

# A walk through very many values gives the keyboard its turn after so long.
_TURN_SECONDS = 0.008


class JsonTree(Widget, can_focus=True):
    """Has no keys of its own: a screen binds the methods."""

    DEFAULT_CSS = "JsonTree { width: 1fr; height: 1fr; background: $background; }"
    ALLOW_SELECT = False

    class Moved(Message):
        """The cursor stands on another value."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.document: Tree | None = None
        self._view = Viewport()

    def show(self, value: Any) -> None:
        self.document = Tree(value)
        self._view = Viewport(max(self.size.height, 1))
        self._settle()

    @property
    def node(self) -> Node | None:
        """The value under the cursor."""
        tree = self.document
        return tree.lines[self._view.cursor] if tree is not None and self._view.cursor < len(tree.lines) else None

    # Moving

    def move(self, by: int) -> None:
        self.move_to(self._view.cursor + by)

    def move_to(self, line: int) -> None:
        tree, view = self.document, self._view
        if tree is None:
            return
        high = tree.ensure(max(line, 0) + view.height + 1)
        before = view.cursor
        if view.move_to(line, 0, high):
            self.refresh()
        else:
            self._refresh_lines(before, view.cursor)
        self.post_message(self.Moved())

    def page(self, direction: int) -> None:
        tree, view = self.document, self._view
        if tree is not None:
            view.page(direction, 0, tree.ensure(view.bottom + 2 * view.height))
            self._settle()

    async def bottom(self) -> None:
        """The last line, however many there are."""
        tree = self.document
        if tree is None:
            return
        made = len(tree.lines)
        while tree.ensure(made + 2_000) > made:
            made = len(tree.lines)
            await asyncio.sleep(0)
            if tree is not self.document:
                return
        self.move_to(made - 1)

    def _settle(self) -> None:
        if self.document is not None:
            self._view.settle(0, self.document.ensure(self._view.bottom + 1))
        self.refresh()
        self.post_message(self.Moved())

    def _refresh_lines(self, *positions: int) -> None:
        for position in positions:
            line = self._view.line_of(position)
            if line is not None:
                self.refresh(Region(0, line, self.size.width, 1))

    # Folding

    def turn(self) -> bool:
        """Fold or unfold what is under the cursor."""
        done = self.document is not None and self.document.turn(self._view.cursor)
        if done:
            self._settle()
        return done

    def fold(self) -> None:
        """Fold what is under the cursor; where that is not unfolded, go to what it stands in."""
        tree, node = self.document, self.node
        if tree is None or node is None:
            return
        if tree.is_open(node):
            self.turn()
        elif node.parent is not None:
            at = self._view.cursor
            while at > 0 and tree.lines[at].depth >= node.depth:
                at -= 1
            self.move_to(at)

    def unfold(self) -> None:
        """Unfold what is under the cursor; where that is unfolded, go in."""
        tree, node = self.document, self.node
        if tree is None or node is None or not node.is_branch:
            return
        if tree.is_open(node):
            self.move(1)
        else:
            self.turn()

    def open_all(self, wanted: bool) -> None:
        if self.document is not None:
            self.document.open_all(wanted)
            self._view.cursor = self._view.top = 0
            self._settle()

    # Search

    async def find(self, wanted: str, direction: int) -> bool | None:
        """The cursor on the next name or value that holds `wanted`, or the one before. False: there is none; True:
        it was found past the end of the payload, from the other side; None: it was found on the way."""
        tree, here = self.document, self.node
        if tree is None or here is None:
            return False
        wanted = wanted.lower()
        wrapped = False
        if direction > 0:
            found = await self._first(tree.behind(here), wanted)
            if found is None:
                wrapped, found = True, await self._first(tree.before(here), wanted)
        else:
            found = await self._last(tree.before(here), wanted)
            if found is None:
                wrapped, found = True, await self._last(tree.behind(here), wanted)
        if found is None:
            if not searched(here, wanted):
                return False
            wrapped, found = True, here
        await self._go_to(found)
        return True if wrapped else None

    async def _first(self, nodes: Any, wanted: str) -> Node | None:
        started = time.monotonic()
        for node in nodes:
            if searched(node, wanted):
                return node  # type: ignore[no-any-return]
            if time.monotonic() - started > _TURN_SECONDS:
                await asyncio.sleep(0)
                started = time.monotonic()
        return None

    async def _last(self, nodes: Any, wanted: str) -> Node | None:
        started, found = time.monotonic(), None
        for node in nodes:
            if searched(node, wanted):
                found = node
            if time.monotonic() - started > _TURN_SECONDS:
                await asyncio.sleep(0)
                started = time.monotonic()
        return found

    async def _go_to(self, node: Node) -> None:
        tree = self.document
        assert tree is not None
        way = tree.reveal(node)
        while True:
            try:
                next(way)
            except StopIteration as end:
                self._view.cursor, self._view.top = 0, 0
                self.move_to(end.value)
                self.refresh()
                return
            await asyncio.sleep(0)
            if tree is not self.document:
                return

    # Drawing

    def on_focus(self) -> None:
        self._refresh_lines(self._view.cursor)

    def on_blur(self) -> None:
        self._refresh_lines(self._view.cursor)

    def on_resize(self, event: events.Resize) -> None:
        if self.document is not None:
            self._view.resize(event.size.height, 0, self.document.ensure(self._view.top + event.size.height + 1))
        else:
            self._view.height = max(event.size.height, 1)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        self.move_to(self._view.top + event.y)
        if event.chain == 2:
            self.turn()

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)

    def _scroll(self, by: int) -> None:
        if self.document is not None:
            self._view.scroll(by, 0, self.document.ensure(self._view.bottom + max(by, 0) + 1))
            self.refresh()
            self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        tree, cells = self.document, self.size.width
        at = self._view.top + y
        if tree is None or at >= tree.ensure(at + 1):
            return strip_of(self, [], cells)
        node, glyphs = tree.lines[at], look_of(self.app).glyphs
        here = at == self._view.cursor
        line: Line = [(f"{glyphs.cursor if here else ' '} ", "accent")]
        line += line_of(node, tree.is_open(node), cells, glyphs)
        if here:
            whole = "cursor" if self.has_focus else "cursor-blurred"
            line = [(text, whole) for text, _ in line]
        return strip_of(self, line, cells, ("cursor" if self.has_focus else "cursor-blurred") if here else "")
