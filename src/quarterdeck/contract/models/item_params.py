"""What each action on items asks for. Field titles and descriptions become forms and help."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quarterdeck.contract.enums import ItemStatus, Priority
from quarterdeck.contract.models.base import LongText, Model, Name


class Params(Model):
    """No parameters."""


ReasonText = Annotated[str | None, Field(max_length=2_000, title="Reason", description="Why; kept in the audit log.")]
NoteText = Annotated[str | None, Field(max_length=2_000, title="Note", description="Added to the timeline.")]


class Claim(Params):
    pass


class Release(Params):
    reason: ReasonText = None


class Assign(Params):
    assignee: Annotated[
        Name | None, Field(title="Assignee", description="Who gets it; empty takes it away from everybody.")
    ]
    reason: ReasonText = None


class SetPriority(Params):
    priority: Annotated[Priority, Field(title="Priority")]
    reason: ReasonText = None


class SetCategory(Params):
    category: Annotated[Name | None, Field(title="Category", description="Empty removes the category.")]
    reason: ReasonText = None


class UpdateStatus(Params):
    status: Annotated[ItemStatus, Field(title="Status", description="Items that cannot move there are skipped.")]
    reason: ReasonText = None


class Resolve(Params):
    note: NoteText = None


class Reopen(Params):
    reason: ReasonText = None


class Reason(Params):
    reason: ReasonText = None


class Note(Params):
    note: NoteText = None


class Reject(Params):
    reason: Annotated[str, Field(min_length=1, max_length=2_000, title="Reason", description="Why it is refused.")]


class Comment(Params):
    body: Annotated[LongText, Field(min_length=1, title="Comment", description="Seen by everybody with access.")]
