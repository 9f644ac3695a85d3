"""Who hears that runs have ended, in the transaction that ends them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from quarterdeck.contract.enums import RunStatus
from quarterdeck.engine.core import Engine
from quarterdeck.engine.store.store import Transaction


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that is dead, or that is the retry of a dead letter and has ended in any way."""

    id: int
    queue: str
    kind: str
    tenant_id: str
    status: RunStatus
    attempt: int
    operation_id: int | None
    dead_letter_id: int | None
    error_class: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    detail: str | None = None


Ending = Callable[[Engine, Transaction, Sequence[EndedRun]], Awaitable[None]]

ENDINGS: list[Ending] = []

# Hears that somebody has runs done again, before they are: (scope over runs, who, why, bulk operation).
Retrying = Callable[[Engine, Transaction, ColumnElement[bool], str, str | None, int | None], Awaitable[None]]

RETRIES: list[Retrying] = []


async def tell(engine: Engine, transaction: Transaction, ended: Sequence[EndedRun]) -> None:
    if ended:
        for ending in ENDINGS:
            await ending(engine, transaction, ended)
