"""Queues of machine work as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.contract.clock import now_ms
from quarterdeck.tui.format import age, count, per_cent
from quarterdeck.tui.text import safe

_HEADINGS = (
    Heading("queue"),
    Heading("condition"),
    Heading("handler"),
    Heading("waiting", right=True),
    Heading("active", right=True),
    Heading("failed", right=True),
    Heading("done 1h", right=True),
    Heading("dead 1h", right=True),
    Heading("per min", right=True),
    Heading("errors", right=True),
    Heading("oldest", right=True),
    Heading("why"),
)


def queue_rows(queues: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    """A table; nothing at all for no queues."""
    if not queues:
        return []
    now = now_ms()
    rows = [
        (
            queue["name"],
            condition(queue),
            queue["settings"]["handler"],
            count(queue["waiting"]),
            count(queue["active"]),
            count(queue["failed"]),
            count(queue["completed"]),
            count(queue["dead"]),
            number(queue["per_minute"]),
            per_cent(queue["error_percent"]),
            age(queue["oldest_waiting_at"], now),
            " ".join(queue["why"]),
        )
        for queue in queues
    ]
    return table(_HEADINGS, rows, width=width)


def condition(queue: Mapping[str, Any]) -> str:
    """A pause is somebody's wish, and says more than what follows from it."""
    return "paused" if queue["paused"] else str(queue["condition"])


def number(value: float | None) -> str:
    """At most one digit after the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:.1f}"


def described(queue: Mapping[str, Any]) -> list[str]:
    """A queue whole: how it does, then how it is set."""
    settings, now = queue["settings"], now_ms()
    backoff, keep = settings["backoff"], settings["keep"]
    lines = [safe(f"{queue['name']}  {condition(queue)}")]
    lines += [safe(f"  {sentence}") for sentence in queue["why"]]
    lines += pairs(
        [
            ("waiting", count(queue["waiting"])),
            ("oldest waiting", age(queue["oldest_waiting_at"], now)),
            ("scheduled", count(queue["scheduled"])),
            ("active", count(queue["active"])),
            ("failed, will be tried again", count(queue["failed"])),
            ("completed in the last hour", count(queue["completed"])),
            ("dead in the last hour", count(queue["dead"])),
            ("completed a minute", number(queue["per_minute"])),
            ("attempts that failed", per_cent(queue["error_percent"])),
        ]
    )
    lines += ["", "settings" + (" (named in config.toml)" if queue["from_config"] else "")]
    values: list[tuple[str, object]] = [
        ("handler", settings["handler"]),
        ("target", settings["target"]),
        ("secret from", settings["secret_env"]),
        ("concurrency", count(settings["concurrency"])),
        ("per tenant", settings["tenant_concurrency"] or "no limit"),
        ("starts a second", number(settings["rate_per_second"]) or "no limit"),
        ("attempts", settings["max_attempts"]),
        ("backoff", f"{backoff['base']:g} s × {backoff['factor']:g}, at most {backoff['cap']:g} s"),
        ("time-out", f"{settings['timeout_seconds']:g} s"),
        ("priority", settings["priority"]),
        (
            "kept",
            f"completed {keep['completed_days']:g} d, cancelled {keep['cancelled_days']:g} d, "
            f"dead {keep['dead_days']:g} d",
        ),
        ("dead letters open exceptions", "yes" if settings["exceptions"] else "no"),
    ]
    return lines + [f"  {line}" for line in pairs(values)]
