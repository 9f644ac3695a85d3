"""Bulk operations: draft, preview, confirm, progress, result."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from quarterdeck.contract.enums import AnyResource, BulkKind, BulkStatus, Outcome, Risk
from quarterdeck.contract.models.base import Answer, FilterText, Id, Json, Model, Timestamp


class NewBulk(Model):
    """What to act on (`ids` or a `selection` token) and with what. Makes a draft; nothing is changed yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["ids"], "properties": {"ids": {"type": "array"}, "selection": {"type": "null"}}},
                {"required": ["selection"], "properties": {"ids": {"type": "null"}, "selection": {"type": "string"}}},
            ]
        }
    )

    ids: Annotated[list[Id] | None, Field(min_length=1, max_length=100_000)] = None
    selection: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    params: dict[str, Json] = {}
    reason: Annotated[str | None, Field(max_length=2_000)] = None
    run_at: Timestamp | None = None
    batch_size: Annotated[int | None, Field(ge=1, le=2_000)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> NewBulk:
        if (self.ids is None) == (self.selection is None):
            raise ValueError("give either ids or a selection token")
        return self


class Confirm(Model):
    """`count` is the eligible count that was shown; it is required, and must match, at high risk."""

    count: Annotated[int | None, Field(ge=0, le=2**53)] = None


class ReasonCount(Answer):
    """How many items met the same fate, and one sentence saying why."""

    code: str
    sentence: str
    count: int
    retryable: bool = False


class PreviewItem(Answer):
    """The verdict on one item: `code` is null where it is eligible."""

    item_id: int
    title: str
    status: str
    tenant_id: str
    code: str | None
    sentence: str | None


class BulkOperation(Answer):
    """One action over many items.

    Counts are items. `rate` is items a second over the last seconds, `eta_seconds` what is left at that
    rate; both null when not running.
    """

    id: int
    kind: BulkKind
    parent_id: int | None
    resource: AnyResource
    action: str
    label: str
    params: dict[str, Json]
    status: BulkStatus
    risk: Risk
    undoable: bool
    reason: str | None
    filter: str | None
    created_by: str
    created_at: Timestamp
    run_at: Timestamp | None
    started_at: Timestamp | None
    finished_at: Timestamp | None
    total: int
    eligible: int
    skipped: int
    succeeded: int
    failed: int
    cancelled: int
    batch_size: int
    parallel: int
    batches: int
    batches_done: int
    rate: float | None
    eta_seconds: float | None
    cancel_requested: bool
    error: str | None


class AmountSum(Answer):
    """What so many items add up to in a currency (null: they name none). `amount` is a decimal number."""

    currency: str | None
    amount: str
    items: int


class BulkPreview(Answer):
    """A draft with what would happen. `estimated_seconds` comes from measured rates of this store.

    `sums`, for a refund: what it pays out, over all eligible items; `unsummed` of them name no amount.
    """

    operation: BulkOperation
    states: dict[str, int]
    skip_reasons: list[ReasonCount]
    first: list[PreviewItem]
    estimated_seconds: float
    sums: list[AmountSum] = []
    unsummed: int = 0


class BulkDetail(Answer):
    operation: BulkOperation
    states: dict[str, int]
    skip_reasons: list[ReasonCount]
    failure_reasons: list[ReasonCount]


class BulkPage(Answer):
    items: list[BulkOperation]
    next: str | None


class BulkItem(Answer):
    """The result for one item. `code` and `sentence` say why it was skipped or failed."""

    item_id: int
    external_id: str | None
    title: str
    tenant_id: str
    outcome: Outcome
    code: str | None
    sentence: str | None
    retryable: bool


class BulkItemPage(Answer):
    """`next` and `previous` are cursors; null where the list ends."""

    items: list[BulkItem]
    next: str | None
    previous: str | None = None


class BulkListQuery(Model):
    status: Annotated[BulkStatus | None, Field()] = None
    running: bool | None = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class BulkItemsQuery(Model):
    """`direction` `previous` reads backwards from the cursor, or from the end without one; `skip` jumps."""

    outcome: Outcome | None = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    direction: Literal["next", "previous"] = "next"
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    skip: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class BulkExportQuery(Model):
    format: Literal["csv", "json"] = "csv"
    outcome: Outcome | None = None


class NewTemplate(Model):
    """A bulk operation to use again: a filter, an action and its parameters under a name."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    resource: AnyResource
    action: Annotated[str, Field(min_length=1, max_length=100)]
    filter: FilterText = ""
    params: dict[str, Json] = {}
    reason: Annotated[str | None, Field(max_length=2_000)] = None


class Template(Answer):
    id: int
    name: str
    resource: AnyResource
    action: str
    filter: str
    params: dict[str, Json]
    reason: str | None
    created_by: str
    created_at: Timestamp


class TemplatePage(Answer):
    items: list[Template]
    next: str | None


class PageQuery(Model):
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
