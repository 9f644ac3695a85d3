"""What everything that is set up goes through: rules, channels, policies, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Row, Select

from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.http.reading import invalid
from quarterdeck.engine.store.store import Transaction

# Of the store's dialect: nobody else who wants the row so goes on before the transaction ends.
Lock = Callable[[Select[Any]], Select[Any]]


class Versioned(Protocol):
    """What names the version that it is about."""

    version: int | None


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class SetUp:
    """What people call one, how the audit log names what is done to it, and what it is done to."""

    noun: str
    audited_as: str
    resource: str

    def missing(self, number: int) -> Problem:
        return Problem(Code.NOT_FOUND, f"There is no {self.noun} {number}; the list says which there are.")

    def unchanged(self, row: Row[Any]) -> Problem:
        return Problem(Code.UNCHANGED, f"{self._title(row)} is so already; there is nothing to do.")

    def check_version(self, row: Row[Any], seen: Versioned | None) -> None:
        """Raises Problem(CHANGED_SINCE) where another version was meant; None is whichever there is."""
        if seen is not None and seen.version not in (None, row.version):
            raise changed_since(f"{self._title(row)} has changed", row.updated_by)

    async def audit(
        self,
        engine: Engine,
        transaction: Transaction,
        principal: Principal,
        verb: str,
        row: Row[Any],
        details: dict[str, Any],
        reason: str | None = None,
    ) -> None:
        await audit.append(
            transaction,
            engine.store,
            principal,
            f"{self.audited_as}.{verb}",
            tenant_id=row.tenant_id or None,
            resource=self.resource,
            target=str(row.id),
            reason=reason,
            details=details,
        )

    def _title(self, row: Row[Any]) -> str:
        return f"{self.noun.capitalize()} {row.id} ({row.name})"


def changed_since(what: str, by: str) -> Problem:
    """`what` has happened, as a sentence begins."""
    return Problem(
        Code.CHANGED_SINCE, f"{what} since you looked, by {by}; look again, then decide.", extra={"changed_by": by}
    )


def merged(model: type[M], kept: dict[str, Any], given: BaseModel) -> M:
    """`kept` with the members that were given. Raises Problem(INVALID_INPUT) with pointers below /settings."""
    try:
        return model.model_validate({**kept, **given.model_dump(mode="json", exclude_unset=True)})
    except ValidationError as error:
        raise invalid(error, "/settings") from error
