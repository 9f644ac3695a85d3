"""Workers, and how machine work goes, as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.cli.queue_lines import number
from quarterdeck.cli.run_lines import took
from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.format import age, count, duration, per_cent, plural
from quarterdeck.tui.text import safe


def health_lines(health: Mapping[str, Any], width: int | None) -> list[str]:
    """A line a type of worker, then a table of the processes."""
    lines = [_type_line(each) for each in health["types"]]
    headings = (
        Heading("worker"),
        Heading("condition"),
        Heading("queues"),
        Heading("active", right=True),
        Heading("completed", right=True),
        Heading("failed", right=True),
        Heading("seen", right=True),
        Heading("answers in", right=True),
        Heading("why"),
    )
    now = now_ms()
    rows = [
        (
            each["name"],
            each["condition"],
            ", ".join(each["queues"]),
            count(each["active"]),
            count(each["completed"]),
            count(each["failed"]),
            age(each["last_seen_at"], now),
            "" if each["response_ms"] is None else f"{each['response_ms']:.0f} ms",
            each["why"],
        )
        for each in health["instances"]
    ]
    return [*lines, "", *table(headings, rows, width=width)] if rows else lines


def _type_line(each: Mapping[str, Any]) -> str:
    conditions = [f"{each[name]} {name}" for name in ("healthy", "degraded", "unhealthy") if each[name]]
    done = f"{count(each['active'])} active, {count(each['completed'])} completed, {count(each['failed'])} failed"
    return safe(f"{each['type']}: {', '.join(conditions)}; {done}")


def throughput_lines(found: Mapping[str, Any], width: int | None) -> list[str]:
    lag = found["lag_seconds"]
    lines = pairs(
        [
            ("completed a second", number(found["per_second"])),
            ("oldest waiting", "nothing waits" if lag is None else duration(round(lag * 1000))),
        ]
    )
    return lines + _points(found, ("enqueued", "completed", "failed", "dead"), count, width)


def latency_lines(found: Mapping[str, Any], width: int | None) -> list[str]:
    three = ("p50", "p95", "p99")
    lines = [
        f"attempts take  {_percentiles(found, three)}",
        f"runs wait      {_percentiles(found, tuple(f'wait_{name}' for name in three))}",
    ]
    return lines + _points(found, three, _milliseconds, width)


def _percentiles(found: Mapping[str, Any], names: Sequence[str]) -> str:
    return "  ".join(f"{name.removeprefix('wait_')} {_milliseconds(found[name]) or '-'}" for name in names)


def _milliseconds(value: float | None) -> str:
    return "" if value is None else took(round(value))


def errors_lines(found: Mapping[str, Any], width: int | None) -> list[str]:
    share = found["percent"]
    lines = ["no attempt has ended" if share is None else f"{per_cent(share)} of the attempts failed"]
    lines += [
        safe(f"  {count(each['count'])} × {each['error_code']} ({each['error_class']}) in {each['queue']}")
        for each in found["top"]
    ]
    return lines + _points(found, ("percent",), per_cent, width)


def _points(found: Mapping[str, Any], names: Sequence[str], say: Any, width: int | None) -> list[str]:
    """A row a step; steps in which nothing happened are left out."""
    rows = [
        [each["at"], *(say(each[name]) for name in names)]
        for each in found["points"]
        if any(each[name] for name in names)
    ]
    empty = len(found["points"]) - len(rows)
    lines = (
        ["", *table([Heading("from"), *(Heading(name, right=True) for name in names)], rows, width=width)]
        if rows
        else []
    )
    if empty:
        step = duration(found["step_seconds"] * 1000)
        lines += ["", f"Nothing in {plural(empty, 'other step' if rows else 'step')} of {step}."]
    return lines
