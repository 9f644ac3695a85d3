"""The words of the detail pane: an item with its fields and timeline, an operation with its reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.clock import to_datetime
from quarterdeck.tui.format import age, badge, count, due, due_of, duration, moment, plural, priority, span
from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line, wrap
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]
_LABEL = 11
_MOST_BODY_LINES = 200
_TIME = re.compile(r"\b(?:19|20|21)\d\d-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z(?!\w)")


def item_lines(
    item: Row,
    events: Sequence[Row] | None,
    *,
    cells: int,
    now: int,
    glyphs: Glyphs,
    mine: str = "",
    more_events: bool = False,
    story: Sequence[Line] = (),
) -> list[Line]:
    """`events` None: on their way. `mine` is the actor, to say that a claim is one's own. `story`: what stands
    before the body."""
    lines: list[Line] = wrap(str(item["title"]), cells, "title", most=4)
    lines.append(_badges(item, now, glyphs))
    kind = safe(item["kind"]) + (f" · {safe(item['category'])}" if item.get("category") else "")
    number = f"#{item['id']}" + (f" · {safe(item['external_id'])}" if item.get("external_id") else "")
    lines.append([(f"{number}  ", "accent"), (f"{safe(item['tenant_id'])}  {kind}", "muted")])
    lines.append(_holder(item, now, mine))
    if item.get("deleted_at"):
        lines.append([(f"in the bin since {when(item['deleted_at'], now)}", "warning")])
    lines += story
    if item.get("body"):
        lines += [[], *wrap(str(item["body"]), cells, "", most=_MOST_BODY_LINES)]
    fields = item.get("fields") or {}
    if fields:
        lines += [[], [("fields", "heading")]]
        lines += facts(((str(name), _value(value)) for name, value in fields.items()), cells)
    lines += [[], [("timeline", "heading")]]
    if events is None:
        lines.append([("loading the timeline…", "muted")])
    elif not events:
        lines.append([("nothing has happened yet", "muted")])
    else:
        for event in events:
            lines += _event(event, cells, now)
        if more_events:
            lines.append([("… older ones: qd items show, with --json", "muted")])
    lines += [[], [("times", "heading")]]
    lines += facts(
        (
            ("due", when(item.get("sla_due_at"), now)),
            ("created", when(item["created_at"], now)),
            ("updated", f"{when(item['updated_at'], now)} · v{item['version']}"),
        ),
        cells,
    )
    return lines


def _badges(item: Row, now: int, glyphs: Glyphs) -> Line:
    text, style = due_of(item, now, glyphs)
    line: Line = [badge(item["status"], glyphs), ("  ", ""), priority(item["priority"], glyphs)]
    if text:
        line += [("  ", ""), (f"due {text}" if text.startswith("in ") else text, style)]
    if item.get("comments"):
        line += [("  ", ""), (plural(int(item["comments"]), "comment"), "muted")]
    return line


def _holder(item: Row, now: int, mine: str) -> Line:
    if not item.get("assignee"):
        return [("nobody has it", "muted")]
    line: Line = [("with ", "muted"), ("you" if item["assignee"] == mine else safe(item["assignee"]), "")]
    claimed = moment(item.get("claimed_until"))
    if claimed and claimed > now:
        line.append((f" · the claim ends in {span(claimed - now)}", "warning" if claimed - now < 300_000 else "muted"))
    return line


def facts(pairs: Any, cells: int) -> list[Line]:
    """(name, value) under each other; what has no value is left out."""
    lines: list[Line] = []
    for name, value in pairs:
        if value in (None, ""):
            continue
        label = safe(name)[: _LABEL - 1].ljust(_LABEL)
        for n, rest in enumerate(wrap(str(value), max(cells - _LABEL, 10), "", most=12)):
            lines.append([(label if n == 0 else " " * _LABEL, "muted"), *rest])
    return lines


def _event(event: Row, cells: int, now: int) -> list[Line]:
    head: Line = [
        (f"{age(event['at'], now):>5} ", "muted"),
        (safe(event["actor"]), ""),
        (f" {safe(event['type']).replace('_', ' ')}", "muted"),
    ]
    if event.get("operation_id"):
        head.append((f" · operation #{event['operation_id']}", "muted"))
    lines = [head]
    for name, (before, after) in (event.get("changes") or {}).items():
        lines += [
            [("      ", ""), *line]
            for line in wrap(f"{name}: {_value(before)} → {_value(after)}", max(cells - 6, 10), "", most=4)
        ]
    if event.get("body"):
        said = event["type"] == "comment"  # by a person, whose words stay as they are
        body = str(event["body"]) if said else _by_the_clock_here(str(event["body"]))
        lines += [[("      ", ""), *line] for line in wrap(body, max(cells - 6, 10), "accent" if said else "", most=40)]
    return lines


def when(value: object, now: int) -> str:
    """`2026-01-31 08:00 · 3h ago`, by the clock here; empty where there is no time."""
    at = moment(value)
    if at is None:
        return ""
    stamp = _stamp(at)
    if at > now:
        return f"{stamp} · {due(at, now)[0]}"
    passed = age(at, now)
    return f"{stamp} · {passed}" + ("" if passed == "now" else " ago")


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return _by_the_clock_here(value) if _TIME.fullmatch(value) else value
    return json.dumps(value, ensure_ascii=False)


def _by_the_clock_here(text: str) -> str:
    """With the engine's times, wherever they stand in it, as `2026-01-31 08:00`."""

    def here(found: re.Match[str]) -> str:
        at = moment(found.group())
        return found.group() if at is None else _stamp(at)

    return _TIME.sub(here, text)


