"""What actions are done to: items, runs and dead letters, each known by what bulk operations, selections and
single actions need of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Row

    from quarterdeck.contract.actions import Action
    from quarterdeck.contract.enums import AnyResource
    from quarterdeck.contract.models.items import ActionRequest, ActionResult
    from quarterdeck.contract.principal import Principal
    from quarterdeck.engine.core import Engine
    from quarterdeck.engine.listing.declaration import Listing
    from quarterdeck.engine.store.store import Transaction


class Effect(Protocol):
    """What an action does, as SQL. `counts_as_change`: it raises the version of what it is done to."""

    @property
    def counts_as_change(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does what, and when (ms)."""

    action: Action
    principal: Principal
    engine: Engine
    now: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bulk operation: `already` rows come before it, the first of them was done at `since` (ms).

    By default the whole of an act on one row.
    """

    operation_id: int | None = None
    already: int = 0
    since: int | None = None


class Subject(ABC):
    """One kind of thing. `noun` is what a sentence calls it; `title` and `external` tell one from another;
    `version`, if it has one, tells whether it changed."""

    listing: Listing
    noun: str
    title: ColumnElement[Any]
    external: ColumnElement[Any]
    version: Column[Any] | None

    @abstractmethod
    def effect(self, doing: Doing, params: BaseModel) -> Effect:
        """What the action does with these parameters."""

    @abstractmethod
    def undo(self, doing: Doing, undone_id: int, kept: dict[str, Any]) -> Effect:
        """What takes back the bulk operation `undone_id`; `kept` is what `keep_for_undo` said of it."""

    @abstractmethod
    def keep_for_undo(self, undone: Row[Any], effect: Effect) -> dict[str, Any]:
        """What an undo of the operation (a row of bulk_operations) has to know later."""

    @abstractmethod
    def verdict(self, effect: Effect, principal: Principal) -> ColumnElement[Any]:
        """NULL where the effect may be carried out, else the code of what is in the way."""

    @abstractmethod
    async def carry_out(
        self, effect: Effect, scope: ColumnElement[bool], transaction: Transaction, doing: Doing, part: Part
    ) -> None:
        """Change every row in `scope`, which must hold only eligible ones, and whatever hangs on them."""

    @abstractmethod
    async def act(
        self, engine: Engine, principal: Principal, row_id: int, verb: str, request: ActionRequest
    ) -> ActionResult:
        """The action on one row, with its audit entry."""


# What each capability says of its own when its `subject` is imported.
SUBJECTS: dict[AnyResource, Subject] = {}


def subject_of(resource: AnyResource) -> Subject:
    return SUBJECTS[resource]
