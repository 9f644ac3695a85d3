"""How runs are listed."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Text, or_, type_coerce

from quarterdeck.contract.enums import MachineResource, Priority
from quarterdeck.contract.filters import Condition, Equals
from quarterdeck.contract.filters.keys import FIELD_PREFIX
from quarterdeck.engine.listing.declaration import Listing, Wrap
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.tables import run_tallies
from quarterdeck.engine.store.dialect import Dialect, contains

_LONG = ("payload", "result")
_NUMBERS = ("id", "operation", "attempt")


def _word(key: str, value: str) -> Any:
    if key == "priority":
        return Priority(value).rank
    return int(value) if key in _NUMBERS else value


def _special(key: str, condition: Condition, dialect: Dialect, wrap: Wrap) -> ColumnElement[bool] | None:
    if not isinstance(condition, Equals):
        return None
    payload = type_coerce(runs.c.payload, Text)
    if key.startswith(FIELD_PREFIX):
        found: ColumnElement[bool] = dialect.part(payload, key[len(FIELD_PREFIX) :]) == condition.value
        return found
    if key:
        return None
    if not condition.value:
        return runs.c.id > 0
    # Payloads are kept as JSON in ASCII.
    written = json.dumps(condition.value)[1:-1]
    return or_(contains(runs.c.error_message, condition.value), contains(payload, written))


def _holds(*columns: str) -> frozenset[str]:
    return frozenset({"id", *columns})


RUNS = Listing(
    resource=MachineResource.RUNS,
    table=runs,
    columns={
        "status": "status",
        "queue": "queue",
        "kind": "kind",
        "tenant": "tenant_id",
        "error": "error_code",
        "class": "error_class",
        "worker": "worker",
        "unique": "unique_key",
        "id": "id",
        "operation": "operation_id",
        "attempt": "attempt",
        "priority": "priority",
        "created": "created_at",
        "due": "run_at",
    },
    orders={"created": ("id",)},
    indexes={
        "status": _holds("status", "queue", "tenant_id", "kind"),
        "queue": _holds("queue", "tenant_id", "kind"),
        "tenant_id": _holds("tenant_id", "queue", "kind"),
        "kind": _holds("kind", "tenant_id"),
        "error_code": _holds("error_code", "queue", "tenant_id", "kind"),
        "created_at": _holds("created_at"),
        "operation_id": _holds("operation_id", "status"),
        "id": _holds(),
    },
    by_equality=frozenset({"status", "queue", "tenant_id", "kind", "error_code", "operation_id"}),
    streams={"created": ("error_code", "kind", "queue", "tenant_id", "status")},
    shown=tuple(column for column in runs.c if column.name not in _LONG),
    facets={"queue": "queue", "kind": "kind", "tenant": "tenant_id", "error": "error_code", "worker": "worker"},
    newest=("id",),
    absent=frozenset({"error", "worker"}),
    slices=True,
    timed="created_at",
    tallies=run_tallies,
    special=_special,
    word=_word,
)
