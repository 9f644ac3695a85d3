"""How dead letters are listed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select

from quarterdeck.contract.enums import MachineResource
from quarterdeck.engine.dead_letters.tables import dead_letter_groups, dead_letters
from quarterdeck.engine.listing.declaration import Listing
from quarterdeck.engine.listing.payloads import holds, in_payload, word_of
from quarterdeck.engine.series.tables import dead_letter_tallies

_LONG = ("payload", "metadata", "detail")


def _groups_of(codes: Sequence[Any]) -> ColumnElement[bool]:
    """A group has one code."""
    groups = select(dead_letter_groups.c.group_id).where(dead_letter_groups.c.error_code.in_(codes))
    return dead_letter_tallies.c.group_id.in_(groups)


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
    orders={"created": ("id",)},
    indexes={
        "status": holds("status"),
        "queue": holds("queue"),
        "tenant_id": holds("tenant_id"),
        "event_type": holds("event_type"),
        "error_code": holds("error_code"),
        "group_id": holds("group_id"),
        "created_at": holds("created_at"),
        "run_id": holds("run_id"),
        "id": holds(),
    },
    by_equality=frozenset({"status", "queue", "tenant_id", "event_type", "error_code", "group_id", "run_id"}),
    streams={"created": ("group_id", "error_code", "event_type", "queue", "tenant_id", "status")},
    shown=tuple(column for column in dead_letters.c if column.name not in _LONG),
    facets={"queue": "queue", "type": "event_type", "tenant": "tenant_id", "error": "error_code"},
    newest=("id",),
    absent=frozenset({"error"}),
    slices=True,
    timed="created_at",
    tallies=dead_letter_tallies,
    told_by={"error_code": _groups_of},
    special=in_payload(dead_letters),
    word=partial(word_of, MachineResource.DEAD_LETTERS),
)
