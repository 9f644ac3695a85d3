"""The attempts of a run on one time axis: each a bar with how long it took and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from quarterdeck.contract.clock import DAY, SECOND, to_datetime
from quarterdeck.tui.format import duration, moment
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line, crop, wrap
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]
_SHORTEST_BAR = 8  # cells; with less the words say all
_LONGEST_BAR = 60
_MOST = 200  # attempts

# outcome -> (sign, style, word); none yet: it is at work
_OUTCOMES: Mapping[str | None, tuple[str, str, str]] = {
    None: ("active", "badge-active", "at work"),
    "completed": ("completed", "badge-completed", "completed"),
    "failed": ("failed", "badge-failed", "failed"),
    "lost": ("attention", "badge-attention", "lost"),
    "cancelled": ("ended", "badge-ended", "cancelled"),
    "given_back": ("ended", "badge-ended", "given back"),
}


def took(milliseconds: int) -> str:
    """`840 ms`, `1.2 s`, `45s`, `3m 20s`."""
    if milliseconds < SECOND:
        return f"{max(milliseconds, 0)} ms"
    return f"{milliseconds / SECOND:.1f} s" if milliseconds < 10 * SECOND else duration(milliseconds)


def with_the_one_at_work(attempts: Sequence[Row], run: Row) -> list[Row]:
    """An attempt is written down when it ends; one that is at work stands in the run itself."""
    found = list(attempts)
    if run["status"] == "active" and all(each["number"] != run["attempt"] for each in found):
        found.append(
            {"number": run["attempt"], "started_at": run["started_at"], "ended_at": None, "worker": run.get("worker")}
            | dict.fromkeys(("outcome", "error_class", "error_code", "error_message", "detail", "retry_at"))
        )
    return found


def counted_anew(attempts: Sequence[Row]) -> list[Row]:
    """The attempts of more than one run, numbered through."""
    return [{**each, "number": number} for number, each in enumerate(attempts, 1)]


def timeline_lines(attempts: Sequence[Row], *, now: int, cells: int, glyphs: Glyphs) -> list[Line]:
    """Oldest first; under each attempt its error. Without attempts, a line that says so."""
    if not attempts:
        return [[("no attempt yet", "muted")]]
    left_out = max(0, len(attempts) - _MOST)
    shown = list(attempts)[left_out:]
    spans = [_span(each, now) for each in shown]
    heads = [_head(each, end - start, glyphs) for each, (start, end) in zip(shown, spans, strict=True)]
    widest = max(sum(cell_len(text) for text, _ in head) for head in heads)
    bar = min(cells - widest - 2, _LONGEST_BAR)
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    lines: list[Line] = []
    if left_out:
        lines.append([(f"{left_out} earlier attempts are not shown", "muted")])
    before: list[Line] = []
    for each, head, (start, end) in zip(shown, heads, spans, strict=True):
        line = list(head)
        if bar >= _SHORTEST_BAR:
            pad = widest - sum(cell_len(text) for text, _ in head)
            line += [(" " * (pad + 1), ""), *_bar(start - first, end - first, last - first, bar, each, glyphs)]
        lines.append(crop(line, cells))
        error = _error(each, cells)
        if error != before:  # the same error again is said once
            lines += error
        before = error
    if bar >= _SHORTEST_BAR:
        lines.append([(" " * (widest + 1), ""), (_axis(first, last, bar), "faint")])
    return lines


def _span(attempt: Row, now: int) -> tuple[int, int]:
    start = moment(attempt["started_at"]) or now
    return start, max(moment(attempt["ended_at"]) or now, start)


def _head(attempt: Row, lasted: int, glyphs: Glyphs) -> Line:
    sign, style, word = _OUTCOMES.get(attempt["outcome"], _OUTCOMES[None])
    return [
        (f"{'#' + str(attempt['number']):>3} ", "muted"),
        (f"{getattr(glyphs, sign)} {word:<10}", style),
        (f"{took(lasted):>7}", ""),
    ]


def _bar(start: int, end: int, whole: int, cells: int, attempt: Row, glyphs: Glyphs) -> Line:
    """At least one cell, at its place between the beginning of the first attempt and the end of the last."""
    whole = max(whole, 1)
    first = min(start * cells // whole, cells - 1)
    last = max(first + 1, min(-(-end * cells // whole), cells))
    style = _OUTCOMES.get(attempt["outcome"], _OUTCOMES[None])[1]
    return [
        ("·" * first, "line"),
        (glyphs.bar_full * (last - first), style),
        ("·" * (cells - last), "line"),
    ]


def _error(attempt: Row, cells: int) -> list[Line]:
    who = f" · {safe(attempt['worker'])}" if attempt.get("worker") else ""
    if not attempt.get("error_code") and not attempt.get("error_message"):
        return []
    code = " ".join(str(each) for each in (attempt["error_code"], attempt["error_class"]) if each)
    said = f"{code}: {attempt['error_message'] or ''}".strip(": ") + who
    return [[("    ", ""), *line] for line in wrap(said, max(cells - 4, 10), "muted", most=3)]


def _axis(first: int, last: int, cells: int) -> str:
    """The times at both ends by the clock here, as far as there is room."""
    form = "%H:%M:%S" if last - first < DAY else "%m-%d %H:%M"
    begin, end = (to_datetime(at).astimezone().strftime(form) for at in (first, last))
    if len(begin) + len(end) + 1 > cells:
        return begin[:cells]
    return begin + " " * (cells - len(begin) - len(end)) + end
