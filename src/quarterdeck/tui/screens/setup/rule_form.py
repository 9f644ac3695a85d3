"""The form of a rule: what a type is asked, with the units it can be counted in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from quarterdeck.contract.enums import AlertType
from quarterdeck.contract.operations import alerts
from quarterdeck.tui.screens.picker import Option
from quarterdeck.tui.screens.setup.entries import Entry, Texts, shaped, tenant_entry
from quarterdeck.tui.screens.setup.written import LIST, MINUTES, NUMBER, SECONDS, SWITCH, WHOLE, among
from quarterdeck.tui.screens.setup.written_hours import EXAMPLE, HOURS
from quarterdeck.tui.screens.setup.written_labels import INHIBITIONS, LABELS, MATCHERS

WATCHED: Mapping[AlertType, tuple[str, str]] = {
    AlertType.SLA_BREACH: ("Broken promises", "service levels that were not kept"),
    AlertType.SLA_IMMINENT: ("Promises due soon", "service levels about to be broken"),
    AlertType.DLQ_GROWTH: ("Dead letters", "how fast they come"),
    AlertType.WORKER_UNHEALTHY: ("Workers", "that are unhealthy"),
    AlertType.ERROR_RATE_HIGH: ("Failed attempts", "the share of attempts that fail"),
    AlertType.THROUGHPUT_LOW: ("Throughput", "less done than usual"),
    AlertType.QUEUE_STUCK: ("Stuck queues", "how long or how many runs wait"),
    AlertType.BULK_FAILURE_RATE: ("Bulk operations", "the share that fails"),
    AlertType.EXTERNAL: ("Alerts from outside", "what Prometheus or amtool post"),
}
OPTIONS = tuple(Option(str(kind), title, hint) for kind, (title, hint) in WATCHED.items())
_FIRES = {
    "count": "How many of them, from which on it fires.",
    "percent": "The percentage, 100 at most, from which on it fires.",
    "per_minute": "How many a minute, from which on it fires.",
    "minutes": "How many minutes, from which on it fires.",
}
# Types that look back over a window, and those whose percentage needs so many to say anything.
_LOOKS_BACK = (
    *(AlertType.SLA_BREACH, AlertType.DLQ_GROWTH, AlertType.ERROR_RATE_HIGH),
    *(AlertType.THROUGHPUT_LOW, AlertType.BULK_FAILURE_RATE),
)
_COUNTS = (AlertType.SLA_BREACH, AlertType.ERROR_RATE_HIGH, AlertType.THROUGHPUT_LOW, AlertType.BULK_FAILURE_RATE)


async def rule_entries(kind: AlertType, channels: Sequence[str], tenants: Sequence[str], *, new: bool) -> list[Entry]:
    """Loads pydantic on first use, beside the screen. `channels`: those there are."""
    return await asyncio.to_thread(_entries, kind, channels, tenants, new)


def _entries(kind: AlertType, channels: Sequence[str], tenants: Sequence[str], new: bool) -> list[Entry]:
    from quarterdeck.contract.models.alert_rules import DIMENSIONS, UNITS, WITHOUT_TENANTS

    entries = [Entry("name", "Name", "What people call it; alerts bear it as alertname.")]
    if new and kind not in WITHOUT_TENANTS:
        hint = "Only this tenant; empty: over every tenant together."
        entries.append(tenant_entry(hint, tenants))
    entries += _condition(kind, UNITS[kind], DIMENSIONS[kind])
    entries += [
        Entry("settings/severity", "Severity", "How bad it is. Left and right choose."),
        Entry(
            "settings/channels",
            "Channels",
            _known(channels),
            LIST,
            known=tuple(channels),
            example="such as ops, on-call",
        ),
        Entry(
            "settings/quiet_hours/windows",
            "Quiet hours",
            f"Nothing is sent then; what still fires is sent when they end. A line for days that are alike: {EXAMPLE}",
            HOURS,
            many=True,
            example="such as mon-fri 22:00-07:00",
        ),
        Entry(
            "settings/quiet_hours/timezone",
            "Time zone",
            "By whose clock the quiet hours go; a name such as Europe/Stockholm.",
            example="such as Europe/Stockholm",
        ),
        Entry(
            "settings/labels",
            "Labels",
            "Added to each of its alerts.",
            LABELS,
            example='such as team=mail site="two words"',
        ),
        Entry(
            "settings/annotations",
            "Texts",
            "Told with each alert; {value} and names of labels in braces are filled in.",
            LABELS,
            example='such as summary="{queue}: {value} % of attempts fail"',
        ),
        Entry(
            "settings/group_by",
            "Together",
            "Alerts that are alike in these labels are told in one notice. Empty: all of them.",
            LIST,
        ),
        Entry(
            "settings/inhibits",
            "Keeps quiet",
            "While it fires, others that match are not sent, where these labels are the same. A line each.",
            INHIBITIONS,
            many=True,
            example="such as severity=info same cluster",
        ),
        Entry("enabled", "Rule", "Whether it is looked at. Switching it off resolves what fires by it.", SWITCH),
    ]
    if not new:
        entries.append(Entry("reason", "Reason", "Why; kept in the audit log. May be empty."))
    return shaped(entries, alerts.CREATE, alerts.CHANGE)


def _condition(kind: AlertType, units: Sequence[str], dimensions: Sequence[str]) -> list[Entry]:
    if kind is AlertType.EXTERNAL:
        hint = "Which alerts it takes: all that match; =, != and for regular expressions =~, !~. Empty: every one."
        return [Entry("settings/matchers", "Takes", hint, MATCHERS, example="such as team=mail host=~web.*")]
    low = kind is AlertType.THROUGHPUT_LOW
    fires = "The percentage of the usual below which it fires." if low else _FIRES[units[0]]
    by_unit = _fires_by_unit if len(units) > 1 else None
    entries = [Entry("settings/threshold", "Threshold", fires, NUMBER, must=True, hint_by=by_unit)]
    if len(units) > 1:
        said = "What the threshold is counted in. Left and right choose."
        entries.append(Entry("settings/unit", "Unit", said, choices=tuple(map(str, units))))
    if kind in _LOOKS_BACK:
        entries.append(Entry("settings/window_minutes", "Window", "Over how long it is counted, up to now.", MINUTES))
    entries.append(
        Entry("settings/for_seconds", "For", "How long it has to be so before it fires; 0: at once.", SECONDS)
    )
    if kind in _COUNTS:
        entries.append(Entry("settings/minimum", "At least", "With fewer of them a percentage says nothing.", WHOLE))
    if dimensions:
        said = f"An alert for each of: {', '.join(dimensions)}. Empty: one for all."
        names = tuple(map(str, dimensions))
        entries.append(Entry("settings/by", "Each", said, among(names), known=names))
    return entries


def _fires_by_unit(texts: Texts) -> str:
    return _FIRES[texts["settings/unit"]]


def _known(channels: Sequence[str]) -> str:
    said = "Who is told, with commas between."
    return f"{said} There are: {', '.join(channels)}." if channels else f"{said} There is no channel yet."
