"""Dead letters as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.cli.run_lines import attempt_lines, error_of, json_lines
from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.format import age, count, plural
from quarterdeck.tui.text import safe, safe_lines

_STATES = ("pending", "retrying", "succeeded", "discarded")
_HEADINGS = (
    Heading("id", right=True),
    Heading("status"),
    Heading("queue"),
    Heading("type"),
    Heading("tenant"),
    Heading("attempts", right=True),
    Heading("retries", right=True),
    Heading("age", right=True),
    Heading("group"),
    Heading("error"),
)


def letter_rows(letters: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    """A table; nothing at all for no dead letters."""
    if not letters:
        return []
    now = now_ms()
    rows = [
        (
            letter["id"],
            letter["status"],
            letter["queue"],
            letter["event_type"],
            letter["tenant_id"],
            letter["attempts"],
            letter["retries"],
            age(letter["created_at"], now),
            letter["group"],
            error_of(letter),
        )
        for letter in letters
    ]
    return table(_HEADINGS, rows, width=width)


def letter_line(letter: Mapping[str, Any]) -> str:
    """`12 refund.send of refunds-api (retrying): 503: Service unavailable`."""
    what = f"{letter['id']} {letter['event_type']} of {letter['queue']} ({letter['status']})"
    error = error_of(letter)
    return safe(f"{what}: {error}" if error else what)


def described(detail: Mapping[str, Any]) -> list[str]:
    """A dead letter whole: facts, payload, what it was edited to, every attempt."""
    letter = detail["dead_letter"]
    lines = [letter_line(letter)]
    lines += pairs(
        [
            ("tenant", letter["tenant_id"]),
            ("class", letter["error_class"]),
            ("group", letter["group"]),
            ("attempts", letter["attempts"]),
            ("retries", letter["retries"]),
            ("run that died", letter["run_id"]),
            ("newest retry", letter["retry_run_id"]),
            ("exception", letter["exception_id"]),
            ("source", letter["source_id"]),
            ("died", letter["died_at"]),
            ("came", letter["created_at"]),
            ("changed", letter["updated_at"]),
            ("removed after", letter["expires_at"]),
            ("version", letter["version"]),
        ]
    )
    lines += json_lines("payload", detail["payload"])
    if detail["metadata"]:
        lines += json_lines("metadata", detail["metadata"])
    if detail["detail"]:
        lines += ["", "detail", *(f"  {line}" for line in safe_lines(detail["detail"]))]
    for edit in detail["edits"]:
        lines += json_lines(f"edited {edit['at']} by {safe(edit['actor'])}", edit["patch"])
    return lines + attempt_lines(detail["attempts"])


def group_lines(found: Mapping[str, Any]) -> list[str]:
    """`5f2a9c01  4,212 × 503 from refunds-api, 4,000 pending: Service unavailable`."""
    now = now_ms()
    lines = []
    for each in found["items"]:
        what = f"{count(each['count'])} × {each['error_code']} from {each['queue']}"
        newest = age(each["last_at"], now)
        newest = newest if newest == "now" else f"{newest} ago"
        pending = f"{count(each['pending'])} pending, newest {newest}"
        lines.append(safe(f"{each['group']}  {what} ({pending}): {each['message']}"))
    if found["more"]:
        lines.append(f"… and {plural(found['more'], 'smaller group')}")
    return lines


def stats_lines(found: Mapping[str, Any], width: int | None) -> list[str]:
    """Totals, then a table for each way to look at them."""
    lines = [_states(found["totals"]), f"{count(found['expiring'])} will be removed within a day"]
    for title, name in (("queue", "by_queue"), ("type", "by_type"), ("tenant", "by_tenant")):
        rows = [[each["name"], *(count(each[state]) for state in _STATES)] for each in found[name]]
        if rows:
            lines += [
                "",
                *table([Heading(title), *(Heading(state, right=True) for state in _STATES)], rows, width=width),
            ]
    names = ("added", "resolved", "expired")
    moved = [each for each in found["growth"] if any(each[name] for name in names)]
    if moved:
        rows = [[each["at"], *(count(each[name]) for name in names)] for each in moved]
        lines += ["", *table([Heading("from"), *(Heading(name, right=True) for name in names)], rows, width=width)]
    return lines


def _states(total: Mapping[str, Any]) -> str:
    return ", ".join(f"{count(total[state])} {state}" for state in _STATES)
