"""Items and their timelines as lines of text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.format import age, due
from quarterdeck.tui.text import safe, safe_lines

_HEADINGS = (
    Heading("id", right=True),
    Heading("priority"),
    Heading("status"),
    Heading("due"),
    Heading("age"),
    Heading("tenant"),
    Heading("kind"),
    Heading("assignee"),
    Heading("title"),
)

# Nothing is due any more.
_DONE = frozenset({"resolved", "closed", "cancelled", "rejected", "refunded"})


def item_rows(items: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    """A table; nothing at all for no items."""
    if not items:
        return []
    now = now_ms()
    rows = [
        (
            item["id"],
            item["priority"],
            item["status"],
            "" if item["status"] in _DONE else due(item["sla_due_at"], now)[0],
            age(item["created_at"], now),
            item["tenant_id"],
            item["kind"],
            item["assignee"],
            item["title"],
        )
        for item in items
    ]
    return table(_HEADINGS, rows, width=width)


def item_line(item: Mapping[str, Any]) -> str:
    """`12 Printer on fire (open, ana)`."""
    who = item["assignee"] or "nobody"
    return safe(f"{item['id']} {item['title']} ({item['status']}, {who})")


def described(item: Mapping[str, Any]) -> list[str]:
    """An item whole."""
    lines = [safe(f"{item['id']}  {item['title']}")]
    lines += pairs(
        [
            ("external id", item["external_id"]),
            ("tenant", item["tenant_id"]),
            ("kind", item["kind"]),
            ("status", item["status"]),
            ("priority", item["priority"]),
            ("category", item["category"]),
            ("assignee", item["assignee"]),
            ("claimed until", item["claimed_until"]),
            ("due", item["sla_due_at"]),
            ("created", item["created_at"]),
            ("updated", item["updated_at"]),
            ("deleted", item.get("deleted_at")),
            ("comments", item["comments"]),
            *((f"field.{name}", _plain(value)) for name, value in item.get("fields", {}).items()),
        ]
    )
    if item.get("body"):
        lines += ["", *safe_lines(item["body"])]
    return lines


def timeline(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line an event, newest first, its text below it."""
    lines: list[str] = []
    for event in events:
        changes = ", ".join(
            f"{name}: {_plain(before)} → {_plain(after)}" for name, (before, after) in event["changes"].items()
        )
        lines.append(safe(f"{event['at']}  #{event['id']}  {event['actor']}  {event['type']}  {changes}").rstrip())
        if event["body"]:
            lines += [f"    {line}" for line in safe_lines(event["body"])]
    return lines


def _plain(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
