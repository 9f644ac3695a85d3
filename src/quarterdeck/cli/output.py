"""What a command prints: text for people, JSON for programs. Nothing a terminal would obey."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from quarterdeck.tui.text import safe

_WIDEST = 60
# JSON may carry these as they are, but a terminal would obey some and other programs trip over the rest.
_UNWELCOME = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def as_json(value: Any, *, indent: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _UNWELCOME.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a table on paper; `right` for numbers."""

    title: str
    right: bool = False


def table(headings: Sequence[Heading], rows: Sequence[Sequence[object]], *, width: int | None) -> list[str]:
    """Aligned lines. The widest column gives way until the lines fit into `width` cells (None: as wide as needed)."""
    from rich.cells import cell_len, set_cell_size

    cells = [[safe("" if value is None else value) for value in row] for row in rows]
    widths = [
        max([cell_len(heading.title), *(cell_len(row[index]) for row in cells)])
        for index, heading in enumerate(headings)
    ]
    if width is not None:
        while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 8:
            widths[widths.index(max(widths))] -= 1
    lines = []
    for row in [[heading.title for heading in headings], *cells]:
        parts = []
        for value, size, heading in zip(row, widths, headings, strict=True):
            if cell_len(value) > size:
                value = set_cell_size(value, size - 1) + "…"
            padding = " " * (size - cell_len(value))
            parts.append(padding + value if heading.right else value + padding)
        lines.append("  ".join(parts).rstrip())
    return lines


class Output:
    """Where a command says things: results on standard output, everything else on standard error."""

    def __init__(self, as_json: bool) -> None:
        self.json_wanted = as_json

    def result(self, value: Any, lines: Sequence[str]) -> None:
        """One result: JSON where it was asked for, else the lines (already safe)."""
        if self.json_wanted:
            print(as_json(value, indent=2 if sys.stdout.isatty() else None))
        else:
            for line in lines:
                print(line)

    def record(self, value: Any, line: str) -> None:
        """One of many results, as it comes: one JSON object a line."""
        print(as_json(value) if self.json_wanted else line, flush=True)

    def note(self, sentence: str) -> None:
        print(safe(sentence), file=sys.stderr, flush=True)

    @contextmanager
    def counting(self) -> Iterator[Callable[[str], None]]:
        """How far something is, in one line that is written over and gone at the end; nothing where nobody looks."""
        looks = sys.stderr.isatty() and not self.json_wanted

        def show(text: str) -> None:
            if looks:
                print(f"\r\x1b[K{safe(text)}", end="", file=sys.stderr, flush=True)

        try:
            yield show
        finally:
            show("")

    @property
    def width(self) -> int | None:
        """Cells a line may take; None where nobody looks at it."""
        if not sys.stdout.isatty():
            return None
        import shutil

        return shutil.get_terminal_size().columns


def pairs(values: Sequence[tuple[str, object]]) -> list[str]:
    """`name  value` lines; what is empty is left out."""
    kept = [(name, value) for name, value in values if value not in (None, "", [], {})]
    size = max((len(name) for name, _ in kept), default=0)
    return [f"{name:<{size}}  {safe(value)}" for name, value in kept]
