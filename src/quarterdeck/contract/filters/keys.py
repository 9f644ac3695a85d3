"""The keys of the grammar: what each takes and says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.contract.enums import ItemStatus, Priority, Resource
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
        ("overdue", "none", "any", "today", "tomorrow"),
        ("due:<2h", "due:overdue"),
    ),
    Key("has", KeyKind.CHOICE, "what it has", ("comment", "assignee", "due", "body", "category"), ("has:comment",)),
    Key("is", KeyKind.CHOICE, "a condition", ("deleted", "overdue", "claimed"), ("is:deleted",)),
)

KEYS: Mapping[str, Key] = {key.name: key for key in _ALL}

# `field.NAME:value` looks into what an import brought.
FIELD_PREFIX = "field."


def keys_for(resource: Resource | None) -> Mapping[str, Key]:
    """The keys with `status` narrowed to the states of the resource's machine."""
    if resource is None:
        return KEYS
    narrowed = dict(KEYS)
    old = KEYS["status"]
    narrowed["status"] = Key(old.name, old.kind, old.summary, statuses(resource), old.examples)
    return narrowed
