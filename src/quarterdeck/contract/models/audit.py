"""The audit log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from quarterdeck.contract.models.base import Answer, Json, Model, Timestamp


class AuditEntry(Answer):
    """Who, what, when, why, on what. `hash` covers the entry and `previous_hash`."""

    id: int
    at: Timestamp
    actor: str
    role: str
    tenant_id: str | None
    action: str
    resource: str | None
    target: str | None
    reason: str | None
    details: dict[str, Json]
    previous_hash: str
    hash: str


class AuditPage(Answer):
    items: list[AuditEntry]
    next: str | None


class AuditQuery(Model):
    actor: Annotated[str | None, Field(max_length=1_000)] = None
    action: Annotated[str | None, Field(max_length=200)] = None
    target: Annotated[str | None, Field(max_length=200)] = None
    since: Timestamp | None = None
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class AuditFault(Answer):
    """`kind`: edited (the hash does not fit), missing (a gap), reordered (the chain does not join),
    cut (a signed checkpoint names an entry that is gone), checkpoint (a checkpoint that is not ours)."""

    id: int
    kind: Literal["edited", "missing", "reordered", "cut", "checkpoint"]
    sentence: str


class AuditVerdict(Answer):
    entries: int
    checkpoints: int
    intact: bool
    faults: list[AuditFault]
