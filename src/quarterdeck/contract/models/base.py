"""What every model shares."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

from quarterdeck.contract.clock import iso, to_ms

_DATED = re.compile(r"\d{4}-\d\d-\d\d")


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is before the year 1 or after the year 9999 in UTC") from None


def _written_out(value: Any) -> Any:
    # A bare number would be taken for Unix time, in seconds or milliseconds as it falls.
    if isinstance(value, datetime):
        return value
    try:
        if not isinstance(value, str) or not _DATED.match(value):
            raise ValueError
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("must be a time in ISO 8601, such as 2026-01-31T08:00:00Z") from None


Timestamp = Annotated[
    datetime,
    BeforeValidator(_written_out),
    AfterValidator(_utc),
    PlainSerializer(lambda moment: iso(to_ms(moment)), return_type=str, when_used="json"),
    Field(examples=["2026-01-31T08:00:00Z"]),
]

# Anything JSON can hold.
Json = Any

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Tenant = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=1_000)]
# Raised with every change; what is named in a change refuses it where somebody else was quicker.
Version = Annotated[int, Field(ge=1, le=2**62)]
LongText = Annotated[str, Field(max_length=100_000)]
FilterText = Annotated[str, Field(max_length=8_000, examples=["status:open priority:urgent"])]


class Model(BaseModel):
    """Built on first use; refuses members nobody knows, so that a typing mistake is not ignored."""

    model_config = ConfigDict(extra="forbid", defer_build=True, use_enum_values=False)


class Seen(Model):
    """`version` refuses it if what it is about has changed since."""

    version: Version | None = None


class Answer(BaseModel):
    """What the engine says; a newer engine may say more."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
