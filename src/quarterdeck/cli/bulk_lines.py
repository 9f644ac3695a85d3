"""Bulk operations as lines of text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.format import age, count, duration, percent, plural
from quarterdeck.tui.text import safe

# What rows are called where they are no items.
_NOUNS = {"runs": "run", "dead_letters": "dead letter"}
# Words about the operation, not what it does.
_ASIDE = ("reason", "note")
_FIRST_SHOWN = 5


def title(operation: Mapping[str, Any]) -> str:
    """`12 Assign support_tasks (assignee=ana)`."""
    params = ", ".join(_param(name, value) for name, value in operation["params"].items() if name not in _ASIDE)
    what = f"{operation['id']} {operation['label']} {operation['resource']}"
    return safe(f"{what}{f' ({params})' if params else ''}")


def noun(operation: Mapping[str, Any]) -> str:
    return _NOUNS.get(operation["resource"], "item")


def _param(name: str, value: Any) -> str:
    if value is None:
        return f"no {name}"
    return f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def preview_lines(preview: Mapping[str, Any]) -> list[str]:
    """What would happen."""
    operation = preview["operation"]
    lines = [title(operation)]
    lines += pairs(
        [
            ("filter", operation["filter"]),
            ("reason", operation["reason"]),
            ("selected", plural(operation["total"], noun(operation))),
            ("would change", count(operation["eligible"])),
            ("skipped", count(operation["skipped"]) if operation["skipped"] else None),
            ("states", ", ".join(f"{state} {count(number)}" for state, number in preview["states"].items())),
            ("risk", operation["risk"]),
            ("can be undone", "yes" if operation["undoable"] else "no"),
            ("batches", f"{count(operation['batches'])} of {count(operation['batch_size'])}"),
            ("starts", operation["run_at"]),
            ("takes", _estimate(preview["estimated_seconds"])),
        ]
    )
    lines += reasons("skipped", preview["skip_reasons"])
    first = preview["first"][:_FIRST_SHOWN]
    for item in first:
        why = f": skipped, {item['sentence']}" if item["code"] else ""
        lines.append(safe(f"  {item['item_id']} {item['title']} ({item['status']}, {item['tenant_id']}){why}"))
    more = operation["total"] - len(first)
    if more > 0 and first:
        lines.append(f"  … and {count(more)} more")
    return lines


def _estimate(seconds: float) -> str:
    return f"about {duration(round(seconds * 1000))}" if seconds >= 1 else "less than a second"


def reasons(word: str, found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        safe(f"{word} {count(each['count'])}: {each['sentence']}{' (can be retried)' if each.get('retryable') else ''}")
        for each in found
    ]


def progress_line(operation: Mapping[str, Any]) -> str:
    """`12 Assign support_tasks: in_progress, 45%, 45,000 of 100,000, 12 failed, 20s left`."""
    done = finished(operation)
    parts = [operation["status"], percent(done, operation["eligible"])]
    parts.append(f"{count(done)} of {count(operation['eligible'])}")
    if operation["failed"]:
        parts.append(f"{count(operation['failed'])} failed")
    if operation["eta_seconds"] is not None:
        parts.append(f"{duration(round(operation['eta_seconds'] * 1000))} left")
    return f"{title(operation)}: {', '.join(parts)}"


def finished(operation: Mapping[str, Any]) -> int:
    """Items that were acted on, of those eligible; what a cancel left undone is not."""
    return int(operation["succeeded"] + operation["failed"])


def outcome_line(operation: Mapping[str, Any]) -> str:
    """`12 Assign support_tasks: completed. 990 succeeded, 10 failed, 5 skipped.`"""
    counts = [
        f"{count(operation[name])} {name}"
        for name in ("succeeded", "failed", "skipped", "cancelled")
        if operation[name] or name == "succeeded"
    ]
    error = f" {safe(operation['error'])}" if operation["error"] else ""
    return f"{title(operation)}: {operation['status']}. {', '.join(counts)}.{error}"


def detail_lines(detail: Mapping[str, Any]) -> list[str]:
    operation = detail["operation"]
    lines = [outcome_line(operation)]
    lines += pairs(
        [
            ("filter", operation["filter"]),
            ("reason", operation["reason"]),
            ("by", operation["created_by"]),
            ("created", operation["created_at"]),
            ("starts", operation["run_at"]),
            ("started", operation["started_at"]),
            ("finished", operation["finished_at"]),
            ("risk", operation["risk"]),
            ("batches", f"{count(operation['batches_done'])} of {count(operation['batches'])}"),
            ("states", ", ".join(f"{state} {count(number)}" for state, number in detail["states"].items())),
        ]
    )
    lines += reasons("skipped", detail["skip_reasons"])
    lines += reasons("failed", detail["failure_reasons"])
    return lines


def operation_rows(operations: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    if not operations:
        return []
    now = now_ms()
    headings = (
        Heading("id", right=True),
        Heading("status"),
        Heading("action"),
        Heading("resource"),
        Heading("eligible", right=True),
        Heading("done", right=True),
        Heading("failed", right=True),
        Heading("by"),
        Heading("age"),
    )
    rows = [
        (
            each["id"],
            each["status"],
            each["label"],
            each["resource"],
            count(each["eligible"]),
            percent(finished(each), each["eligible"]),
            count(each["failed"]),
            each["created_by"],
            age(each["created_at"], now),
        )
        for each in operations
    ]
    return table(headings, rows, width=width)


def result_rows(items: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    """What became of each item."""
    if not items:
        return []
    headings = (Heading("id", right=True), Heading("outcome"), Heading("tenant"), Heading("title"), Heading("why"))
    rows = [(each["item_id"], each["outcome"], each["tenant_id"], each["title"], each["sentence"]) for each in items]
    return table(headings, rows, width=width)
