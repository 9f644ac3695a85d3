"""Runs, their attempts and logs as lines of text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.format import age, duration, moment, percent
from quarterdeck.tui.text import safe, safe_lines

_HEADINGS = (
    Heading("id", right=True),
    Heading("status"),
    Heading("queue"),
    Heading("kind"),
    Heading("tenant"),
    Heading("attempt", right=True),
    Heading("age", right=True),
    Heading("took", right=True),
    Heading("error"),
)


def run_rows(runs: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    """A table; nothing at all for no runs."""
    if not runs:
        return []
    now = now_ms()
    rows = [
        (
            run["id"],
            run["status"],
            run["queue"],
            run["kind"],
            run["tenant_id"],
            f"{run['attempt']}/{run['max_attempts']}",
            age(run["created_at"], now),
            _took(run, now),
            error_of(run),
        )
        for run in runs
    ]
    return table(_HEADINGS, rows, width=width)


def run_line(run: Mapping[str, Any]) -> str:
    """`12 refund.send in refunds-api (failed, attempt 2 of 5)`."""
    attempts = f"attempt {run['attempt']} of {run['max_attempts']}"
    return safe(f"{run['id']} {run['kind']} in {run['queue']} ({run['status']}, {attempts})")


def error_of(row: Mapping[str, Any]) -> str:
    """`503: Service unavailable`, of a run, an attempt or a dead letter; empty where there is none."""
    return ": ".join(str(part) for part in (row["error_code"], row["error_message"]) if part)


def took(milliseconds: int) -> str:
    """How long something took: `8 ms`, `1.4 s`, then as estimates are said."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    return f"{milliseconds / 1_000:.1f} s" if milliseconds < 60_000 else duration(milliseconds)


def _took(row: Mapping[str, Any], now: int) -> str:
    started, ended = moment(row["started_at"]), moment(row["finished_at"])
    if started is None or (ended is None and row["status"] != "active"):
        return ""
    return took(max(0, (ended or now) - started))


def described(detail: Mapping[str, Any]) -> list[str]:
    """A run whole: facts, payload, result, every attempt."""
    run = detail["run"]
    lines = [run_line(run)]
    lines += pairs(
        [
            ("tenant", run["tenant_id"]),
            ("priority", run["priority"]),
            ("unique key", run["unique_key"]),
            ("progress", None if run["progress"] is None else percent(round(run["progress"] * 100), 100)),
            ("worker", run["worker"]),
            ("leased until", run["lease_until"]),
            ("created", run["created_at"]),
            ("due", run["run_at"]),
            ("started", run["started_at"]),
            ("finished", run["finished_at"]),
            ("error", error_of(run)),
            ("lost attempts", run["lost"] or None),
            ("bulk operation", run["operation_id"]),
            ("dead letter", run["dead_letter_id"]),
        ]
    )
    lines += json_lines("payload", run["payload"])
    if run["result"] is not None:
        lines += json_lines("result", run["result"])
    return lines + attempt_lines(detail["attempts"])


def json_lines(title: str, value: Any) -> list[str]:
    """A heading and the value below it."""
    if isinstance(value, str):
        return ["", title, *(f"  {line}" for line in safe_lines(value))]
    try:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    except RecursionError:
        text = "(nested too deeply to be shown; --json has it whole)"
    return ["", title, *(f"  {safe(line)}" for line in text.split("\n"))]


def attempt_lines(attempts: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line an attempt, oldest first, and below it what was answered or raised."""
    lines = ["", "attempts"] if attempts else ["", "no attempt yet"]
    for attempt in attempts:
        started, ended = moment(attempt["started_at"]), moment(attempt["ended_at"])
        parts = [
            f"  {attempt['number']}",
            attempt["started_at"],
            attempt["outcome"] or "active",
            took(ended - started) if started is not None and ended is not None else "",
            attempt["worker"] or "",
            attempt["error_class"] or "",
            error_of(attempt),
            f"again at {attempt['retry_at']}" if attempt["retry_at"] else "",
        ]
        lines.append(safe("  ".join(part for part in parts if part)))
        if attempt["detail"]:
            lines += [f"      {line}" for line in safe_lines(attempt["detail"])]
    return lines


def log_line(line: Mapping[str, Any]) -> str:
    return safe(f"{line['at']}  {line['attempt']}  {line['level']:<7}  {line['text']}")


def leased_rows(runs: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    if not runs:
        return []
    headings = (
        Heading("id", right=True),
        Heading("kind"),
        Heading("tenant"),
        Heading("attempt", right=True),
        Heading("lease token"),
        Heading("until"),
    )
    rows = [
        (run["id"], run["kind"], run["tenant_id"], run["attempt"], run["lease_token"], run["lease_until"])
        for run in runs
    ]
    return table(headings, rows, width=width)
