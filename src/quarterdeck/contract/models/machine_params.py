"""What each action on runs and dead letters asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quarterdeck.contract.models.base import Json
from quarterdeck.contract.models.item_params import Params, Reason, ReasonText

__all__ = ["Discard", "EditedRetry", "Reason", "RetryDeadLetter", "RetryRun"]


class RetryRun(Params):
    reason: ReasonText = None


class RetryDeadLetter(Params):
    """`rate` spreads a bulk retry, so that whatever broke under the load does not break again."""

    rate: Annotated[
        float | None, Field(gt=0, le=1_000_000, title="Rate", description="Runs a second; empty for all at once.")
    ] = None
    reason: ReasonText = None


class EditedRetry(Params):
    payload: Annotated[Json, Field(title="Payload", description="What the run is given instead.")]
    reason: ReasonText = None


class Discard(Params):
    reason: Annotated[str, Field(min_length=1, max_length=2_000, title="Reason", description="Why it is given up.")]
