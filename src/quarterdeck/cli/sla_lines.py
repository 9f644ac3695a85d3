"""Service levels as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.contract.clock import MINUTE, now_ms
from quarterdeck.tui.format import count, due, duration, per_cent, plural
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]


def minutes(value: float | None) -> str:
    """`45s`, `3m 20s`, `2h 05m`, `3d 4h`; nothing for None."""
    return "" if value is None else duration(round(value * MINUTE))


def words(name: object) -> str:
    return str(name).replace("_", " ")


def policy_rows(policies: Sequence[Row], width: int | None) -> list[str]:
    """A table; nothing at all for no policies."""
    headings = (
        Heading("id", right=True),
        Heading("name"),
        Heading("resource"),
        Heading("tenant"),
        Heading("kind"),
        Heading("version", right=True),
        Heading("priorities"),
        Heading("counts"),
    )
    rows = [
        (
            each["id"],
            f"{each['name']}{'' if each['enabled'] else ' (off)'}{' (broken)' if each['error'] else ''}",
            each["resource"],
            each["tenant_id"] or "every",
            each["kind"] or "every",
            each["version"],
            ", ".join(target["priority"] for target in each["settings"]["targets"]),
            _counts(each["settings"]["calendar"]),
        )
        for each in policies
    ]
    return table(headings, rows, width=width) if rows else []


def _counts(calendar: Row | None) -> str:
    if calendar is None:
        return "all time"
    return f"{plural(len(calendar['windows']), 'window')}, {calendar['timezone']}"


def described(policy: Row) -> list[str]:
    """A policy whole: for what it holds, what it promises, when time counts, what follows."""
    settings = policy["settings"]
    state = "" if policy["enabled"] else "  off"
    lines = [safe(f"{policy['id']} {policy['name']}{state}")]
    lines += pairs(
        [
            *([("error", policy["error"])] if policy["error"] else []),
            ("resource", policy["resource"]),
            ("tenant", policy["tenant_id"] or "every"),
            ("kind", policy["kind"] or "every"),
            ("version", policy["version"]),
            ("in force from", policy["effective_from"]),
            ("pauses in", ", ".join(words(each) for each in settings["pauses"]) or "no state"),
            ("due soon after", f"{settings['due_soon_percent']}%"),
            ("changed", f"{policy['updated_at']} by {policy['updated_by']}"),
        ]
    )
    headings = (Heading("priority"), Heading("first response", right=True), Heading("resolution", right=True))
    promised = [
        (each["priority"], minutes(each["first_response_minutes"]), minutes(each["resolution_minutes"]))
        for each in settings["targets"]
    ]
    lines += ["", *table(headings, promised, width=None)]
    if settings["calendar"]:
        lines += ["", *_calendar(settings["calendar"])]
    if settings["escalation"]:
        lines += ["", "escalation", *(safe(f"  {_step(each)}") for each in settings["escalation"])]
    return lines


def _calendar(calendar: Row) -> list[str]:
    lines = [safe(f"calendar, {calendar['timezone']}")]
    lines += [f"  {' '.join(each['days'])}  {each['start']}-{each['end']}" for each in calendar["windows"]]
    if calendar["country"]:
        where = "-".join(filter(None, (calendar["country"], calendar["subdivision"])))
        lines.append(safe(f"  public holidays of {where}"))
    if calendar["holidays"]:
        lines.append(f"  {plural(len(calendar['holidays']), 'further holiday')}: {', '.join(calendar['holidays'][:8])}")
    return lines


def _step(step: Row) -> str:
    what = {
        "raise_priority": "raise the priority",
        "assign": f"assign to {step['assignee']}",
        "notify": f"notify {', '.join(step['channels'])}" if step["channels"] else "comment",
    }[step["act"]]
    note = f": {step['note']}" if step["note"] else ""
    return f"after {step['percent']}% of the {words(step['target'])}: {step['does']} {what}{note}"


def clock_lines(found: Row, width: int | None) -> list[str]:
    headings = (
        Heading("target"),
        Heading("state"),
        Heading("used", right=True),
        Heading("of", right=True),
        Heading("due", right=True),
        Heading("broken at"),
        Heading("ended"),
        Heading("policy"),
    )
    now = now_ms()
    rows = [
        (
            words(each["target"]),
            each["state"],
            minutes(each["used_minutes"]),
            minutes(each["target_minutes"]),
            due(each["due_at"], now)[0],
            each["breached_at"],
            each["ended_at"],
            f"{each['policy']} v{each['policy_version']}",
        )
        for each in found["clocks"]
    ]
    lines = table(headings, rows, width=width) if rows else []
    for each in found["suggestions"]:
        given = ", ".join(f"{name} {value}" for name, value in each["params"].items())
        lines.append(safe(f"suggested: {words(each['verb'])} {given} ({each['why']})"))
    return lines


def compliance_lines(found: Row, width: int | None) -> list[str]:
    lines = [f"{per_cent(found['percent'])} kept: {count(found['met'])} met, {count(found['breached'])} broken"]
    if found["percent"] is None:
        lines = ["No promise came to a verdict in this time."]
    headings = (
        Heading("from"),
        Heading("kept", right=True),
        Heading("met", right=True),
        Heading("broken", right=True),
        Heading("median", right=True),
    )
    rows = [
        (
            each["start"][:10],
            per_cent(each["percent"]),
            count(each["met"]),
            count(each["breached"]),
            minutes(each["median_minutes"]),
        )
        for each in found["periods"]
        if each["met"] or each["breached"]
    ]
    return [*lines, "", *table(headings, rows, width=width)] if rows else lines


def resolution_lines(found: Row, width: int | None) -> list[str]:
    if not found["ended"]:
        return ["Nothing ended in this time."]
    lines = [f"median {minutes(found['median_minutes'])} of {count(found['ended'])} that ended"]
    headings = (
        Heading("priority"),
        Heading("ended", right=True),
        Heading("median", right=True),
        Heading("95%", right=True),
    )
    rows = [
        (each["priority"], count(each["ended"]), minutes(each["median_minutes"]), minutes(each["p95_minutes"]))
        for each in found["priorities"]
    ]
    return [*lines, "", *table(headings, rows, width=width)]


def clock_rows(rows: Sequence[Row], width: int | None) -> list[str]:
    """A table of items whose promises are at risk, or were broken; nothing at all for none."""
    headings = (
        Heading("resource"),
        Heading("item", right=True),
        Heading("priority"),
        Heading("target"),
        Heading("due", right=True),
        Heading("status"),
        Heading("tenant"),
        Heading("assignee"),
        Heading("title"),
    )
    now = now_ms()
    made = [
        (
            each["resource"],
            each["item_id"],
            each["priority"],
            words(each["target"]),
            due(each["at"], now)[0],
            words(each["status"]),
            each["tenant_id"],
            each["assignee"],
            each["title"],
        )
        for each in rows
    ]
    return table(headings, made, width=width) if made else []


def difference_line(resource: str, each: Row) -> str:
    """`support_tasks 12, resolution: kept met after 3m, the timeline gives breached after 9h 00m`."""
    kept, replayed = _clock(each["kept"]), _clock(each["replayed"])
    return safe(f"{resource} {each['item_id']}, {words(each['target'])}: kept {kept}, the timeline gives {replayed}")


def _clock(clock: Row | None) -> str:
    if clock is None:
        return "no clock"
    until = f", due {clock['due_at']}" if clock["due_at"] else ""
    return f"{clock['state']} after {minutes(clock['used_minutes'])}{until}"
