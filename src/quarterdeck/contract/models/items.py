"""Items, their timeline, and selections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from quarterdeck.contract.enums import AnyResource, ItemStatus, Priority, Resource
from quarterdeck.contract.models.base import (
    Answer,
    FilterText,
    Id,
    Json,
    LongText,
    Model,
    Name,
    Tenant,
    Timestamp,
    Version,
)
from quarterdeck.contract.models.dead_letters import DeadLetter
from quarterdeck.contract.models.runs import Run


class Item(Answer):
    """A piece of human work in a queue. `version` counts changes; `fields` is what an import brought."""

    id: int
    external_id: str | None
    tenant_id: str
    resource: Resource
    kind: str
    title: str
    body: str | None = None
    status: ItemStatus
    priority: Priority
    category: str | None
    assignee: str | None
    claimed_until: Timestamp | None
    sla_due_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None = None
    comments: int
    version: int
    fields: dict[str, Json] = {}


class ItemPage(Answer):
    """`next` and `previous` are cursors; null where the list ends. `body` and `fields` are left out."""

    items: list[Item]
    next: str | None
    previous: str | None


class ItemCount(Answer):
    """`count` is exact where `searched` is 1. Below, time was up: there are at least as many, in that share of the
    rows."""

    count: int
    searched: float = 1.0


class Facets(Answer):
    """Values seen in the store, most frequent first, for completion."""

    values: dict[str, list[str]]


class Event(Answer):
    """One line of an item's timeline. `changes` maps a field to [before, after]."""

    id: int
    item_id: int
    at: Timestamp
    actor: str
    type: str
    body: str | None
    changes: dict[str, tuple[Json, Json]]
    operation_id: int | None


class EventPage(Answer):
    items: list[Event]
    next: str | None


class ActionRequest(Model):
    """`params` is what the action declares; `version` refuses the action if the item has changed since."""

    params: dict[str, Json] = {}
    version: Version | None = None


class ActionResult(Answer):
    """What was acted on, as it is now: one of `item`, `run` and `dead_letter`.

    `event_id`, which only items have, can be given to undo where `undoable`.
    """

    item: Item | None = None
    run: Run | None = None
    dead_letter: DeadLetter | None = None
    event_id: int | None = None
    undoable: bool


class ClaimNext(Model):
    filter: FilterText = ""


class Skip(Model):
    """Puts a claimed item back and does not offer it to the same person again for a while."""

    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


class NewSelection(Model):
    """All that match `filter`, minus `except_ids`. `boundary` (that of an earlier selection): none made after it."""

    filter: FilterText = ""
    except_ids: Annotated[list[Id], Field(max_length=100_000)] = []
    boundary: Annotated[int | None, Field(ge=0, le=2**62)] = None


class Selection(Answer):
    """`filter` has its relative times made absolute; items made after `boundary` (an id) do not belong."""

    token: str
    resource: AnyResource
    filter: str
    except_ids: int
    count: int
    boundary: int
    expires_at: Timestamp


class ImportedEvent(Model):
    """`key` makes a second import of the same event change nothing."""

    at: Timestamp
    actor: Name
    type: Annotated[str, Field(min_length=1, max_length=100)]
    body: LongText | None = None
    changes: dict[str, tuple[Json, Json]] = {}


class ImportedItem(Model):
    external_id: Annotated[str, Field(min_length=1, max_length=500)]
    tenant_id: Tenant
    kind: Annotated[str, Field(min_length=1, max_length=200)] = "item"
    title: Annotated[str, Field(max_length=2_000)]
    body: LongText | None = None
    status: ItemStatus | None = None
    priority: Priority = Priority.NORMAL
    category: Name | None = None
    assignee: Name | None = None
    sla_due_at: Timestamp | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    fields: dict[str, Json] = {}
    events: list[ImportedEvent] = []


class ImportBatch(Model):
    """`import_id` groups the batches of one import in the audit log."""

    import_id: Annotated[str, Field(min_length=1, max_length=100)]
    items: Annotated[list[ImportedItem], Field(max_length=2_000)]
    dry_run: bool = False


class Rejected(Answer):
    """`index` counts items of the batch from 0."""

    index: int
    column: str
    value: str
    reason: str


class ImportResult(Answer):
    created: int
    updated: int
    unchanged: int
    events: int
    rejected: list[Rejected]


class NewItem(Model):
    """An item posted by another system or made by hand."""

    external_id: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    tenant_id: Tenant
    kind: Annotated[str, Field(min_length=1, max_length=200)] = "item"
    title: Annotated[str, Field(max_length=2_000)]
    body: LongText | None = None
    priority: Priority = Priority.NORMAL
    category: Name | None = None
    sla_due_at: Timestamp | None = None
    fields: dict[str, Json] = {}


class NewItems(Model):
    items: Annotated[list[NewItem], Field(min_length=1, max_length=1_000)]


class CreatedItems(Answer):
    ids: list[int]


class ListQuery(Model):
    """`direction` `previous` reads backwards from the cursor, or from the end without one; `skip` jumps."""

    filter: FilterText = ""
    sort: Annotated[str, Field(pattern=r"^-?(priority|due|created|updated)$")] = "priority"
    cursor: Annotated[str | None, Field(max_length=2_000)] = None
    direction: Literal["next", "previous"] = "next"
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    skip: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    ids: Annotated[str | None, Field(max_length=10_000, pattern=r"^\d{1,18}(,\d{1,18})*$")] = None


class FilterQuery(Model):
    filter: FilterText = ""


class ExportQuery(Model):
    filter: FilterText = ""
    format: Literal["csv", "json"] = "csv"


class EventsQuery(Model):
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
