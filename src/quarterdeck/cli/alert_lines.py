"""Alerts in lines: lists, groups, one of them whole, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.alert_words import labels_of
from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.contract.clock import MINUTE, now_ms
from quarterdeck.tui.format import age, count, duration
from quarterdeck.tui.text import safe

Lines = Sequence[Mapping[str, Any]]


def alert_rows(alerts: Lines, width: int | None) -> list[str]:
    now = now_ms()
    names = ("id", "severity", "state", "name", "labels", "value", "age", "tenant", "by")
    rows = [
        (
            each["id"],
            each["severity"],
            "silenced" if each["silenced_by"] or each["inhibited_by"] else each["state"],
            each["name"],
            labels_of(each["labels"]),
            None if each["value"] is None else f"{each['value']:g}",
            age(each["starts_at"] or each["pending_at"], now),
            each["tenant_id"],
            each["acknowledged_by"],
        )
        for each in alerts
    ]
    return table([Heading(name, right=name in ("id", "value")) for name in names], rows, width=width) if rows else []


def group_rows(groups: Lines, width: int | None) -> list[str]:
    now = now_ms()
    names = ("severity", "name", "labels", "firing", "acknowledged", "quiet", "age", "tenant")
    rows = [
        (
            each["severity"],
            each["name"] + (" and others" if each["names_differ"] else ""),
            labels_of(each["labels"]),
            count(sum(each["firing"].values())),
            count(each["acknowledged"]),
            count(each["quiet"]),
            age(each["since"], now),
            each["tenant_id"],
        )
        for each in groups
    ]
    right = ("firing", "acknowledged", "quiet")
    return table([Heading(name, right=name in right) for name in names], rows, width=width) if rows else []


def detail_lines(found: Mapping[str, Any]) -> list[str]:
    """One alert: how it stands, what it says of itself, what became of it, what was sent."""
    alert = found["alert"]
    by, until = alert["acknowledged_by"], alert["acknowledged_until"]
    lines = pairs(
        [
            ("alert", f"{alert['id']} {alert['name']}"),
            ("state", alert["state"]),
            ("severity", alert["severity"]),
            ("kind", alert["type"].replace("_", " ")),
            ("tenant", alert["tenant_id"]),
            ("value", _number(alert["value"])),
            ("threshold", _number(alert["threshold"])),
            ("begun", alert["starts_at"] or alert["pending_at"]),
            ("ended" if alert["resolved_at"] else "ends", alert["resolved_at"] or alert["ends_at"]),
            ("came again", _times(alert["changes"])),
            ("acknowledged", by and f"by {by}{f' until {until}' if until else ''}"),
            ("kept quiet", _quiet(alert)),
            ("rule", alert["rule_id"]),
            ("group", alert["group_id"]),
            ("link", alert["url"]),
        ]
    )
    for part in (alert["labels"], alert["annotations"]):
        lines += ["", *pairs(list(part.items()))] if part else []
    told = [
        f"{each['at']}  {each['type']} by {safe(each['actor'])}{': ' + safe(each['body']) if each['body'] else ''}"
        for each in found["events"]
    ]
    told += [
        f"{each['at']}  {each['kind']} to {safe(each['channel'])}: "
        + ("held back for a summary" if each["held"] else safe(each["error"] or each["status"] or "handed over"))
        for each in found["notices"]
    ]
    return [*lines, "", *told] if told else lines


def stats_lines(found: Mapping[str, Any], days: int) -> list[str]:
    most = ", ".join(f"{safe(each['name'])} ({count(each['count'])})" for each in found["most"])
    return pairs(
        [
            ("firing", count(found["firing"])),
            ("about to", count(found["pending"])),
            ("acknowledged", count(found["acknowledged"])),
            ("silenced", count(found["silenced"])),
            (f"fired in {days}d", count(found["fired"])),
            (f"over in {days}d", count(found["resolved"])),
            ("acknowledged in", _median(found["minutes_to_acknowledge"])),
            ("over after", _median(found["minutes_to_resolve"])),
            ("most", most),
        ]
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _times(number: int) -> str:
    return "" if not number else "once" if number == 1 else f"{count(number)} times"


def _quiet(alert: Mapping[str, Any]) -> str:
    if alert["silenced_by"]:
        return f"by silence {alert['silenced_by']}"
    return f"while alert {alert['inhibited_by']} fires" if alert["inhibited_by"] else ""


def _median(minutes: float | None) -> str:
    return "" if minutes is None else f"{duration(round(minutes * MINUTE))} (median)"
