"""A JSON value as lines that fold, made as they are looked at: a payload of a megabyte costs what is seen of it.

Nothing here recurses, so depth costs no stack.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice, pairwise
from typing import Any

OPEN_TO = 2  # levels that are unfolded at first
UNFOLDED_UP_TO = 60  # values; a payload with fewer is unfolded whole
_STRIDE = 1_000  # lines between two pauses


class Node:
    """One value. `key` is its name or index in `parent`, `at` its place there."""

    __slots__ = ("at", "depth", "key", "parent", "value")

    def __init__(self, key: str | int | None, value: Any, parent: Node | None = None, at: int = 0) -> None:
        self.key, self.value, self.parent, self.at = key, value, parent, at
        self.depth: int = 0 if parent is None else parent.depth + 1

    @property
    def is_branch(self) -> bool:
        return isinstance(self.value, (dict, list)) and bool(self.value)

    def is_at(self, other: Node) -> bool:
        """Whether both are the same place of the same value."""
        if self.parent is None or other.parent is None:
            return self.parent is other.parent
        return self.at == other.at and self.parent.value is other.parent.value

    def ancestors(self) -> list[Node]:
        """From the root down, without itself."""
        found: list[Node] = []
        node = self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found[::-1]

    @property
    def path(self) -> str:
        """As jq writes it: `.items[3].name`, `.["odd name"]`; `.` is the whole."""
        parts = [_step(node.key) for node in (*self.ancestors()[1:], self)] if self.parent is not None else []
        path = "".join(parts)
        return path if path.startswith(".") else f".{path}"


def _step(key: str | int | None) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    name = key or ""
    if name.isascii() and name.isidentifier():
        return f".{name}"
    import json

    return f"[{json.dumps(name)}]"


def children(parent: Node, start: int = 0) -> Iterator[Node]:
    """What stands in a branch, from place `start` on."""
    value = parent.value
    if isinstance(value, dict):
        for at, (key, member) in enumerate(islice(value.items(), start, None), start):
            yield Node(key, member, parent, at)
    elif isinstance(value, list):
        for at in range(start, len(value)):
            yield Node(at, value[at], parent, at)


def size_within(value: Any, most: int) -> int:
    """How many values there are, counted no further than `most`."""
    left, found = [value], 0
    while left and found < most:
        each = left.pop()
        found += 1
        if isinstance(each, dict):
            left.extend(islice(each.values(), most))
        elif isinstance(each, list):
            left.extend(each[:most])
    return found


class Tree:
    """`lines` are those made so far; `ensure` makes more of them."""

    def __init__(self, value: Any) -> None:
        self.root = Node(None, value)
        small = size_within(value, UNFOLDED_UP_TO) < UNFOLDED_UP_TO
        self._open_to: float = float("inf") if small else OPEN_TO
        self._turned: set[int] = set()  # branches that are not as their depth says; the root keeps them alive
        self.lines: list[Node] = []
        self._rest: Iterator[Node] = iter(())
        self._start()

    def _start(self) -> None:
        self.lines = [self.root]
        self._rest = self._after([self.root])
        self.is_whole = False

    def ensure(self, number: int) -> int:
        """Make `number` lines if there are as many. Returns how many there are."""
        missing = number - len(self.lines)
        if missing > 0 and not self.is_whole:
            self.lines.extend(islice(self._rest, missing))
            self.is_whole = len(self.lines) < number
        return len(self.lines)

    def is_open(self, node: Node) -> bool:
        return node.is_branch and (node.depth < self._open_to) != (id(node.value) in self._turned)

    def turn(self, at: int) -> bool:
        """Fold or unfold a line. False where there is nothing to fold."""
        node = self.lines[at]
        if not node.is_branch:
            return False
        self._turned.symmetric_difference_update((id(node.value),))
        del self.lines[at + 1 :]
        self._rest = self._after([*node.ancestors(), node])
        self.is_whole = False
        return True

    def open_all(self, wanted: bool) -> None:
        """Unfold everything, or fold everything but the first level."""
        self._open_to = float("inf") if wanted else 1
        self._turned.clear()
        self._start()

    def _after(self, branch: list[Node], everything: bool = False) -> Iterator[Node]:
        """The lines behind the last node of `branch`, which leads there from the root."""
        stack = [children(parent, child.at + 1) for parent, child in pairwise(branch)]
        if everything or self.is_open(branch[-1]):
            stack.append(children(branch[-1]))
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                continue
            yield node
            if node.is_branch and (everything or self.is_open(node)):
                stack.append(children(node))

    def behind(self, node: Node) -> Iterator[Node]:
        """Every value behind `node`, folded or not."""
        return self._after([*node.ancestors(), node], everything=True)

    def before(self, node: Node) -> Iterator[Node]:
        """Every value before `node`, from the root on."""
        yield self.root
        for each in self.behind(self.root):
            if each.is_at(node):
                return
            yield each

    def reveal(self, node: Node) -> Generator[None, None, int]:
        """Unfold what hides `node`; returns its line. Pauses now and then, for there may be very many lines."""
        hidden = [each for each in node.ancestors() if not self.is_open(each)]
        self._turned.symmetric_difference_update(id(each.value) for each in hidden)
        if hidden:
            self._start()
        at = 0
        while True:
            number = min(self.ensure(at + _STRIDE), at + _STRIDE)
            while at < number:
                if self.lines[at].is_at(node):
                    return at
                at += 1
            if self.is_whole and at >= len(self.lines):
                return 0
            yield
