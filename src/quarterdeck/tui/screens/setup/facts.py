"""Lines of a pane: names at the left, what is to be said of them at the right."""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.tui.format import age
from quarterdeck.tui.spans import Line, wrap

Fact = tuple[str, str] | tuple[str, str, str]
_NAME = 14  # cells


def fact_lines(facts: Iterable[Fact], cells: int) -> list[Line]:
    """(name, text) or (name, text, style); those without a text are left out. Texts are made safe."""
    lines: list[Line] = []
    for name, text, *style in facts:
        if not text:
            continue
        for n, (line,) in enumerate(wrap(text, max(cells - _NAME, 10), style[0] if style else "")):
            lines.append([((name if not n else "").ljust(_NAME), "muted"), line])
    return lines


def ago(at: object, now: int) -> str:
    """`3m ago`, `just now`; empty for no time."""
    said = age(at, now)
    return "just now" if said == "now" else f"{said} ago" if said else ""
