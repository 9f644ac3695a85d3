"""How dead letters are listed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, or_, select, type_coerce

from quarterdeck.contract.enums import MachineResource
from quarterdeck.contract.filters import Condition, Equals
from quarterdeck.contract.filters.keys import FIELD_PREFIX
from quarterdeck.engine.dead_letters.tables import dead_letter_groups, dead_letters
from quarterdeck.engine.listing.declaration import Listing, Wrap
from quarterdeck.engine.series.tables import dead_letter_tallies
from quarterdeck.engine.store.dialect import Dialect, contains

_LONG = ("payload", "metadata", "detail")


def _word(key: str, value: str) -> Any:
    return int(value) if key in ("id", "run") else value


def _special(key: str, condition: Condition, dialect: Dialect, wrap: Wrap) -> ColumnElement[bool] | None:
    if not isinstance(condition, Equals):
        return None
    payload = type_coerce(dead_letters.c.payload, Text)
    if key.startswith(FIELD_PREFIX):
        found: ColumnElement[bool] = dialect.part(payload, key[len(FIELD_PREFIX) :]) == condition.value
        return found
    if key:
        return None
    if not condition.value:
        return dead_letters.c.id > 0
    # Payloads are kept as JSON in ASCII.
    written = json.dumps(condition.value)[1:-1]
    return or_(contains(dead_letters.c.error_message, condition.value), contains(payload, written))


def _groups_of(codes: Sequence[Any]) -> ColumnElement[bool]:
    """A group has one code."""
    groups = select(dead_letter_groups.c.group_id).where(dead_letter_groups.c.error_code.in_(codes))
    return dead_letter_tallies.c.group_id.in_(groups)


def _holds(*columns: str) -> frozenset[str]:
    return frozenset({"id", *columns})


DEAD_LETTERS = Listing(
    resource=MachineResource.DEAD_LETTERS,
    table=dead_letters,
    columns={
        "status": "status",
        "queue": "queue",
        "type": "event_type",
        "tenant": "tenant_id",
        "error": "error_code",
        "class": "error_class",
        "group": "group_id",
        "id": "id",
        "run": "run_id",
        "source": "source_id",
        "created": "created_at",
    },
    # In the order in which they came: an import may bring old ones.
    orders={"created": ("id",)},
    indexes={
        "status": _holds("status"),
        "queue": _holds("queue"),
        "tenant_id": _holds("tenant_id"),
        "event_type": _holds("event_type"),
        "error_code": _holds("error_code"),
        "group_id": _holds("group_id"),
        "created_at": _holds("created_at"),
        "run_id": _holds("run_id"),
        "id": _holds(),
    },
    by_equality=frozenset({"status", "queue", "tenant_id", "event_type", "error_code", "group_id", "run_id"}),
    streams={"created": ("group_id", "error_code", "event_type", "queue", "tenant_id", "status")},
    shown=tuple(column for column in dead_letters.c if column.name not in _LONG),
    facets={"queue": "queue", "type": "event_type", "tenant": "tenant_id", "error": "error_code"},
    newest=("id",),
    absent=frozenset({"error"}),
    slices=True,
    tallies=dead_letter_tallies,
    told_by={"error_code": _groups_of},
    special=_special,
    word=_word,
)
