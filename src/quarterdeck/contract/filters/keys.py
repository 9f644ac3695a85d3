"""The keys of the grammar: what each takes and says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.contract.enums import (
    AlertState,
    AlertType,
    DeadLetterStatus,
    ErrorClass,
    ItemStatus,
    Listed,
    MachineResource,
    Priority,
    RunStatus,
    Severity,
    Watched,
)
from quarterdeck.contract.transitions import statuses


class KeyKind(StrEnum):
    CHOICE = "choice"  # one of `choices`
    WORD = "word"  # any text, compared exactly
    PERSON = "person"  # a name, or me / none / any
    NUMBER = "number"  # an id
    PAST = "past"  # a date, or an age: <2h is "less than two hours ago"
    FUTURE = "future"  # a date, or a time from now: <2h is "within two hours, or overdue"


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    kind: KeyKind
    summary: str
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


_ALL = (
    Key("status", KeyKind.CHOICE, "state of the item", tuple(ItemStatus), ("status:open,waiting",)),
    Key("priority", KeyKind.CHOICE, "priority", tuple(Priority), ("priority:urgent",)),
    Key("assignee", KeyKind.PERSON, "who has it", ("me", "none", "any"), ("assignee:me",)),
    Key("kind", KeyKind.WORD, "kind of item", (), ("kind:refund",)),
    Key("category", KeyKind.WORD, "category", ("none", "any"), ("-category:spam",)),
    Key("tenant", KeyKind.WORD, "tenant", (), ("tenant:acme",)),
    Key("id", KeyKind.NUMBER, "number of the item", (), ("id:42",)),
    Key("external", KeyKind.WORD, "id in the system it came from", (), ("external:1-364285768",)),
    Key("created", KeyKind.PAST, "when it was made", ("today", "yesterday"), ("created:>=2026-01-01", "created:<2h")),
    Key("updated", KeyKind.PAST, "last change", ("today", "yesterday"), ("updated:>7d",)),
    Key(
        "due",
        KeyKind.FUTURE,
        "when its SLA is due",
        ("overdue", "soon", "breached", "none", "any", "today", "tomorrow"),
        ("due:<2h", "due:soon", "due:breached"),
    ),
    Key("has", KeyKind.CHOICE, "what it has", ("comment", "assignee", "due", "body", "category"), ("has:comment",)),
    Key("is", KeyKind.CHOICE, "a condition", ("deleted", "overdue", "claimed", "soon", "breached"), ("is:deleted",)),
)

KEYS: Mapping[str, Key] = {key.name: key for key in _ALL}
# What clocks say of an item, beside when it is due: `due:soon` and `is:soon` are the same.
BY_CLOCK = frozenset({"soon", "breached"})

_PAST = ("today", "yesterday")
_ERROR = Key("error", KeyKind.WORD, "code of the error", ("none", "any"), ("error:503", "error:none"))
_CLASS = Key("class", KeyKind.CHOICE, "what kind of error", tuple(ErrorClass), ("class:network",))
_TENANT = Key("tenant", KeyKind.WORD, "tenant", (), ("tenant:acme",))
_RUNS = (
    Key("status", KeyKind.CHOICE, "state of the run", tuple(RunStatus), ("status:failed,dead",)),
    Key("queue", KeyKind.WORD, "queue", (), ("queue:refunds-api",)),
    Key("kind", KeyKind.WORD, "kind of run", (), ("kind:refund.send",)),
    _TENANT,
    _ERROR,
    _CLASS,
    Key("worker", KeyKind.WORD, "who works on it, or did last", ("none", "any"), ("worker:w-1",)),
    Key("unique", KeyKind.WORD, "unique key", (), ("unique:order-42",)),
    Key("id", KeyKind.NUMBER, "number of the run", (), ("id:42",)),
    Key("operation", KeyKind.NUMBER, "bulk operation it works for", (), ("operation:7",)),
    Key("attempt", KeyKind.NUMBER, "attempts so far", (), ("attempt:3",)),
    Key("priority", KeyKind.CHOICE, "priority", tuple(Priority), ("priority:urgent",)),
    Key("created", KeyKind.PAST, "when it was enqueued", _PAST, ("created:<2h",)),
    Key("due", KeyKind.FUTURE, "when it may start", ("today", "tomorrow"), ("due:<10m",)),
)
_DEAD_LETTERS = (
    Key("status", KeyKind.CHOICE, "state of the dead letter", tuple(DeadLetterStatus), ("status:pending",)),
    Key("queue", KeyKind.WORD, "queue it came from", (), ("queue:refunds-api",)),
    Key("type", KeyKind.WORD, "type of event", (), ("type:refund.send",)),
    _TENANT,
    _ERROR,
    _CLASS,
    Key("group", KeyKind.WORD, "error group", (), ("group:5f2a9c01",)),
    Key("id", KeyKind.NUMBER, "number of the dead letter", (), ("id:42",)),
    Key("run", KeyKind.NUMBER, "the run that died", (), ("run:42",)),
    Key("source", KeyKind.WORD, "id in the system it came from", (), ("source:evt_1",)),
    Key("created", KeyKind.PAST, "when it came", _PAST, ("created:<2h",)),
)
_ALERTS = (
    Key("state", KeyKind.CHOICE, "state of the alert", tuple(AlertState)[1:], ("state:firing",)),
    Key("severity", KeyKind.CHOICE, "how bad it is", tuple(Severity), ("severity:critical",)),
    Key("is", KeyKind.CHOICE, "a condition", ("acknowledged", "silenced", "inhibited"), ("-is:acknowledged",)),
    Key("name", KeyKind.WORD, "name of the alert", (), ('name:"Mail fails"',)),
    Key("type", KeyKind.CHOICE, "what the rule looks at", tuple(AlertType), ("type:queue_stuck",)),
    _TENANT,
    Key("label", KeyKind.WORD, "a label, as name=value", (), ("label:queue=mail",)),
    Key("rule", KeyKind.NUMBER, "number of the rule", (), ("rule:3",)),
    Key("group", KeyKind.NUMBER, "the group it is told with", (), ("group:7",)),
    Key("id", KeyKind.NUMBER, "number of the alert", (), ("id:42",)),
    Key("created", KeyKind.PAST, "when it began", _PAST, ("created:<2h",)),
)
_OTHER_KEYS: Mapping[Listed, Mapping[str, Key]] = {
    MachineResource.RUNS: {key.name: key for key in _RUNS},
    MachineResource.DEAD_LETTERS: {key.name: key for key in _DEAD_LETTERS},
    Watched.ALERTS: {key.name: key for key in _ALERTS},
}

# `field.NAME:value` looks into what an import brought.
FIELD_PREFIX = "field."


def keys_for(resource: Listed | None) -> Mapping[str, Key]:
    """The keys with `status` narrowed to the states of the resource's machine."""
    if resource is None:
        return KEYS
    if isinstance(resource, MachineResource | Watched):
        return _OTHER_KEYS[resource]
    narrowed = dict(KEYS)
    old = KEYS["status"]
    narrowed["status"] = Key(old.name, old.kind, old.summary, statuses(resource), old.examples)
    return narrowed
