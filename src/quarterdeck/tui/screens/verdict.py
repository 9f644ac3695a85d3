"""What a preview says of a bulk operation, in lines."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quarterdeck.tui.detail import reasons
from quarterdeck.tui.format import badge, count, duration, left_of, moment, plural
from quarterdeck.tui.spans import Line
from quarterdeck.tui.starting import when
from quarterdeck.tui.text import safe

Preview = Mapping[str, Any]
_MOST_REASONS = 4
_MOST_FIRST = 3
_MOST_SUMS = 4


def verdict_lines(preview: Preview, cells: int, glyphs: Any, now: int) -> list[Line]:
    """Eligible and skipped with reasons, start, states, the first rows, sums, risk, batches, time, undo."""
    operation = preview["operation"]
    eligible, skipped = operation["eligible"], operation["skipped"]
    first: Line = [(f"{count(eligible)}", "title"), (" will be acted on" if eligible else " can be acted on", "")]
    if skipped:
        first.append((f" · {count(skipped)} will be skipped", "warning"))
    lines: list[Line] = [first]
    at = moment(operation["run_at"])
    if at is not None:
        lines.append([("starts ", "muted"), (when(at), "title"), (f"  in {left_of(at - now)}", "muted")])
    lines += reasons(list(preview["skip_reasons"])[:_MOST_REASONS], cells)
    states: Line = []
    for state, number in preview["states"].items():
        states += [badge(state, glyphs), (f" {count(number)}   ", "muted")]
    if states:
        lines.append(states)
    for item in list(preview["first"])[:_MOST_FIRST]:
        why = f" · {safe(item['sentence'])}" if item["code"] else ""
        lines.append(
            [
                (f"{'#' + str(item['item_id']):>9} ", "muted"),
                (safe(item["title"]), "muted" if why else ""),
                (why, "warning"),
            ]
        )
    more = operation["total"] - min(len(preview["first"]), _MOST_FIRST)
    if more > 0:
        lines.append([(f"{'':>9} … and {count(more)} more", "muted")])
    lines += [*_pays(preview), [], _costs(preview)]
    return lines


def _pays(preview: Preview) -> list[Line]:
    """What a refund pays out, over all that it acts on."""
    sums, unsummed = list(preview.get("sums") or ()), preview.get("unsummed") or 0
    lines: list[Line] = []
    for n, each in enumerate(sums[:_MOST_SUMS]):
        what = f"{Decimal(each['amount']):,.2f} {safe(each['currency'] or '(no currency named)')}"
        lines.append(
            [
                ("pays out " if n == 0 else " " * 9, "muted"),
                (what, "title"),
                (f"  {plural(each['items'], 'item')}", "muted"),
            ]
        )
    if len(sums) > _MOST_SUMS:
        lines.append(
            [(f"{'':>9}… and {plural(len(sums) - _MOST_SUMS, 'more currency', 'more currencies')}", "warning")]
        )
    if unsummed:
        lines.append([(f"{plural(unsummed, 'item names', 'items name')} no amount", "warning")])
    return lines


def risk_span(preview: Preview) -> tuple[str, str]:
    risk = preview["operation"]["risk"]
    return f"{risk} risk", {"high": "error", "medium": "warning"}.get(risk, "success")


def _costs(preview: Preview) -> Line:
    operation = preview["operation"]
    seconds = preview["estimated_seconds"]
    time = "under a second" if seconds < 1 else f"about {duration(int(seconds * 1_000))}"
    undo = ("can be undone", "success") if operation["undoable"] else ("cannot be undone", "error")
    batches = f" · {plural(operation['batches'], 'batch', 'batches')} of {count(operation['batch_size'])} · {time} · "
    return [risk_span(preview), (batches, "muted"), undo]
