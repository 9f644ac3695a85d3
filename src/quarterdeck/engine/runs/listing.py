"""How runs are listed."""

from __future__ import annotations

from functools import partial

from quarterdeck.contract.enums import MachineResource
from quarterdeck.engine.listing.declaration import Listing
from quarterdeck.engine.listing.payloads import holds, in_payload, word_of
from quarterdeck.engine.runs.tables import runs
from quarterdeck.engine.series.tables import run_tallies

_LONG = ("payload", "result")

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
        "status": holds("status", "queue", "tenant_id", "kind"),
        "queue": holds("queue", "tenant_id", "kind"),
        "tenant_id": holds("tenant_id", "queue", "kind"),
        "kind": holds("kind", "tenant_id"),
        "error_code": holds("error_code", "queue", "tenant_id", "kind"),
        "created_at": holds("created_at"),
        "operation_id": holds("operation_id", "status"),
        "id": holds(),
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
    special=in_payload(runs),
    word=partial(word_of, MachineResource.RUNS),
)
