"""What needs somebody now, in sentences, the most pressing first. Pure; the command line says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from quarterdeck.contract.enums import Resource, Severity
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.screens.alerts.words import labels_said
from quarterdeck.tui.text import safe

Overview = Mapping[str, Any]
_ONE_BY_ONE = 2  # queues and workers that are named; of more it is said how many
NOUNS = {
    Resource.SUPPORT_TASKS: ("support task", "support tasks"),
    Resource.RETURNS: ("return", "returns"),
    Resource.EXCEPTIONS: ("exception", "exceptions"),
}


class Need(NamedTuple):
    """`style` is error or warning; `to` is what `:` would take to go there."""

    style: str
    words: str
    to: str


def needs(overview: Overview) -> list[Need]:
    """Nothing for what could not be read: its part says so."""
    found = [*_alerts(overview["alerts"]), *_items(overview["items"] or ())]
    found += _unwell(overview["queues"], "queue", lambda name: f"queues {name}", "queues")
    found += _unwell(overview["workers"], "worker", lambda _: "workers", "workers")
    found += [*_dead_letters(overview["dead_letters"]), *_operations(overview["bulk"])]
    return sorted(found, key=lambda need: need.style != "error")


def quiet_words(overview: Overview) -> str:
    """Where there is nothing to say: whether that is so, or not known."""
    if overview["failed"]:
        return "Nothing of what could be read needs you."
    if any(each[name] is None for each in overview["items"] for name in ("due_soon", "breached")):
        return "Nothing needs you so far; items are still being counted."
    return "Nothing needs you."


def _alerts(alerts: Overview | None) -> Iterable[Need]:
    if alerts is None:
        return
    for severity, style in ((Severity.CRITICAL, "error"), (Severity.WARNING, "warning")):
        number = next((each["count"] for each in alerts["unseen"] if each["name"] == severity), 0)
        if not number:
            continue
        said = plural(number, f"{severity} alert")
        newest = next((each for each in alerts["latest"] if is_unseen(each) and each["severity"] == severity), None)
        name = "" if newest is None else f"{':' if number == 1 else ', last'} {safe(alert_name(newest))}"
        yield Need(style, f"{said} {'fires' if number == 1 else 'fire'}{name}", f"alerts severity:{severity}")


def alert_name(alert: Overview) -> str:
    """Its name and what tells it from others of that name. As it came; not safe."""
    said = labels_said({name: value for name, value in alert["labels"].items() if name != "tenant"})
    return f"{alert['name']} {said}".rstrip()


def is_unseen(alert: Overview) -> bool:
    return not (alert["acknowledged"] or alert["silenced"])


def _items(items: Iterable[Overview]) -> Iterable[Need]:
    for each in items:
        nouns = NOUNS[Resource(each["resource"])]
        if each["breached"]:
            is_ = "is" if each["breached"] == 1 else "are"
            yield Need("error", f"{plural(each['breached'], *nouns)} {is_} late", f"{each['resource']} due:breached")
        if each["due_soon"]:
            falls = "falls" if each["due_soon"] == 1 else "fall"
            words = f"{plural(each['due_soon'], *nouns)} {falls} due soon"
            yield Need("warning", words, f"{each['resource']} due:soon")


def _unwell(part: Overview | None, noun: str, door: Any, everywhere: str) -> Iterable[Need]:
    if part is None:
        return
    for condition, style in (("unhealthy", "error"), ("degraded", "warning")):
        known = [each for each in part["unwell"] if each["condition"] == condition]
        number = part[condition]
        named = known if number <= _ONE_BY_ONE else []
        for each in named:
            why = f": {safe(each['why'])}" if each["why"] else f" is {condition}"
            yield Need(style, f"{noun} {safe(each['name'])}{why}", door(each["name"]))
        if number > len(named):
            names = ", ".join(safe(each["name"]) for each in known[:3])
            more = ", …" if number > len(known[:3]) else ""
            yield Need(style, f"{plural(number, noun)} are {condition}: {names}{more}", everywhere)


def _dead_letters(part: Overview | None) -> Iterable[Need]:
    if part is not None and part["hour"] > 0:
        more = plural(part["hour"], "more dead letter", "more dead letters")
        pending = f"; {count(part['pending'])} wait for somebody" if part["pending"] else ""
        yield Need("warning", f"{more} within the hour{pending}", "dlq status:pending")


def _operations(part: Overview | None) -> Iterable[Need]:
    for each in part["operations"] if part is not None else ():
        if each["failed"]:
            words = f"{safe(each['label'])} #{each['id']} fails for {plural(each['failed'], 'item')} so far"
            yield Need("warning", words, f"operation {each['id']}")
