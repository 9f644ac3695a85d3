"""Runs of styled text: what every line of the console outside the table is made of.

A span is (text, style token). Widths are terminal cells, so that CJK and emoji never push a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from quarterdeck.tui.text import safe

Span = tuple[str, str]
Line = list[Span]


def width(line: Iterable[Span]) -> int:
    """Cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def crop(line: Sequence[Span], cells: int, ellipsis: str = "…") -> Line:
    """The line in at most `cells` cells; the ellipsis says that something was left out."""
    if width(line) <= cells:
        return list(line)
    out: Line = []
    left = cells - cell_len(ellipsis)
    for text, style in line:
        taken = cell_len(text)
        if taken <= left:
            out.append((text, style))
            left -= taken
            continue
        out.append((set_cell_size(text, max(left, 0)).rstrip() + ellipsis, style))
        break
    return out if cells >= cell_len(ellipsis) else []


def both_ends(left: Sequence[Span], right: Sequence[Span], cells: int) -> Line:
    """`left` at the left, `right` at the right; the left one gives way."""
    right = crop(right, cells)
    room = cells - width(right)
    left = crop(left, max(room - 1, 0))
    return [*left, (" " * (room - width(left)), ""), *right]


def wrap(text: str, cells: int, style: str = "", most: int = 10_000) -> list[Line]:
    """Outside text, made safe, over as many lines as it needs, broken at spaces where there are any."""
    lines: list[Line] = []
    cells = max(cells, 1)
    for paragraph in text.splitlines() or [""]:
        current, used = "", 0
        for word in _pieces(safe(paragraph), cells):
            size = cell_len(word)
            if used and used + size > cells:
                lines.append([(current.rstrip(), style)])
                current, used = "", 0
                word = word.lstrip()
                size = cell_len(word)
            current, used = current + word, used + size
        lines.append([(current.rstrip(), style)])
        if len(lines) > most:
            break
    if len(lines) > most:
        last = lines[most - 1][0][0]
        kept = last if cell_len(last) < cells else set_cell_size(last, cells - 1).rstrip()
        return [*lines[: most - 1], [(kept + "…", style)]]
    return lines


def _pieces(text: str, cells: int) -> Iterable[str]:
    """Words with the space before them; a word wider than a line in parts."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or (text[at] == " " and text[at - 1] != " "):
            word = text[start:at]
            start = at
            while cell_len(word) > cells:
                part = set_cell_size(word, cells)
                if not part.strip() and word.strip():
                    word = word.lstrip()
                    continue
                part = part.rstrip() or part
                if not word.startswith(part):  # a wide character did not fit in the last cell
                    part = word[: len(part) - 1] or word[:1]
                yield part
                word = word[len(part) :]
            yield word