def _stamp(at: int) -> str:
    return to_datetime(at).astimezone().strftime("%Y-%m-%d %H:%M")


def operation_lines(detail: Row, *, cells: int, now: int, glyphs: Glyphs) -> list[Line]:
    """A bulk operation as `bulk.show` gives it."""
    operation = detail["operation"]
    lines: list[Line] = [
        [(f"{safe(operation['label'])} #{operation['id']}", "title"), ("  ", ""), badge(operation["status"], glyphs)],
        [
            (f"{count(operation['succeeded'])} done", "success" if operation["succeeded"] else "muted"),
            (f"  {count(operation['failed'])} failed", "error" if operation["failed"] else "muted"),
            (f"  {count(operation['skipped'])} skipped", "muted"),
            (f"  {count(operation['cancelled'])} not started" if operation["cancelled"] else "", "warning"),
            (f"  of {count(operation['total'])}", "muted"),
        ],
    ]
    if operation.get("error"):
        lines += wrap(str(operation["error"]), cells, "error")
    for heading, key in (("why some failed", "failure_reasons"), ("why some were skipped", "skip_reasons")):
        if detail.get(key):
            lines += [[(heading, "heading")], *reasons(detail[key], cells)]
    started, finished = moment(operation["started_at"]), moment(operation["finished_at"])
    params = ", ".join(f"{name}={_value(value)}" for name, value in operation["params"].items() if value is not None)
    lines.append([])
    lines += facts(
        (
            ("queue", operation["resource"]),
            ("from", f"{operation['kind']} of #{operation['parent_id']}" if operation["parent_id"] else ""),
            ("filter", operation["filter"]),
            ("with", params),
            ("reason", operation["reason"]),
            ("by", operation["created_by"]),
            ("made", when(operation["created_at"], now)),
            ("starts", when(operation["run_at"], now) if not started else ""),
            ("took", duration(finished - started) if started and finished else ""),
            (
                "batches",
                f"{count(operation['batches_done'])} of {count(operation['batches'])}, "
                f"{count(operation['batch_size'])} items each",
            ),
            ("undo", "possible" if operation["undoable"] else "not possible"),
        ),
        cells,
    )
    return lines


def reasons(found: Sequence[Row], cells: int) -> list[Line]:
    """How many items met the same fate, and why."""
    lines: list[Line] = []
    for reason in found:
        again = " (can be retried)" if reason.get("retryable") else ""
        for n, rest in enumerate(wrap(f"{reason['sentence']}{again}", max(cells - 10, 10))):
            lines.append([(f"{count(reason['count']):>8}  " if n == 0 else " " * 10, "warning"), *rest])
    return lines
